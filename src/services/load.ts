/**
 * The part of a load that is one transaction of the warehouse: from staged rows to the star, checked, with the ledger
 * in it. What is thrown before the commit leaves the warehouse as it was.
 */
import { ServiceError } from '../errors.ts'
import type { EtlParams } from '../schemas/jobs.ts'
import type { Receipt } from '../schemas/loads.ts'
import { fillLiterals } from '../sql.ts'
import type { RecordKind, StageResult, Value, WriteSession } from '../warehouse/warehouse.ts'
import * as load from './load-sql.ts'

/** Rejects that a failing load keeps with their text; the others are counted. */
export const REJECTS_KEPT_ON_FAILURE = 1000
/** Rejects that a failing job shows in its error. */
const REJECTS_SHOWN = 20

/** Which load it is, and how it may end. */
export interface LoadRequest extends Pick<EtlParams, 'mode' | 'max_rejects'> {
  job_id: string
  /** Objects found that the ledger knew already. */
  objects_skipped: number
  /** Called with the rows written last and the share of the transform that is done. */
  onProgress: (progress: { rows: number; fraction: number }) => void
}

/** What the transform leaves for the steps after it. */
export interface Loaded {
  load_id: number
  data_version: number
  event_id_base: number
  reject_id_base: number
  tables: Map<string, { inserted: number; deleted: number }>
}

/**
 * Fills staging and star from the staged rows. Throws `ledger_moved` when another load was faster, and
 * `too_many_rejects` when conflicting events exceed what the request allows.
 */
export async function transform(
  session: WriteSession,
  request: LoadRequest,
  rejected: number
): Promise<Loaded> {
  const isFull = request.mode === 'full'
  const moved = await one(session.run(load.countMovedObjects, { is_full: isFull }))
  if (Number(moved.moved) > 0) {
    throw new ServiceError('ledger_moved', `${moved.moved} objects were published by another load meanwhile.`)
  }
  if (isFull) for (const statement of load.clear) await session.run(statement)
  const base = await one(session.run(load.baseline))
  const values = {
    load_id: Number(base.load_id) + 1,
    event_id_base: base.event_id,
    first_ts: base.first_ts,
    last_ts: base.last_ts
  }
  for (const statement of load.deduplicate) await load.runWith(session, statement, values)
  await rejectConflicts(session, request, rejected)

  const tables: Loaded['tables'] = new Map()
  for (const [index, { statement, inserted, deleted }] of load.transform.entries()) {
    const { changed } = await load.runWith(session, statement, values)
    const name = inserted ?? deleted
    const table = tables.get(name ?? '') ?? { inserted: 0, deleted: 0 }
    if (inserted !== undefined) table.inserted += changed
    if (deleted !== undefined) table.deleted += changed
    if (name !== undefined) tables.set(name, table)
    request.onProgress({ rows: table.inserted, fraction: (index + 1) / load.transform.length })
  }
  return {
    load_id: values.load_id,
    data_version: Number(base.data_version),
    event_id_base: Number(base.event_id),
    reject_id_base: Number(base.reject_id),
    tables
  }
}

/** Two events with one identity and different content: the first stays, the others become rejects. */
async function rejectConflicts(session: WriteSession, request: LoadRequest, rejected: number) {
  const limit = Math.max(request.max_rejects, REJECTS_KEPT_ON_FAILURE)
  const { rows } = await session.run(fillLiterals(load.selectConflicts, { limit }, session.engine))
  const total = rejected + Number(rows[0]?.conflicts ?? 0)
  const conflicting = rows.map((row) => ({
    row_no: Number(row.row_no),
    code: 'conflicting_event',
    column_name: null
  }))
  if (total <= request.max_rejects) return session.reject('events', conflicting)
  await session.rollback()
  await session.reject('events', conflicting)
  throw await failOverRejects(session, request, total)
}

/** Keeps the rejects for GET /v1/rejects, in a transaction of their own: the load itself publishes nothing. */
export async function failOverRejects(session: WriteSession, request: LoadRequest, rejected: number) {
  const kept = await session.run(fillLiterals(load.selectRejects, { limit: REJECTS_SHOWN }, session.engine))
  await session.begin()
  await session.lockLedger()
  const base = await one(session.run(load.baseline))
  await session.run(load.insertRejects, {
    job_id: request.job_id,
    load_id: null,
    reject_id_base: base.reject_id,
    rejected_at: new Date()
  })
  await session.commit()
  return new ServiceError(
    'too_many_rejects',
    `${rejected} records were rejected and max_rejects is ${request.max_rejects}, so nothing was published. ` +
      `See GET /v1/rejects?job_id=${request.job_id}; repair the objects, or start the job with a higher max_rejects.`,
    {
      errors: kept.rows.map(({ url, line_number, code, message }) => ({
        pointer: line_number === null ? String(url) : `${url}#line=${line_number}`,
        code: String(code),
        message: String(message)
      }))
    }
  )
}

