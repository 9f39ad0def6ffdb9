/** Messages of PostgreSQL's wire protocol, version 3. */
import type { Socket } from 'node:net'
import type { ErrorFields } from './errors.ts'

export interface Message {
  type: string
  body: Buffer
  /** Type, length and body, to be passed on as it is. */
  raw: Buffer
}

export const PROTOCOL = 196_608
export const SSL_REQUEST = 80_877_103
export const GSSENC_REQUEST = 80_877_104
export const CANCEL_REQUEST = 80_877_102

/** Bytes of a socket, to be waited for. */
export interface ByteReader {
  /** That many bytes, or undefined when the other side has gone. */
  read(count: number): Promise<Buffer | undefined>
  /** A message without a type, as the first ones of a client are. */
  readStartup(): Promise<Buffer | undefined>
  readMessage(): Promise<Message | undefined>
  /** Leaves the socket to somebody else. */
  detach(): void
}

export function readBytes(socket: Socket): ByteReader {
  let buffer: Buffer = Buffer.alloc(0)
  let chunks: Buffer[] = []
  let length = 0
  let hasEnded = false
  let wake = () => {}

  const onData = (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
    wake()
  }
  const onEnd = () => {
    hasEnded = true
    wake()
  }
  socket.on('data', onData)
  socket.on('end', onEnd)
  socket.on('close', onEnd)
  socket.on('error', onEnd)

  async function read(count: number): Promise<Buffer | undefined> {
    while (buffer.length + length < count) {
      if (hasEnded) return undefined
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    if (buffer.length < count) {
      buffer = Buffer.concat([buffer, ...chunks])
      chunks = []
      length = 0
    }
    const taken = buffer.subarray(0, count)
    buffer = buffer.subarray(count)
    return taken
  }

  return {
    read,
    async readStartup() {
      const size = (await read(4))?.readInt32BE(0)
      return size === undefined ? undefined : read(size - 4)
    },
    async readMessage() {
      const head = await read(5)
      const body = head && (await read(head.readInt32BE(1) - 4))
      if (head === undefined || body === undefined) return undefined
      return { type: String.fromCharCode(head[0] as number), body, raw: Buffer.concat([head, body]) }
    },
    detach() {
      socket.off('data', onData)
      socket.off('end', onEnd)
      socket.off('close', onEnd)
      socket.off('error', onEnd)
    }
  }
}

export const int16 = (value: number): Buffer => {
  const buffer = Buffer.alloc(2)
  buffer.writeInt16BE(value)
  return buffer
}

export const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}

/** Text ends with a zero byte. */
export const text = (value: string): Buffer => Buffer.from(`${value}\0`)

export function message(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

/** A message of a client before its login. */
export function startupMessage(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([int32(body.length + 4), body])
}

export const commandComplete = (tag: string) => message('C', text(tag))
export const readyForQuery = (status: string) => message('Z', Buffer.from(status))
export const parameterStatus = (name: string, value: string) => message('S', text(name), text(value))
export const parseComplete = message('1')
export const bindComplete = message('2')
export const closeComplete = message('3')
export const noData = message('n')
export const noParameters = message('t', int16(0))
export const emptyQuery = message('I')

export function errorResponse({
  code,
  message: what,
  detail,
  hint,
  severity = 'ERROR'
}: ErrorFields): Buffer {
  return message('E', ...fieldParts({ S: severity, C: code, M: what, D: detail, H: hint }))
}

/** Redshift tells the end of a load at the level INFO. */
export const notice = (what: string, severity = 'INFO') =>
  message('N', ...fieldParts({ S: severity, C: '00000', M: what }))

function fieldParts(fields: Record<string, string | undefined>): Buffer[] {
  const parts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => text(name + value))
  return [...parts, Buffer.from([0])]
}

/** The fields of an error or a notice. */
export function readFields(body: Buffer): Map<string, string> {
  const fields = new Map<string, string>()
  for (const field of body.toString().split('\0')) {
    if (field !== '') fields.set(field.slice(0, 1), field.slice(1))
  }
  return fields
}

/** Reads the parts of a message one after another. */
export function readParts(body: Buffer) {
  let at = 0
  return {
    text(): string {
      const end = body.indexOf(0, at)
      const value = body.toString('utf8', at, end)
      at = end + 1
      return value
    },
    int16(): number {
      at += 2
      return body.readInt16BE(at - 2)
    },
    int32(): number {
      at += 4
      return body.readInt32BE(at - 4)
    },
    bytes(count: number): Buffer {
      at += count
      return body.subarray(at - count, at)
    },
    rest: () => body.subarray(at)
  }
}
