/** Sessions on Redshift: few, verified by TLS, each prepared once, each cancellable from another one. */
import pg from 'pg'
import { ServiceError } from '../errors.ts'
import { bindParams, type Params, parseSql, type Statement } from '../sql.ts'
import { classify, isConnectionLost } from './redshift-errors.ts'
import { readRows } from './redshift-rows.ts'
import { toRedshift, types } from './redshift-values.ts'
import type { QueryResult } from './warehouse.ts'

/** Where the cluster is and who logs in, asked again whenever a connection was lost. */
export interface ConnectionTarget {
  host: string
  port: number
  database: string
  user: string
  /** Called for each new connection: temporary credentials are never kept. */
  password: () => Promise<string>
  /** The name in the server's certificate, where a tunnel makes it differ from `host`. */
  serverName?: string | undefined
  /** Certificate authorities in place of Node's, as PEM. */
  ca?: string | undefined
}

/** More than a few sessions only queue inside the cluster. */
const POOL_SIZE = 5
/** Connecting takes seconds when the cluster is busy, in ms. */
const CONNECT_TIMEOUT = 30_000
/** Below what firewalls on the way forget, in ms. */
const KEEPALIVE_DELAY = 10_000

export type Pool = ReturnType<typeof createPool>

/** Sessions on the cluster that `target` names at the time. `statementTimeout` is in ms, on the server. */
export function createPool(target: () => Promise<ConnectionTarget>, statementTimeout: number) {
  let pool: Promise<pg.Pool> | undefined
  const pids = new WeakMap<pg.PoolClient, number>()
  const prepare = [
    parseSql('redshift/statement-timeout', `set statement_timeout to ${Math.floor(statementTimeout)}`),
    parseSql('redshift/search-path', 'set search_path to analytics, staging')
  ]

  async function open(): Promise<pg.Pool> {
    const { host, port, database, user, password, serverName, ca } = await target()
    const opened = new pg.Pool({
      ...{ host, port, database, user, password, types },
      max: POOL_SIZE,
      connectionTimeoutMillis: CONNECT_TIMEOUT,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_DELAY,
      application_name: 'sparkify-warehouse',
      ssl: {
        rejectUnauthorized: true,
        ...(ca !== undefined && { ca }),
        // The driver replaces the name by the host unless that is an address, so a tunnel is given as 127.0.0.1.
        ...(serverName !== undefined && { servername: serverName })
      }
    })
    // An idle session that the cluster closes is replaced at the next use.
    opened.on('error', () => {})
    return opened
  }

  /** A session that is ready. Where the cluster was is tried first, then where it is now; a refused login is final. */
  async function connect(): Promise<pg.PoolClient> {
    const known = pool
    try {
      return await connectTo(pool ?? open())
    } catch (error) {
      const isRefused = error instanceof ServiceError && error.code === 'warehouse_login_failed'
      if (known === undefined || isRefused) throw error
      return connectTo(open())
    }
  }

  async function connectTo(current: Promise<pg.Pool>): Promise<pg.PoolClient> {
    pool = current
    try {
      const client = await (await current).connect()
      if (!pids.has(client)) {
        // A connection that breaks under way is told by its statement; unheard, the event would end the process.
        client.on('error', () => {})
        for (const { text } of prepare) await client.query(text)
        const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
        pids.set(client, Number(rows[0]?.pid))
      }
      return client
    } catch (error) {
      // The cluster may have moved, or be another one: the next connection asks for the target again.
      if (pool === current) await reset()
      throw classify(error)
    }
  }

  async function reset() {
    const current = pool
    pool = undefined
    // Sessions in use go on; idle ones end.
    void current?.then((opened) => opened.end()).catch(() => {})
  }

  /** Stops what a session is doing, from a second one; the first then gets the error of a cancelled statement. */
  async function cancel(client: pg.PoolClient) {
    const other = await connect()
    try {
      await other.query('select pg_cancel_backend($1::integer)', [pids.get(client)])
    } finally {
      other.release()
    }
  }

  /** Runs one statement on a session; aborting `signal` cancels it in the cluster. */
  async function run(
    client: pg.PoolClient,
    statement: Statement,
    params?: Params,
    signal?: AbortSignal
  ): Promise<QueryResult> {
    signal?.throwIfAborted()
    const onAbort = () => void cancel(client).catch(() => {})
    signal?.addEventListener('abort', onAbort)
    try {
      const values = bindParams(statement, params).map(toRedshift)
      // Without values the driver sends a simple query, which COPY, DDL and SET need.
      const result = await client.query(statement.text, values.length > 0 ? values : undefined)
      const isChange = ['INSERT', 'UPDATE', 'DELETE'].includes(result.command)
      return {
        columns: result.fields?.map(({ name }) => name) ?? [],
        rows: result.rows,
        changed: isChange ? (result.rowCount ?? 0) : 0
      }
    } catch (error) {
      signal?.throwIfAborted()
      throw classify(error)
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** The same, with the rows in parts as they are taken. What is not taken waits in the cluster. */
  async function* stream(
    client: pg.PoolClient,
    statement: Statement,
    params?: Params,
    signal?: AbortSignal
  ): AsyncGenerator<QueryResult> {
    signal?.throwIfAborted()
    const onAbort = () => void cancel(client).catch(() => {})
    signal?.addEventListener('abort', onAbort)
    const values = bindParams(statement, params).map(toRedshift)
    const rows = readRows(client, statement.text, values)
    try {
      for await (const part of rows) {
        // What was sent before the statement was cancelled is still coming.
        signal?.throwIfAborted()
        yield part
      }
    } catch (error) {
      signal?.throwIfAborted()
      throw classify(error)
    } finally {
      signal?.removeEventListener('abort', onAbort)
      if (!rows.isOver()) onAbort()
    }
  }

  return {
    run,

    /** `stream` on a session that is given back when the last row was taken, and ended before that. */
    async *stream(statement: Statement, params?: Params, signal?: AbortSignal): AsyncGenerator<QueryResult> {
      const client = await connect()
      let isOver = false
      try {
        yield* stream(client, statement, params, signal)
        isOver = true
      } finally {
        client.release(!isOver)
      }
    },

    /** Gives `work` a session. One that was lost, or that must not be used again, is not returned to the pool. */
    async withSession<Result>(
      work: (client: pg.PoolClient) => Promise<Result>,
      { isOwn = false } = {}
    ): Promise<Result> {
      const client = await connect()
      let isLost = isOwn
      try {
        return await work(client)
      } catch (error) {
        isLost ||= isConnectionLost(error)
        throw error
      } finally {
        client.release(isLost)
      }
    },

    async close() {
      const current = pool
      pool = undefined
      await (await current?.catch(() => undefined))?.end()
    }
  }
}
