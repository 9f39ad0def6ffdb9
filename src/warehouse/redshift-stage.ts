/**
 * Bulk load into Redshift: COPY reads the objects from S3 into temporary tables, outside of any transaction, so that a
 * transaction that is run again need not read them again.
 */

import { readFile } from 'node:fs/promises'
import { ServiceError } from '../errors.ts'
import { isGzip } from '../sources/lines.ts'
import type { Scratch, ScratchOwner } from '../sources/s3-scratch.ts'
import { fillLiterals, type Literal, type Params, readSql, type Statement } from '../sql.ts'
import { type Compacted, compact } from './redshift-compact.ts'
import { isLoadFailure } from './redshift-errors.ts'
import { insertRows } from './redshift-insert.ts'
import { groupByPrefix } from './redshift-prefixes.ts'
import { findRows, type LoadErrorRow, toRejects } from './redshift-rejects.ts'
import type {
  LoadObject,
  QueryResult,
  RecordKind,
  Reject,
  RejectedRow,
  StageOptions,
  StageResult,
  Value,
  WriteSession
} from './warehouse.ts'

const sql = (name: string) => readSql(`warehouse/redshift/${name}.sql`)
const createListing = sql('create-load-listing')
const createRejects = sql('create-load-rejects')
const createObjects = sql('create-load-objects')
const copyListing = sql('copy-listing')
const lastCopy = sql('last-copy')
const loadErrors = sql('load-errors')
const stlLoadErrors = sql('stl-load-errors')
const copiedFiles = sql('copied-files')
const statements = {
  events: {
    create: sql('create-load-events'),
    copy: sql('copy-events'),
    nullEmpty: sql('null-empty-locations'),
    problems: sql('event-problems'),
    deleteProblems: sql('delete-event-problems'),
    locate: sql('locate-events')
  },
  songs: {
    create: sql('create-load-songs'),
    copy: sql('copy-songs'),
    nullEmpty: sql('null-empty-artist-locations'),
    problems: sql('song-problems'),
    deleteProblems: sql('delete-song-problems'),
    locate: sql('locate-songs')
  }
}

/** COPY skips records up to this number and fails past it: the most that it takes. */
const MAX_ERRORS = 100_000
/** Rejected rows that one statement looks up. */
const ROWS_LOCATED_AT_ONCE = 1_000
/** `stl_load_commits.filename` is a CHAR(256). */
const SHOWN_OF_A_NAME = 256
const kinds: RecordKind[] = ['songs', 'events']

export interface CopySettings {
  /** The role that COPY assumes; it is attached to the cluster. */
  roleArn: () => Promise<string>
  /** Where the source buckets are. */
  region: string
  /** `s3://` URL of a jsonpaths file for events; without it keys are matched whatever their case. */
  jsonpaths?: string | undefined
  /** A place for manifests; without one, COPY takes everything below the source's prefix. */
  scratch?: ((owner: ScratchOwner) => Scratch) | undefined
  /** With such a place: from so many small objects on, they are compacted before COPY; 0 is never. */
  compactFrom: number
}

/** The objects of one COPY: those of a manifest, or those below `prefix`. */
interface CopyGroup {
  objects: LoadObject[]
  isZipped: boolean
  prefix?: string
}

type Run = (statement: Statement, params?: Params) => Promise<QueryResult>

