/**
 * Amazon Redshift on a loopback port: PostgreSQL's wire protocol over TLS, in front of a real PostgreSQL that has been
 * taught Redshift's habits. It runs COPY from S3 itself, refuses what Redshift refuses, and breaks on demand.
 * What it does not imitate is in redshift/README.md.
 */
import { createServer, type Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { type Backend, connectBackend } from './redshift/backend.ts'
import { makeCertificates } from './redshift/certificate.ts'
import type { ObjectStore } from './redshift/copy-source.ts'
import { createFaults, type Fault, type Injection } from './redshift/faults.ts'
import { createLoadLog } from './redshift/load-log.ts'
import { createGate, type Login } from './redshift/login.ts'
import { startPostgres } from './redshift/postgres.ts'
import { int32, message, parameterStatus, readyForQuery } from './redshift/protocol.ts'
import { createRunner, Disconnected, type Runner } from './redshift/runner.ts'
import { serveSession } from './redshift/session.ts'
import { quoteName, quoteText } from './redshift/tokens.ts'

export type { Fault, Injection, ObjectStore }

export interface RedshiftEmulatorOptions {
  /** The passwords that a user may log in with now; users of GetClusterCredentials come as `IAM:name` or `IAMA:name`. */
  authenticate(user: string): Promise<readonly string[] | undefined> | readonly string[] | undefined
  /** What COPY reads. */
  objects: ObjectStore
  /** 0, the default, is a free one. */
  port?: number
  /** `dev` unless told. */
  database?: string
  /** The endpoint's name, which the certificate is for. */
  serverName?: string
  clusterIdentifier?: string
  region?: string
  /** ARNs of the roles attached to the cluster. Without it every role is. */
  roles?: () => readonly string[]
  defaultRole?: () => string | undefined
  /** Where a bucket is; COPY without the right REGION then fails. Without it every bucket is near. */
  bucketRegion?: (bucket: string) => Promise<string | undefined> | string | undefined
  /** All are, unless told. */
  isSuperuser?: (user: string) => boolean
  /** While it says no, connections are dropped at once, and sessions end. */
  takesConnections?: () => boolean
  requireSsl?: boolean
  passwordMethod?: 'md5' | 'cleartext'
  isolation?: 'snapshot' | 'serializable'
  /** Nobody knows whether Redshift binds parameters in CREATE TABLE AS; off unless told. */
  refuseBindsInCreateTableAs?: boolean
  /** The view that a failed load names. */
  loadErrorView?: 'stl_load_errors' | 'sys_load_error_detail'
}

export interface ReceivedStatement {
  /** The session's process id. */
  session: number
  user: string
  text: string
}

export interface RedshiftEmulator {
  readonly host: string
  readonly port: number
  readonly database: string
  /** To trust, PEM. */
  readonly ca: string
  /** To verify, and to send as the server's name, whatever the address connected to. */
  readonly serverName: string
  /** Every statement received, in order, whether it was run or refused. */
  readonly statements: readonly ReceivedStatement[]
  /** Open sessions. */
  readonly sessions: number
  inject(injection: Injection): void
  /** Faults that are still to happen. */
  pendingFaults(): Injection[]
  clearFaults(): void
  /** Lets a user in again who was locked out. */
  unlock(user: string): void
  /** Breaks every connection, as a failover does. */
  disconnectAll(): void
  /** Runs SQL in PostgreSQL itself, as superuser, with nothing refused or rewritten. */
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

interface OpenSession {
  login: Login
  backend: Backend
  runner: Runner | undefined
}

/** How often it is looked whether the cluster still takes connections, in ms. */
const LOOK_INTERVAL = 100

export async function startRedshiftEmulator(options: RedshiftEmulatorOptions): Promise<RedshiftEmulator> {
  const {
    database = 'dev',
    serverName = 'sparkify.abc123.us-west-2.redshift.amazonaws.com',
    region = 'us-west-2',
    isolation = 'snapshot'
  } = options
  const { ca, cert, key } = makeCertificates(serverName)
  const postgres = await startPostgres(database, isolation)
  const log = createLoadLog(postgres.admin)
  const faults = createFaults()
  const statements: ReceivedStatement[] = []
  const sessions = new Map<number, OpenSession>()
  const sockets = new Set<Socket>()
  let query = 4000

  const gate = createGate({
    authenticate: options.authenticate,
    secureContext: createSecureContext({ cert, key, minVersion: 'TLSv1.2' }),
    requireSsl: options.requireSsl ?? true,
    passwordMethod: options.passwordMethod ?? 'md5',
    database
  })

  function cancelSession(pid: number): boolean {
    const session = sessions.get(pid)
    session?.runner?.interrupt()
    return session !== undefined
  }

  async function accept(socket: Socket): Promise<void> {
    const arrival = await gate.admit(socket)
    if (arrival.kind === 'cancel') {
      const session = sessions.get(arrival.pid)
      if (session === undefined || !session.backend.key.equals(arrival.key)) return
      session.runner?.interrupt()
      session.backend.cancel()
    }
    if (arrival.kind === 'login') await serve(arrival.login)
  }

  async function serve(login: Login): Promise<void> {
    const backend = await connectBackend(postgres.connection)
    await assumeUser(backend, login)
    const session: OpenSession = { login, backend, runner: undefined }
    sessions.set(backend.pid, session)
    let isClosing = false
    login.socket.on('close', () => {
      if (!isDetached && !session.runner?.outlivesClient()) backend.destroy()
    })
    backend.onClose((last) => {
      if (last !== undefined && !isClosing) login.socket.write(last.raw)
      login.socket.end()
    })
    let isDetached = false
    login.socket.write(Buffer.concat(greeting(backend, login)))
    try {
      await serveSession({
        login,
        backend,
        refuseBindsInCreateTableAs: options.refuseBindsInCreateTableAs ?? false,
        cancelSession,
        nextQuery: () => ++query,
        record: (text) => void statements.push({ session: backend.pid, user: login.user, text }),
        createRunner(send) {
          session.runner = createRunner({
            backend,
            faults,
            send,
            cancelSession,
            disconnect() {
              isDetached = true
              login.socket.destroy()
            },
            copy: {
              log,
              database,
              region,
              user: login.user,
              cluster: options.clusterIdentifier ?? serverName.split('.', 1)[0] ?? 'sparkify',
              objects: options.objects,
              roles: options.roles,
              defaultRole: options.defaultRole,
              bucketRegion: options.bucketRegion,
              loadErrorView: options.loadErrorView ?? 'stl_load_errors'
            }
          })
          return session.runner
        }
      })
    } catch (error) {
      // The client went, or the server ended the session.
      if (!(error instanceof Disconnected) && process.env.DEBUG_EMULATOR) console.error(error)
    } finally {
      isClosing = true
      sessions.delete(backend.pid)
      backend.destroy()
      login.socket.destroySoon()
    }
  }

  /** The user exists in PostgreSQL from the first login on. */
  async function assumeUser(backend: Backend, { user, parameters }: Login): Promise<void> {
    const isSuperuser = options.isSuperuser?.(user) ?? true
    await postgres.admin.query(
      `do $$ begin
         create role ${quoteName(user)} ${isSuperuser ? 'superuser' : ''} login;
         exception when duplicate_object or unique_violation then null;
       end $$`
    )
    await backend.rows(`set session authorization ${quoteName(user)}`)
    const timeout = parameters.get('statement_timeout')
    if (timeout !== undefined) await backend.rows(`set statement_timeout to ${quoteText(timeout)}`)
  }

  function greeting(backend: Backend, { user }: Login): Buffer[] {
    const status = {
      server_version: '8.0.2',
      server_encoding: 'UNICODE',
      client_encoding: 'UNICODE',
      integer_datetimes: 'on',
      is_superuser: options.isSuperuser?.(user) === false ? 'off' : 'on',
      session_authorization: user,
      DateStyle: 'ISO, MDY',
      TimeZone: 'UTC',
      padb_version: '1.0.137163',
      padb_revision: 'Unknown',
      max_varchar_size: '65535',
      max_numeric_precision: '38',
      server_protocol_version: '0'
    }
    return [
      ...Object.entries(status).map(([name, value]) => parameterStatus(name, value)),
      message('K', int32(backend.pid), backend.key),
      readyForQuery('I')
    ]
  }

  const server = createServer((socket) => {
    if (options.takesConnections?.() === false) return void socket.destroy()
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    accept(socket).catch((error) => {
      if (process.env.DEBUG_EMULATOR) console.error(error)
      socket.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const looking = setInterval(() => {
    if (options.takesConnections?.() === false) disconnectAll()
  }, LOOK_INTERVAL)

  function disconnectAll() {
    for (const socket of sockets) socket.destroy()
  }

  return {
    host: '127.0.0.1',
    port,
    database,
    ca,
    serverName,
    statements,
    get sessions() {
      return sessions.size
    },
    inject: faults.inject,
    pendingFaults: faults.pending,
    clearFaults: faults.clear,
    unlock: gate.unlock,
    disconnectAll,
    async sql(text, values) {
      const { rows } = await postgres.admin.query(text, values)
      return rows
    },
    async close() {
      clearInterval(looking)
      disconnectAll()
      await new Promise((resolve) => server.close(resolve))
      await postgres.stop()
    }
  }
}
