/** The store on a PostgreSQL server. */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { ServiceError } from '../errors.ts'
import { bindParams, type Params, type Statement } from '../sql.ts'
import { postgresSettings } from './postgres-settings.ts'
import { createRepeater } from './postgres-thread.ts'
import { type Store, type Transaction, toWire } from './store.ts'

/** Opens a pool of at most this many connections, beside one for LISTEN. */
const POOL_SIZE = 10
/** Pause before a lost LISTEN connection is opened again, in ms. */
const RELISTEN_DELAY = 500

/** Connects to PostgreSQL. Throws `store_unavailable` if it cannot be reached. */
export async function openPostgres(connectionString: string): Promise<Store> {
  const settings = postgresSettings(connectionString)
  const pool = new pg.Pool({ ...settings, max: POOL_SIZE })
  // An idle connection that the server closes is replaced by the pool at the next use.
  pool.on('error', () => {})
  const listeners = createListeners(settings)
  const repeater = createRepeater(connectionString)

  const on = (client: pg.Pool | pg.PoolClient): Transaction => ({
    async query<Row>(statement: Statement, params?: Params) {
      const values = toWire(bindParams(statement, params))
      const prepared = { name: preparedName(statement.text), text: statement.text, values }
      return (await client.query<Row & object>(prepared).catch(rethrow)).rows
    },
    async script(text) {
      await client.query(text).catch(rethrow)
    }
  })

  async function transact<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const client = await pool.connect().catch(rethrow)
    let broken: Error | undefined
    // The loss of a connection between two statements is an event; without a listener it would end the process.
    const onLost = (error: Error) => {
      broken = error
    }
    client.on('error', onLost)
    try {
      await client.query('begin').catch(rethrow)
      const result = await work(on(client))
      await client.query('commit').catch(rethrow)
      return result
    } catch (error) {
      if (isStalePlan(error)) broken = error as Error
      // A connection that cannot even roll back is thrown away rather than returned to the pool.
      await client.query('rollback').catch((failure: Error) => {
        broken = failure
      })
      throw error
    } finally {
      client.off('error', onLost)
      client.release(broken)
    }
  }

  const store: Store = {
    engine: 'postgres',
    // The pool drops a connection whose statement has failed, so none of them is asked twice.
    query: (statement, params) => untilPlansAreFresh(() => on(pool).query(statement, params)),
    transaction: (work) => untilPlansAreFresh(() => transact(work)),
    listen: listeners.listen,
    repeat: (interval, statement, params, onAnswer) =>
      repeater.repeat(interval, statement.text, toWire(bindParams(statement, params)), onAnswer),
    async ping() {
      await pool.query('select 1').catch(rethrow)
    },
    async close() {
      await Promise.all([listeners.close(), repeater.close()])
      await pool.end()
    }
  }
  await store.ping().catch(async (error) => {
    await store.close()
    throw error
  })
  return store
}

const names = new Map<string, string>()

/**
 * What a statement is called on every connection, which plans it once: planning takes longer than running it. Texts come
 * from files, so there are not many.
 */
function preparedName(text: string): string {
  const known = names.get(text)
  if (known !== undefined) return known
  const name = createHash('sha256').update(text).digest('hex').slice(0, 32)
  names.set(text, name)
  return name
}

/** A newer version of this service has changed a table, and this connection has planned for the table as it was. */
const isStalePlan = (error: unknown) =>
  (error as { code?: unknown }).code === '0A000' && /cached plan/.test((error as Error).message)

/** Again on another connection, while there are such that planned too early: nothing has happened on them. */
async function untilPlansAreFresh<Result>(work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isStalePlan(error)) throw error
    }
  }
}

/** Each LISTEN has a connection of its own, opened again whenever it is lost. */
function createListeners(settings: pg.ClientConfig) {
  const closers = new Set<() => Promise<void>>()

  async function listen(channel: string, onPayload: (payload: string) => void) {
    let closed = false
    let client: pg.Client | undefined

    async function connect() {
      const next = new pg.Client(settings)
      let isListening = false
      client = next
      next.on('notification', (message) => onPayload(message.payload ?? ''))
      next.on('error', () => void next.end())
      // Only a connection that listened is replaced when it ends; a failed attempt is its caller's to repeat.
      next.once('end', () => {
        if (isListening && !closed) void reconnect()
      })
      try {
        await next.connect()
        await next.query(`listen ${pg.escapeIdentifier(channel)}`)
        isListening = true
      } catch (error) {
        void next.end()
        throw error
      }
    }

    async function reconnect() {
      while (!closed) {
        await sleep(RELISTEN_DELAY)
        if (closed) return
        const isBack = await connect().then(
          () => true,
          () => false
        )
        if (isBack) return onPayload('')
      }
    }

    await connect().catch(rethrow)
    const stop = async () => {
      closed = true
      closers.delete(stop)
      await client?.end()
    }
    closers.add(stop)
    return stop
  }

  return {
    listen,
    async close() {
      await Promise.all([...closers].map((stop) => stop()))
    }
  }
}

/** SQLSTATE classes that mean the server is away, or not for us, rather than the statement wrong. */
const awayStates = /^(08|25P03|28|3D|53|57P)/
const awayCodes = /^(ECONN|ENOTFOUND|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)/
/** What node-postgres says, without a code, of a connection that is lost. */
const awayMessages = /^(Connection terminated|Client has encountered a connection error|timeout e)/

function rethrow(error: unknown): never {
  const code = String((error as { code?: unknown }).code ?? '')
  const message = (error as Error).message ?? ''
  if (awayStates.test(code) || awayCodes.test(code) || awayMessages.test(message)) {
    const detail = `PostgreSQL cannot be reached${code === '' ? '' : ` (${code})`}. Check DATABASE_URL and the server.`
    throw new ServiceError('store_unavailable', detail, { cause: error })
  }
  throw error
}
