/** One connection to the PostgreSQL behind the emulator, at the level of messages. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { fromPostgres, RedshiftError } from './errors.ts'
import {
  CANCEL_REQUEST,
  int16,
  int32,
  type Message,
  message,
  PROTOCOL,
  readBytes,
  readFields,
  readParts,
  startupMessage,
  text
} from './protocol.ts'

export interface BackendOptions {
  port: number
  user: string
  password: string
  database: string
}

export type Status = 'I' | 'T' | 'E'

export interface BoundStatement {
  sql: string
  /** Types of parameters as the client gave them. */
  types: number[]
  /** The body of its Bind message after the names. */
  bind: Buffer
}

export interface Backend {
  readonly pid: number
  readonly key: Buffer
  /** Outside of a transaction, in one, or in one that has failed. */
  status: Status
  /** Runs SQL with the simple protocol and passes on what comes back. Throws the error translated. */
  relay(sql: string, query: number, pass: (message: Message) => void): Promise<void>
  /** Runs SQL of the emulator's own. */
  rows(sql: string): Promise<(string | null)[][]>
  /** Opens a portal with the extended protocol; returns its description. */
  open(statement: BoundStatement, query: number, pass: (message: Message) => void): Promise<Message>
  /** Runs the portal that is open. */
  execute(query: number, pass: (message: Message) => void): Promise<void>
  /** The parameters and columns of a statement. */
  describe(sql: string, types: number[], query: number): Promise<Message[]>
  /** Ends what the extended protocol has begun, if it has. */
  sync(): Promise<void>
  /** Feeds COPY ... FROM STDIN; `rows` may throw, which undoes the load. */
  copyIn(sql: string, query: number, rows: AsyncIterable<string>): Promise<void>
  /** Makes an open transaction fail. */
  fail(): Promise<void>
  /** Interrupts whatever runs. */
  cancel(): void
  /** At once, as when the client has gone: an open transaction is rolled back. */
  destroy(): void
  onClose(listener: (last: Message | undefined) => void): void
}

