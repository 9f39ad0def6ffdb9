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

export interface WriteOptions extends QueryOptions {
  /** Who writes: names what a load puts into S3, so that a later attempt finds what one before it has left there. */
  owner?: { job: string; attempt: number }
}

export interface Queryable {
  run(statement: Statement, params?: Params, options?: QueryOptions): Promise<QueryResult>
}

export type RecordKind = 'events' | 'songs'

/** A file or S3 object that a load may read. */
export interface LoadObject {
  /** Position in the load, from 1: objects are read in this order, so it decides which record came first. */
  object_no: number
  kind: RecordKind
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
  /** Where an object's bytes are on this machine; brings them there first if need be. */
  fetch: (object: LoadObject) => Promise<string>
  /** Rejects to keep with their text; more are only counted. */
  rejectLimit: number
  signal: AbortSignal
  onProgress: (progress: StageProgress) => void
}

/** What staging found; `rejected` counts all rejects, kept or not. */
export interface StageResult {
  read: Record<RecordKind, number>
  rejected: number
}

/** A record that cannot be loaded: its place, its text, and why. */
export interface Reject {
  kind: RecordKind
  object_no: number
  /** From 1; null where the engine cannot tell. */
  line_number: number | null
  code: string
  /** The record's key at fault, as it is written in JSON. */
  column_name: string | null
  message: string
  /** The record as it stands in its object, up to `MAX_RAW_BYTES`. */
  raw: string
  raw_truncated: boolean
}

/** A staged row that turns out not to be loadable. */
export interface RejectedRow {
  row_no: number
  code: string
  column_name: string | null
}

/** How much of a rejected record's text is kept, in bytes: what fits into a column of Redshift. */
export const MAX_RAW_BYTES = 60_000

/**
 * The one session that may write. Temporary tables live as long as it does.
 *
 * `list` and `stage` leave these temporary tables behind, the same on every engine; from there on the SQL is shared:
 * - `load_listing (object_no, kind, url, etag, bytes)`: every object found
 * - `load_objects (object_no, kind, url, etag, bytes, records_read)`: every object staged; records_read is null where the
 *   engine cannot tell an object's records from another's, and object_no is null in the tables below then
 * - `load_events  (row_no, object_no, <columns of staging.events from artist on>)`: valid events
 * - `load_songs   (row_no, object_no, <columns of staging.songs from num_songs on>)`: valid songs
 * - `load_rejects (kind, object_no, line_number, code, column_name, message, raw_text, raw_truncated)`
 * `row_no` is unique within its table, starts at 1 and grows with object and line.
 */
export interface WriteSession extends Queryable {
  readonly engine: Engine
  /** Fills `load_listing`. */
  list(objects: LoadObject[]): Promise<void>
  /**
   * Brings a file of ours to where the engine reads objects from, under a name of its own, until the session ends;
   * returns its URL. Throws `manifest_needed` where there is no such place.
   */
  place(path: string, name: string): Promise<string>
  /** Reads the objects. */
  stage(objects: LoadObject[], options: StageOptions): Promise<StageResult>
  /** Adds staged rows to `load_rejects`, with their place and text. */
  reject(kind: RecordKind, rows: RejectedRow[]): Promise<void>
  begin(): Promise<void>
  /** First in a transaction: loads then commit one after another, each on top of the one before. */
  lockLedger(): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
}

export interface Warehouse extends Queryable {
  readonly engine: Engine
  /**
   * Rows on the fullest slice over rows on the emptiest, by `schema.table`, for tables whose rows are spread; empty where
   * the engine does not tell.
   */
  skew(): Promise<Map<string, number>>
  /**
   * Runs one statement that reads, and gives its rows in parts as they are taken, at least one: an answer of any size needs
   * the memory of a few parts. Whoever stops taking them stops the statement.
   */
  stream(statement: Statement, params?: Params, options?: QueryOptions): AsyncIterable<QueryResult>
  /**
   * Runs `work` on the writing session, after any writer before it. An open transaction is rolled back when
   * `work` throws, and temporary tables are gone afterwards.
   */
  write<Result>(work: (session: WriteSession) => Promise<Result>, options?: WriteOptions): Promise<Result>
  close(): Promise<void>
}
