/**
 * The control store: jobs, events, API keys, idempotency records. Its SQL is PostgreSQL;
 * `postgres.ts` runs it on a server, `pglite.ts` in this process.
 */
import type { Params, Statement } from '../sql.ts'

export interface Queryable {
  /** All rows of a statement. Timestamps come as `Date`, bigints as `number`, JSON parsed. */
  query<Row>(statement: Statement, params?: Params): Promise<Row[]>
}

export interface Transaction extends Queryable {
  /** Runs several statements without parameters: what a migration is made of. */
  script(text: string): Promise<void>
}

/** What a repeated statement answered this time. */
export type OnAnswer = (answer: { rows: unknown[] } | { error: Error }) => void

export interface Store extends Queryable {
  readonly engine: 'pglite' | 'postgres'
  /** Runs `work` in one transaction; whatever it throws rolls everything back. */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>
  /**
   * Calls `onPayload` for every NOTIFY on `channel` until the returned function is called. Notifications
   * can be lost while a connection is re-established (`onPayload` is then called with an empty payload),
   * so a listener must treat them as a hint and read the tables.
   */
  listen(channel: string, onPayload: (payload: string) => void): Promise<() => Promise<void>>
  /**
   * Runs a statement every `interval` ms until the returned function is called. On a server that goes on while this
   * process's event loop is busy; the embedded store is in that very loop, and nobody else can reach it meanwhile.
   */
  repeat(interval: number, statement: Statement, params: Params, onAnswer: OnAnswer): () => void
  /** Resolves if the store answers; rejects with `store_unavailable` otherwise. */
  ping(): Promise<void>
  close(): Promise<void>
}

/**
 * Values as both drivers take them: JSON as text (a driver would send a bare array as a PostgreSQL array),
 * times as RFC 3339 text.
 */
export function toWire(values: unknown[]): unknown[] {
  return values.map((value) => {
    if (value instanceof Date) return value.toISOString()
    return typeof value === 'object' && value !== null ? JSON.stringify(value) : value
  })
}

/** The only row of a statement that must find exactly one. */
export async function queryOne<Row>(from: Queryable, statement: Statement, params?: Params): Promise<Row> {
  const row = await queryMaybe<Row>(from, statement, params)
  if (row === undefined) throw new Error(`${statement.name} found no row`)
  return row
}

/** The first row of a statement, or undefined. */
export async function queryMaybe<Row>(
  from: Queryable,
  statement: Statement,
  params?: Params
): Promise<Row | undefined> {
  return (await from.query<Row>(statement, params))[0]
}