/** Counts what was written and refuses to publish what does not add up. */
export async function check(
  session: WriteSession,
  request: LoadRequest,
  staged: StageResult,
  loaded: Loaded
): Promise<Receipt> {
  const counted = await one(session.run(load.counts, { load_id: loaded.load_id }))
  const events = { ...countsOf(counted, 'events'), read: staged.read.events }
  const songs = { ...countsOf(counted, 'songs'), read: staged.read.songs }
  const checked = await session.run(load.checks, { event_id_base: loaded.event_id_base })
  const checks = [
    ...[events, songs].map((sums, index) => ({
      name: `${index === 0 ? 'events' : 'songs'} read = loaded + duplicates + rejected`,
      violations: Math.abs(sums.read - sums.loaded - sums.duplicates - sums.rejected)
    })),
    ...checked.rows.map((row) => ({ name: String(row.check_name), violations: Number(row.violations) }))
  ]
  const violated = checks.filter(({ violations }) => violations > 0)
  if (violated.length > 0) {
    const list = violated.map(({ name, violations }) => `${name} (${violations} violations)`).join('; ')
    throw new ServiceError('receipt_mismatch', `Nothing was published, because this does not hold: ${list}.`)
  }
  const { rows } = await session.run(load.rowCounts)
  const hasChanged = events.loaded + songs.loaded > 0 || request.mode === 'full'
  return {
    job_id: request.job_id,
    mode: request.mode,
    objects_skipped: request.objects_skipped,
    data_version: loaded.data_version + (hasChanged ? 1 : 0),
    objects: Number(counted.objects),
    ...{ events, songs },
    tables: Object.fromEntries(rows.map((row) => tableChange(row, loaded.tables))),
    checks: checks.map((passed) => ({ ...passed, status: 'passed' as const }))
  }
}

function tableChange({ table_name, row_count }: Record<string, Value>, tables: Loaded['tables']) {
  const { inserted, deleted } = tables.get(String(table_name)) ?? { inserted: 0, deleted: 0 }
  // A row that is deleted and inserted again is an update.
  const updated = Math.min(inserted, deleted)
  return [
    String(table_name),
    { inserted: inserted - updated, updated, row_count: Number(row_count) }
  ] as const
}

/** Writes the ledger and commits: from here on the load has happened. */
export async function publish(session: WriteSession, receipt: Receipt, { load_id, reject_id_base }: Loaded) {
  const committed_at = new Date()
  const { events, songs, tables, checks, ...rest } = receipt
  await session.run(load.insertLoadedObjects, { load_id })
  await session.run(load.insertRejects, {
    job_id: receipt.job_id,
    load_id,
    reject_id_base,
    rejected_at: committed_at
  })
  const flat = (kind: string, sums: Receipt['events']) =>
    Object.fromEntries(Object.entries(sums).map(([name, value]) => [`${kind}_${name}`, value]))
  await session.run(load.insertLoad, {
    ...{ load_id, committed_at, ...rest },
    ...flat('events', events),
    ...flat('songs', songs),
    receipt: JSON.stringify({ tables, checks })
  })
  await session.commit()
  return { load_id: String(load_id), data_version: receipt.data_version, events, songs }
}

/** The result of the load that an earlier attempt at the job has committed, or undefined. */
export async function publishedResult(session: WriteSession, job_id: string): Promise<object | undefined> {
  const [row] = (await session.run(load.findLoad, { job_id })).rows
  if (row === undefined) return undefined
  return {
    load_id: String(row.load_id),
    data_version: Number(row.data_version),
    events: countsOf(row, 'events'),
    songs: countsOf(row, 'songs')
  }
}

function countsOf(row: Record<string, Value>, kind: RecordKind): Receipt['events'] {
  const of = (name: string) => Number(row[`${kind}_${name}`])
  return { read: of('read'), loaded: of('loaded'), duplicates: of('duplicates'), rejected: of('rejected') }
}

async function one(result: Promise<{ rows: Record<string, Value>[] }>): Promise<Record<string, Value>> {
  const [row] = (await result).rows
  if (row === undefined) throw new Error('a statement that always has a row had none')
  return row
}
