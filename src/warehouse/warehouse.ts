/**
 * The warehouse: `staging.*`, `analytics.*` and the load ledger `ops.*`. Everything above this file speaks
 * one SQL dialect (what Redshift, DuckDB and PostgreSQL all accept); what differs by engine — bulk load and
 * locking — is behind `WriteSession`.
 */
import type { Params, Statement } from '../sql.ts'

export type Engine = 'duckdb' | 'redshift'

/** A value as it comes out of the warehouse: bigints beyond 2^53 and decimals are strings, timestamps are
 * RFC 3339 UTC strings. */
export type Value = string | number | boolean | null

export interface QueryResult {
  /** Column names, in order. */
  columns: string[]
  rows: Record<string, Value>[]
  /** Rows changed, for INSERT, UPDATE and DELETE; 0 otherwise. */
  changed: number
}

export interface QueryOptions {
  /** Stops the statement inside the engine when aborted; the call then rejects with the signal's reason. */
  signal?: AbortSignal
}

export interface Queryable {
  run(statement: Statement, params?: Params, options?: QueryOptions): Promise<QueryResult>
}

/** A file or S3 object that a load reads. */
export interface LoadObject {
  /** Position in the load, from 1: objects are read in this order, so it decides which record came first. */
  object_no: number
  kind: 'events' | 'songs'
  url: string
  etag: string
  /** Size as stored, in bytes. */
  bytes: number
}

export interface StageProgress {
  rows: number
  bytes: number
}

export interface StageOptions {
  /** A folder of this load alone for intermediate files; the caller removes it. */
  spoolDir: string
  signal: AbortSignal
  onProgress: (progress: StageProgress) => void
}

/**
 * The one session that may write. Temporary tables live as long as it does.
 *
 * `stage` leaves these temporary tables behind, the same on every engine; from there on the SQL is shared:
 * - `load_objects  (object_no, kind, url, etag, bytes, records_read)`: every object of the load
 * - `load_events   (row_no, <columns of staging.events from artist on>)`: valid events
 * - `load_songs    (row_no, <columns of staging.songs from num_songs on>)`: valid songs
 * - `load_rejects  (kind, object_no, line_number, code, column_name, message, raw, raw_truncated)`
 * `row_no` is unique within its table, starts at 1 and grows with object and line.
 */
export interface WriteSession extends Queryable {
  /** Leaves `load_listing (object_no, kind, url, etag, bytes)` with the given objects. */
  list(objects: Iterable<LoadObject>): Promise<void>
  stage(objects: LoadObject[], options: StageOptions): Promise<void>
  /** Where in its object the row stands (1-based line) and its raw text; for rejects found after staging. */
  locate(kind: LoadObject['kind'], rowNos: number[]): Promise<RawRecord[]>
  /** Opens the transaction and takes the ledger's lock, so that loads commit one after another. */
  begin(): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
}

export interface RawRecord {
  row_no: number
  object_no: number
  line_number: number | null
  raw: string
  raw_truncated: boolean
}

export interface Warehouse extends Queryable {
  readonly engine: Engine
  /**
   * Runs `work` on the writing session, after any writer before it. An open transaction is rolled back when
   * `work` throws, and temporary tables are gone afterwards.
   */
  write<Result>(work: (session: WriteSession) => Promise<Result>, options?: QueryOptions): Promise<Result>
  close(): Promise<void>
}