export async function connectBackend(options: BackendOptions): Promise<Backend> {
  const socket = connect(options.port, '127.0.0.1')
  socket.setNoDelay(true)
  const reader = readBytes(socket)
  let closed = false
  // True between the first message of the extended protocol and its Sync.
  let isExtended = false
  socket.on('close', () => {
    closed = true
  })

  async function next(): Promise<Message> {
    const received = await reader.readMessage()
    if (received === undefined) {
      throw new RedshiftError({
        code: '57P01',
        message: 'terminating connection due to administrator command',
        severity: 'FATAL'
      })
    }
    return received
  }

  const backend = { pid: 0, key: Buffer.alloc(0), status: 'I' as Status }

  function asError(body: Buffer, query: number): RedshiftError {
    return fromPostgres(readFields(body), query)
  }

  /** Reads until the server is ready again. */
  async function untilReady(query: number, pass: (message: Message) => void): Promise<void> {
    let error: RedshiftError | undefined
    for (;;) {
      const received = await next()
      if (received.type === 'E') {
        error ??= asError(received.body, query)
        if (error.fields.severity === 'FATAL') throw error
      } else if (received.type === 'Z') {
        backend.status = received.body.toString() as Status
        isExtended = false
        if (error !== undefined) throw error
        return
      } else {
        pass(received)
      }
    }
  }

  async function sync() {
    if (!isExtended) return
    socket.write(message('S'))
    await untilReady(0, () => {}).catch(() => {})
  }

  async function relay(sql: string, query: number, pass: (message: Message) => void) {
    await sync()
    socket.write(message('Q', text(sql)))
    await untilReady(query, pass)
  }

  /** Reads until one of these types, or throws the error; the server then waits for Sync. */
  async function until(types: string[], query: number, pass: (message: Message) => void): Promise<Message> {
    for (;;) {
      const received = await next()
      if (received.type === 'E') throw asError(received.body, query)
      if (types.includes(received.type)) return received
      pass(received)
    }
  }

  const parse = (sql: string, types: number[]) =>
    message('P', text(''), text(sql), int16(types.length), ...types.map(int32))

  async function logIn(): Promise<void> {
    socket.write(
      startupMessage(
        int32(PROTOCOL),
        ...['user', options.user, 'database', options.database, 'client_encoding', 'UTF8', ''].map(text)
      )
    )
    for (;;) {
      const received = await next()
      if (received.type === 'R' && received.body.readInt32BE(0) === 3)
        socket.write(message('p', text(options.password)))
      if (received.type === 'K') {
        backend.pid = received.body.readInt32BE(0)
        backend.key = Buffer.from(received.body.subarray(4))
      }
      if (received.type === 'E') throw asError(received.body, 0)
      if (received.type === 'Z') return
    }
  }
  await logIn()

  return Object.assign(backend, {
    relay,
    sync,

    async rows(sql: string) {
      const rows: (string | null)[][] = []
      await relay(sql, 0, (received) => {
        if (received.type === 'D') rows.push(readRow(received.body))
      })
      return rows
    },

    async open({ sql, types, bind }: BoundStatement, query: number, pass: (message: Message) => void) {
      await sync()
      isExtended = true
      socket.write(
        Buffer.concat([
          parse(sql, types),
          message('B', text(''), text(''), bind),
          message('D', Buffer.from('P\0')),
          message('H')
        ])
      )
      return until(['T', 'n'], query, (received) => received.type === 'N' && pass(received))
    },

    async execute(query: number, pass: (message: Message) => void) {
      // All rows at once, whatever the client asked for: Redshift does the same.
      socket.write(Buffer.concat([message('E', text(''), int32(0)), message('H')]))
      pass(await until(['C', 'I'], query, pass))
    },

    async describe(sql: string, types: number[], query: number) {
      await sync()
      isExtended = true
      socket.write(Buffer.concat([parse(sql, types), message('D', Buffer.from('S\0')), message('H')]))
      const described: Message[] = []
      described.push(
        await until(['T', 'n'], query, (received) => received.type === 't' && described.push(received))
      )
      return described
    },

    async copyIn(sql: string, query: number, rows: AsyncIterable<string>) {
      await sync()
      socket.write(message('Q', text(sql)))
      let failure: unknown
      const first = await next()
      if (first.type === 'G') {
        try {
          for await (const row of rows) {
            if (!socket.write(message('d', Buffer.from(row))) && !closed) {
              await Promise.race([once(socket, 'drain'), once(socket, 'close')])
            }
          }
          socket.write(message('c'))
        } catch (error) {
          failure = error
          socket.write(message('f', text('the load has failed')))
        }
      } else if (first.type === 'E') {
        failure = asError(first.body, query)
      }
      await untilReady(query, () => {}).catch((error) => {
        failure ??= error
      })
      if (failure !== undefined) throw failure
    },

    async fail() {
      if (isExtended) socket.write(parse('refused by the emulator', []))
      await sync()
      if (backend.status === 'T') await relay('refused by the emulator', 0, () => {}).catch(() => {})
    },

    cancel() {
      const canceller = connect(options.port, '127.0.0.1', () => {
        canceller.end(startupMessage(int32(CANCEL_REQUEST), int32(backend.pid), backend.key))
      })
      canceller.on('error', () => {})
    },

    destroy() {
      socket.destroy()
    },

    onClose(listener: (last: Message | undefined) => void) {
      socket.on('close', async () => listener(await reader.readMessage()))
    }
  })
}

function readRow(body: Buffer): (string | null)[] {
  const parts = readParts(body)
  return Array.from({ length: parts.int16() }, () => {
    const length = parts.int32()
    return length === -1 ? null : parts.bytes(length).toString()
  })
}
