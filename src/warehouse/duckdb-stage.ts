/**
 * Bulk load into DuckDB: objects become the temporary tables that `WriteSession` promises.
 *
 * Large objects are read by DuckDB itself. Many small ones are sifted into one spool first, because opening a
 * hundred thousand files from the engine costs memory without bound; and so is an object that the engine's reader
 * refuses, because the reader tells neither every bad line nor where it is.
 */
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import pMap from 'p-map'
import { isGzip } from '../sources/lines.ts'
import { mayHoldLongLine } from '../sources/long-records.ts'
import { MAX_RECORD_BYTES } from '../sources/sift.ts'
import { siftInThread } from '../sources/sift-thread.ts'
import { fillLiterals, type Literal, type Params, readSql, type Statement } from '../sql.ts'
import { classify, isFatal } from './duckdb-errors.ts'
import { bytesOf, createProgress, type Progress } from './duckdb-progress.ts'
import { type Place, readRecords, type StagedObject } from './duckdb-rejects.ts'
import { explain } from './reject-reasons.ts'
import type { RejectedRow, StageOptions, StageResult, WriteSession } from './warehouse.ts'
import {
  type LoadObject,
  MAX_RAW_BYTES,
  type QueryResult,
  type RecordKind,
  type Reject
} from './warehouse.ts'

const sql = (name: string) => readSql(`warehouse/duckdb/${name}.sql`)
const macros = ['text-to-bigint', 'text-to-double', 'is-no-bigint', 'is-no-double'].map((name) =>
  sql(`macro-${name}`)
)
const createListing = sql('create-load-listing')
const createObjectRecords = sql('create-load-object-records')
const viewObjects = sql('view-load-objects')
const createRejects = sql('create-load-rejects')
const selectProblems = sql('problems')
const countProblems = sql('count-problems')
const countRecords = sql('count-records')
const kinds: RecordKind[] = ['songs', 'events']
const statements = {
  events: {
    create: sql('create-load-events'),
    readDirect: sql('read-events-direct'),
    readSpool: sql('read-events-spool'),
    stage: sql('stage-events'),
    view: sql('view-load-events'),
    locate: sql('locate-events')
  },
  songs: {
    create: sql('create-load-songs'),
    readDirect: sql('read-songs-direct'),
    readSpool: sql('read-songs-spool'),
    stage: sql('stage-songs'),
    view: sql('view-load-songs'),
    locate: sql('locate-songs')
  }
}

