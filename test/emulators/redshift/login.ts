/** From a new connection to a client that has proved who it is. */
import { createHash, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { type SecureContext, TLSSocket } from 'node:tls'
import { type ErrorFields, RedshiftError } from './errors.ts'
import {
  type ByteReader,
  CANCEL_REQUEST,
  errorResponse,
  GSSENC_REQUEST,
  int32,
  message,
  PROTOCOL,
  readBytes,
  readParts,
  SSL_REQUEST
} from './protocol.ts'

export interface LoginOptions {
  authenticate(user: string): Promise<readonly string[] | undefined> | readonly string[] | undefined
  secureContext: SecureContext
  requireSsl: boolean
  passwordMethod: 'md5' | 'cleartext'
  database: string
}

export interface Login {
  socket: Socket
  reader: ByteReader
  /** As the database knows it: without the prefix of temporary credentials. */
  user: string
  parameters: Map<string, string>
}

export type Arrival =
  | { kind: 'login'; login: Login }
  | { kind: 'cancel'; pid: number; key: Buffer }
  | { kind: 'gone' }

/** Bad passwords in a row that lock a user out; users of IAM are exempt. */
const MAX_FAILED_LOGINS = 5

export interface Gate {
  admit(socket: Socket): Promise<Arrival>
  unlock(user: string): void
}

export function createGate(options: LoginOptions): Gate {
  const failures = new Map<string, number>()

  async function admit(plain: Socket): Promise<Arrival> {
    let socket = plain
    let reader = readBytes(socket)
    for (;;) {
      const startup = await reader.readStartup()
      if (startup === undefined) return { kind: 'gone' }
      const code = startup.readInt32BE(0)
      if (code === CANCEL_REQUEST) {
        socket.end()
        return { kind: 'cancel', pid: startup.readInt32BE(4), key: startup.subarray(8) }
      }
      if (code === GSSENC_REQUEST) {
        socket.write('N')
      } else if (code === SSL_REQUEST) {
        reader.detach()
        socket.write('S')
        socket = new TLSSocket(socket, { isServer: true, secureContext: options.secureContext })
        // A client that does not trust the certificate ends the handshake.
        socket.on('error', () => {})
        reader = readBytes(socket)
      } else {
        try {
          if (code !== PROTOCOL) throw fatal('0A000', 'unsupported frontend protocol')
          const parameters = readParameters(startup)
          const user = await logIn(socket, reader, parameters)
          return { kind: 'login', login: { socket, reader, user, parameters } }
        } catch (error) {
          const fields =
            error instanceof RedshiftError ? error.fields : { code: 'XX000', message: String(error) }
          socket.end(errorResponse({ ...fields, severity: 'FATAL' }))
          return { kind: 'gone' }
        }
      }
    }
  }

  async function logIn(socket: Socket, reader: ByteReader, parameters: Map<string, string>): Promise<string> {
    const user = parameters.get('user') ?? ''
    const rejected = fatal('28P01', `password authentication failed for user "${user}"`)
    // Without TLS the reason given is a wrong one.
    if (options.requireSsl && !(socket instanceof TLSSocket)) throw rejected
    refuseParameters(parameters)
    if ((parameters.get('database') ?? user) !== options.database) {
      throw fatal('3D000', `database "${parameters.get('database')}" does not exist`)
    }
    const salt = randomBytes(4)
    socket.write(options.passwordMethod === 'md5' ? message('R', int32(5), salt) : message('R', int32(3)))
    const answer = await reader.readMessage()
    if (answer?.type !== 'p') throw fatal('08P01', 'expected password response')
    const given = readParts(answer.body).text()
    const isIam = /^IAM[AR]?:/.test(user)
    if (!isIam && (failures.get(user) ?? 0) >= MAX_FAILED_LOGINS) {
      throw fatal('28000', rejected.fields.message, 'The user is locked after 5 failed logins in a row.')
    }
    const expected = (await options.authenticate(user)) ?? []
    const isKnown = expected.some((password) => given === encode(password, user, salt))
    if (!isKnown) {
      if (!isIam) failures.set(user, (failures.get(user) ?? 0) + 1)
      throw rejected
    }
    failures.delete(user)
    socket.write(message('R', int32(0)))
    return user.replace(/^IAMA?:/, '')
  }

  function encode(password: string, user: string, salt: Buffer): string {
    if (options.passwordMethod === 'cleartext') return password
    return `md5${md5(Buffer.concat([Buffer.from(md5(Buffer.from(password + user))), salt]))}`
  }

  return {
    admit,
    unlock: (user) => void failures.delete(user)
  }
}

const md5 = (content: Buffer) => createHash('md5').update(content).digest('hex')

const fatal = (code: string, what: string, detail?: string) => {
  const fields: ErrorFields = { code, message: what, severity: 'FATAL' }
  return new RedshiftError(detail === undefined ? fields : { ...fields, detail })
}

function readParameters(startup: Buffer): Map<string, string> {
  const parts = readParts(startup)
  parts.int32()
  const parameters = new Map<string, string>()
  for (let name = parts.text(); name !== ''; name = parts.text()) parameters.set(name, parts.text())
  return parameters
}

const knownParameters = [
  ...[
    'user',
    'database',
    'client_encoding',
    'application_name',
    'fallback_application_name',
    'statement_timeout'
  ],
  ...['datestyle', 'timezone', 'client_protocol_version', 'driver_version', 'os_version', 'plugin_name']
]

function refuseParameters(parameters: Map<string, string>): void {
  for (const name of parameters.keys()) {
    if (!knownParameters.includes(name.toLowerCase())) {
      throw fatal('42704', `unrecognized configuration parameter "${name}"`)
    }
  }
  const encoding = parameters.get('client_encoding') ?? 'UTF8'
  if (!/^(?:'?utf-?8'?|unicode)$/i.test(encoding)) {
    throw fatal('22023', `invalid value for parameter "client_encoding": "${encoding}"`)
  }
}