/** The loading half of a write session. */
export function createRedshiftStaging(
  run: Run,
  settings: CopySettings,
  scratch: Scratch | undefined
): Pick<WriteSession, 'list' | 'place' | 'stage' | 'reject'> {
  let listed: LoadObject[] = []
  const staged = new Map<RecordKind, Compacted>()

  async function list(objects: LoadObject[]) {
    listed = objects
    await run(createListing)
    const rows = objects.map(({ object_no, kind, url, etag, bytes }) => [object_no, kind, url, etag, bytes])
    if (scratch === undefined) return insertRows(run, 'load_listing', rows)
    const names = ['object_no', 'kind', 'url', 'etag', 'bytes']
    const lines = rows.map((row) =>
      JSON.stringify(Object.fromEntries(names.map((name, index) => [name, row[index]])))
    )
    const from = await scratch.write('listing.json', lines.join('\n'))
    await run(
      fillLiterals(copyListing, { from, role: await settings.roleArn(), region: settings.region }, 'redshift')
    )
  }

  async function place(path: string, name: string): Promise<string> {
    if (scratch === undefined) {
      throw new ServiceError(
        'manifest_needed',
        'The cluster reads objects from S3 alone, and there is no place for this one. Set MANIFEST_PREFIX.'
      )
    }
    return scratch.write(name, await readFile(path))
  }

  async function stage(objects: LoadObject[], options: StageOptions): Promise<StageResult> {
    await run(createRejects)
    const result: StageResult = { read: { events: 0, songs: 0 }, rejected: 0 }
    let done = 0
    for (const kind of kinds) {
      const { create, nullEmpty } = statements[kind]
      await run(create)
      const ofKind = objects.filter((object) => object.kind === kind)
      const compacted = await compact(kind, ofKind, options, scratch, settings.compactFrom)
      staged.set(kind, compacted)
      for (const group of copyGroups(compacted.objects)) {
        const copied = await copy(kind, group, compacted, options.rejectLimit)
        result.read[kind] += copied.loaded + copied.skipped
        result.rejected += copied.skipped
        done += group.objects.reduce((sum, { bytes }) => sum + bytes, 0)
        options.onProgress({ rows: result.read.songs + result.read.events, bytes: done })
      }
      await run(nullEmpty)
      result.rejected += await rejectProblems(kind, options.rejectLimit)
    }
    await run(createObjects)
    return result
  }

  /** What one COPY each reads: it decompresses all objects of a statement alike. */
  function copyGroups(objects: LoadObject[]): CopyGroup[] {
    return [false, true].flatMap((isZipped) => {
      const group = objects.filter(({ url }) => isGzip(url) === isZipped)
      if (group.length === 0) return []
      if (scratch !== undefined) return [{ objects: group, isZipped }]
      const wanted = new Set(group)
      const others = listed.filter((object) => !wanted.has(object)).map(({ url }) => url)
      return groupByPrefix(group, others).map((part) => ({ ...part, isZipped }))
    })
  }

  async function copy(
    kind: RecordKind,
    { objects, isZipped, prefix }: CopyGroup,
    { fetch, toOriginal }: Compacted,
    rejectLimit: number
  ) {
    const suffix = [prefix === undefined && 'manifest', isZipped && 'gzip'].filter(Boolean).join('\n')
    const literals: Record<string, Literal> = {
      from: prefix ?? (await writeManifest(kind, objects, isZipped)),
      role: await settings.roleArn(),
      region: settings.region,
      json: (kind === 'events' ? settings.jsonpaths : undefined) ?? 'auto ignorecase',
      // As a number it would be written bare, which is what MAXERROR takes.
      max_errors: MAX_ERRORS
    }
    const filled = fillLiterals(statements[kind].copy, literals, 'redshift')
    try {
      await run({ ...filled, text: `${filled.text}\n${suffix}`.trimEnd() })
    } catch (error) {
      if (!isLoadFailure(error)) throw error
      throw new ServiceError(
        'too_many_rejects',
        `COPY gave up after ${MAX_ERRORS} records that cannot be loaded. The objects are not what they should be.`,
        { cause: error }
      )
    }
    const { rows } = await run(lastCopy)
    const query_id = Number(rows[0]?.query_id)
    await verifyFiles(query_id, objects)
    const errors = await readErrors(query_id)
    const rejects = await toRejects(kind, errors.slice(0, rejectLimit), objects, fetch)
    await addRejects(rejects.map(toOriginal))
    return { loaded: Number(rows[0]?.rows_loaded), skipped: errors.length }
  }

  /** A manifest of exactly these objects, each of them mandatory. */
  async function writeManifest(kind: RecordKind, objects: LoadObject[], isZipped: boolean): Promise<string> {
    if (scratch === undefined) throw new Error('there is no place for manifests')
    const entries = objects.map(({ url }) => ({ url, mandatory: true }))
    return scratch.write(`${kind}${isZipped ? '-gzip' : ''}.manifest`, JSON.stringify({ entries }))
  }

  /**
   * What COPY says that it read must be the listed objects, whether a manifest or a prefix told it what to read. Its view
   * cuts names, and need not have objects in which there is nothing.
   */
  async function verifyFiles(query_id: number, objects: LoadObject[]) {
    const { rows } = await run(copiedFiles, { query_id })
    const copied = new Set(rows.map((row) => String(row.url)))
    const shown = (url: string) => url.slice(0, SHOWN_OF_A_NAME)
    const listed = new Set(objects.map(({ url }) => shown(url)))
    const surplus = [...copied].filter((url) => !listed.has(url))
    const missing = objects
      .filter(({ url, bytes }) => bytes > 0 && !copied.has(shown(url)))
      .map(({ url }) => url)
    if (surplus.length + missing.length === 0) return
    throw new ServiceError(
      'object_changed',
      `COPY read ${surplus.length} objects that are not to be loaded (${surplus[0] ?? 'none'}) and missed ` +
        `${missing.length} (${missing[0] ?? 'none'}). The next attempt lists anew.`
    )
  }

  async function readErrors(query_id: number): Promise<LoadErrorRow[]> {
    const found = await run(loadErrors, { query_id }).catch(() => run(stlLoadErrors, { query_id }))
    return found.rows as unknown as LoadErrorRow[]
  }

  async function rejectProblems(kind: RecordKind, limit: number): Promise<number> {
    const { problems, deleteProblems } = statements[kind]
    const { rows } = await run(fillLiterals(problems, { limit }, 'redshift'))
    if (rows.length === 0) return 0
    await reject(kind, rows as unknown as RejectedRow[])
    await run(deleteProblems)
    return Number(rows[0]?.problems)
  }

  async function reject(kind: RecordKind, rows: RejectedRow[]) {
    if (rows.length === 0) return
    const source = staged.get(kind)
    if (source === undefined) throw new Error('nothing is staged')
    const { objects, fetch, toOriginal } = source
    const identities = await locate(kind, rows)
    const wanted = rows.map((row) => ({ ...row, identity: identities.get(Number(row.row_no)) ?? [] }))
    const rejects = await findRows(kind, wanted, objects, fetch)
    if (rejects.length !== rows.length) {
      throw new ServiceError(
        'object_changed',
        `${rows.length - rejects.length} rejected records are in no object any more.`
      )
    }
    await addRejects(rejects.map(toOriginal))
  }

  /** What identifies each of these rows in its object, by row number. */
  async function locate(kind: RecordKind, rows: RejectedRow[]): Promise<Map<number, Value[]>> {
    const identities = new Map<number, Value[]>()
    for (let from = 0; from < rows.length; from += ROWS_LOCATED_AT_ONCE) {
      const numbers = rows.slice(from, from + ROWS_LOCATED_AT_ONCE).map((row) => Number(row.row_no))
      const found = await run(fillLiterals(statements[kind].locate, { rows: numbers }, 'redshift'))
      for (const { row_no, ...identity } of found.rows)
        identities.set(Number(row_no), Object.values(identity))
    }
    return identities
  }

  function addRejects(rejects: Reject[]) {
    const rows = rejects.map((reject): Value[] => [
      reject.kind,
      reject.object_no,
      reject.line_number,
      reject.code,
      reject.column_name,
      reject.message,
      reject.raw,
      reject.raw_truncated
    ])
    return insertRows(run, 'load_rejects', rows)
  }

  return { list, place, stage, reject }
}