/** Objects smaller than this on average are sifted into a spool rather than opened by the engine; in bytes. */
const SMALL_OBJECT = 256 * 1024
/** The engine reads about this much in one statement: with less, its threads wait for the last file of each too often. */
const CHUNK_BYTES = 1024 * 1024 * 1024
const CHUNK_OBJECTS = 256
/** Small objects that go through one spool: their list is copied to the thread. */
const SPOOLED_AT_ONCE = 50_000
/** Downloads under way: enough to fill the line, few enough for the sockets of the client. */
const FETCHED_AT_ONCE = 16
/** What DuckDB reads as a pattern in a file's name. */
const GLOB = /[*?[]/g

type Run = (statement: Statement, params?: Params) => Promise<QueryResult>

/** The loading half of a write session on `connection`. */
export function createStaging(
  connection: DuckDBConnection,
  run: Run
): Pick<WriteSession, 'list' | 'stage' | 'reject'> {
  let staged: { objects: LoadObject[]; fetch: StageOptions['fetch'] } | undefined

  async function list(objects: LoadObject[]) {
    await run(createListing)
    const appender = await connection.createAppender('load_listing', null, 'temp')
    for (const { object_no, kind, url, etag, bytes } of objects) {
      appender.appendInteger(object_no)
      for (const text of [kind, url, etag]) appender.appendVarchar(text)
      appender.appendBigInt(BigInt(bytes))
      appender.endRow()
    }
    appender.closeSync()
  }

  async function addRejects(rejects: Reject[]) {
    const appender = await connection.createAppender('load_rejects', null, 'temp')
    for (const reject of rejects) {
      appender.appendVarchar(reject.kind)
      appender.appendInteger(reject.object_no)
      if (reject.line_number === null) appender.appendNull()
      else appender.appendBigInt(BigInt(reject.line_number))
      appender.appendVarchar(reject.code)
      if (reject.column_name === null) appender.appendNull()
      else appender.appendVarchar(reject.column_name)
      appender.appendVarchar(reject.message)
      appender.appendVarchar(reject.raw)
      appender.appendBoolean(reject.raw_truncated)
      appender.endRow()
    }
    appender.closeSync()
  }

  /** Gives objects the paths of their bytes, in place: of a million every copy counts. */
  const fetchAll = (
    objects: LoadObject[],
    { fetch, signal }: Pick<StageOptions, 'fetch'> & { signal?: AbortSignal }
  ) =>
    pMap(
      objects,
      async (object): Promise<StagedObject> => Object.assign(object, { path: await fetch(object) }),
      { concurrency: FETCHED_AT_ONCE, ...(signal && { signal }) }
    )

  async function stage(objects: LoadObject[], options: StageOptions): Promise<StageResult> {
    staged = { objects, fetch: options.fetch }
    for (const macro of macros) await run(macro)
    await run(createRejects)
    const progress = createProgress(connection, options.onProgress)
    let refused = 0
    for (const kind of kinds) {
      const { create, view } = statements[kind]
      await run(create)
      const ofKind = objects.filter((object) => object.kind === kind)
      if (!areSmall(ofKind)) refused += await stageDirect(kind, ofKind, options, progress)
      else {
        for (let from = 0; from < ofKind.length; from += SPOOLED_AT_ONCE) {
          const some = ofKind.slice(from, from + SPOOLED_AT_ONCE)
          refused += await stageSpooled(kind, some, options, progress)
        }
      }
      await run(view)
    }
    // Before problems become rejects: those rows are counted as staged already.
    await run(createObjectRecords)
    await run(viewObjects)
    const { rows } = await run(countProblems)
    const problems = Number(rows[0]?.problems)
    if (problems > 0) await rejectProblems(options.rejectLimit)
    const { rows: totals } = await run(countRecords)
    const read = { events: Number(totals[0]?.events), songs: Number(totals[0]?.songs) }
    return { read, rejected: refused + problems }
  }

  async function stageDirect(
    kind: RecordKind,
    objects: LoadObject[],
    options: StageOptions,
    progress: Progress
  ) {
    let refused = 0
    for (const some of chunksOf(objects)) {
      const chunk = await fetchAll(some, options)
      try {
        await requireReadable(chunk)
        await insert(kind, statements[kind].readDirect, direct(chunk), chunk, progress)
      } catch (error) {
        options.signal.throwIfAborted()
        if (isFatal(error) || classify(error) !== error) throw error
        // Something in the chunk cannot be read. One by one, only the objects at fault take the slow way.
        if (chunk.length > 1) {
          for (const object of chunk) refused += await stageDirect(kind, [object], options, progress)
        } else {
          refused += await stageSpooled(kind, chunk, options, progress)
        }
      }
    }
    return refused
  }

  async function stageSpooled(
    kind: RecordKind,
    listed: LoadObject[],
    options: StageOptions,
    progress: Progress
  ) {
    const [first] = listed
    if (first === undefined) return 0
    const objects = await fetchAll(listed, options)
    const spoolPath = join(options.spoolDir, `${kind}-${first.object_no}.ndjson`)
    const { rejectLimit, signal } = options
    const input = {
      objects: objects.map(({ object_no, path, bytes }) => ({ object_no, path, bytes })),
      ...{ spoolPath, rejectLimit, maxRawBytes: MAX_RAW_BYTES }
    }
    const sifted = await siftInThread(
      input,
      (partial) => progress.show(partial.records, partial.bytes),
      signal
    )
    // Asked for again where the text of a reject is read.
    for (const object of objects) object.path = ''
    await addRejects(sifted.rejects.map((reject) => ({ ...reject, kind, column_name: null })))
    if (sifted.records > 0) {
      await insert(
        kind,
        statements[kind].readSpool,
        { paths: [spoolPath.replace(GLOB, '[$&]')] },
        objects,
        progress
      )
    }
    return sifted.rejected
  }

  async function insert(
    kind: RecordKind,
    read: Statement,
    literals: Record<string, Literal>,
    objects: LoadObject[],
    progress: Progress
  ) {
    const source = fillLiterals(read, literals, 'duckdb')
    const { stage: typed } = statements[kind]
    const text = `with source as (${source.text})\n${typed.text}`
    const { changed } = await progress.during(objects, () => run({ ...typed, text }))
    progress.advance(changed, bytesOf(objects))
  }

  async function rejectProblems(limit: number) {
    const { rows } = await run(selectProblems, { limit })
    for (const kind of kinds) {
      const ofKind = rows.filter((row) => row.kind === kind)
      await reject(kind, ofKind as unknown as RejectedRow[])
    }
  }

  async function reject(kind: RecordKind, rows: RejectedRow[]) {
    if (rows.length === 0) return
    const row_nos = JSON.stringify(rows.map((row) => row.row_no))
    const found = await run(statements[kind].locate, { row_nos })
    const places = found.rows as unknown as Place[]
    const wanted = new Set(places.map(({ object_no }) => object_no))
    const { objects = [], fetch = missing } = staged ?? {}
    const holding = await fetchAll(
      objects.filter(({ object_no }) => wanted.has(object_no)),
      { fetch }
    )
    const texts = await readRecords(places, new Map(holding.map((object) => [object.object_no, object])))
    const byRow = new Map(places.map((place) => [place.row_no, place]))
    await addRejects(
      rows.map((row) => {
        const place = byRow.get(row.row_no)
        const text = texts.get(row.row_no)
        if (place === undefined || text === undefined) throw new Error(`row ${row.row_no} is in no object`)
        const { row_no: _, ...why } = row
        return { kind, object_no: place.object_no, ...text, ...why, message: explain(row) }
      })
    )
  }

  return { list, stage, reject }
}

const direct = (objects: StagedObject[]): Record<string, Literal> => ({
  paths: objects.map((object) => object.path),
  // Objects of one kind stand together in the listing, so a file's place in the list gives its number.
  first_object: objects[0]?.object_no ?? 0
})

const missing = () => Promise.reject(new Error('nothing is staged'))

const areSmall = (objects: LoadObject[]) => bytesOf(objects) < SMALL_OBJECT * objects.length

/**
 * Throws for objects that must not reach the engine's reader: names that it takes for patterns, and records beyond the
 * limit, which it loads or, at some lengths, never stops reading. Compressed ones do not show how long their lines are.
 */
async function requireReadable(objects: StagedObject[]) {
  for (const { path, bytes } of objects) {
    if (isGzip(path) || path.search(GLOB) !== -1 || (await mayHoldLongLine(path, bytes, MAX_RECORD_BYTES))) {
      throw new Error(`${path} is not for the engine's own reader`)
    }
  }
}

/** Runs of consecutive objects that one statement reads. */
function chunksOf(objects: LoadObject[]): LoadObject[][] {
  const chunks: LoadObject[][] = []
  let chunk: LoadObject[] = []
  for (const object of objects) {
    const previous = chunk.at(-1)
    const isFull = chunk.length === CHUNK_OBJECTS || bytesOf(chunk) >= CHUNK_BYTES
    if (previous === undefined || isFull || object.object_no !== previous.object_no + 1) {
      chunk = []
      chunks.push(chunk)
    }
    chunk.push(object)
  }
  return chunks
}
