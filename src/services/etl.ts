/**
 * The ETL job: discover objects, stage their records, transform them into the star, check, publish.
 *
 * Everything from transform on is one transaction of the warehouse, and the ledger is part of it. An attempt that
 * dies anywhere leaves nothing behind; one that dies after its commit is recognised by its job id in the ledger.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { ServiceError } from '../errors.ts'
import type { EtlParams } from '../schemas/jobs.ts'
import type { Receipt } from '../schemas/loads.ts'
import { openLocalSource } from '../sources/local.ts'
import type { Listing, Source } from '../sources/source.ts'
import { fillLiterals } from '../sql.ts'
import type { LoadObject, RecordKind, Value, Warehouse, WriteSession } from '../warehouse/warehouse.ts'
import type { JobContext, JobHandler } from './job-attempt.ts'
import * as load from './load-sql.ts'

/** Rejects that a failing load keeps with their text; the others are counted. */
const REJECTS_KEPT_ON_FAILURE = 1000
/** Rejects that a failing job shows in its error. */
const REJECTS_SHOWN = 20

export interface EtlDependencies {
  warehouse: Warehouse
  config: Pick<Config, 'DATA_DIR' | 'SONG_DATA' | 'LOG_DATA' | 'source_roots'>
}

type Params = Omit<EtlParams, 'type'>

export type Etl = ReturnType<typeof createEtl>

export function createEtl({ warehouse, config }: EtlDependencies) {
  const openSource = (directory: string): Promise<Source> => openLocalSource(directory, config.source_roots)

  /** Throws `source_not_allowed` before a job is made of such a request. */
  async function validate(params: Params): Promise<void> {
    await openSource(params.song_data ?? config.SONG_DATA)
    await openSource(params.log_data ?? config.LOG_DATA)
  }

  async function run(context: JobContext): Promise<object> {
    const params = context.params as unknown as Params
    const spoolDir = join(config.DATA_DIR, 'spool', context.id)
    // An attempt before this one may have left its spool.
    await rm(spoolDir, { recursive: true, force: true })
    await mkdir(spoolDir, { recursive: true, mode: 0o700 })
    try {
      return await warehouse.write((session) => runLoad(session, context, params, spoolDir), {
        signal: context.signal
      })
    } finally {
      await rm(spoolDir, { recursive: true, force: true })
    }
  }

  async function runLoad(session: WriteSession, context: JobContext, params: Params, spoolDir: string) {
    await context.step('discover')
    const published = await session.run(load.findLoad, { job_id: context.id })
    if (published.rows[0] !== undefined) {
      await context.event('warning', 'An earlier attempt had published the load; nothing is loaded again')
      return { load_id: String(published.rows[0].load_id) }
    }
    const sources = {
      songs: await openSource(params.song_data ?? config.SONG_DATA),
      events: await openSource(params.log_data ?? config.LOG_DATA)
    }
    const listed = await discover(session, context, sources, spoolDir)
    const objects = await selectNew(session, listed, params.mode)
    const skipped = listed.length - objects.length
    await context.event('step', `${objects.length} objects to load, ${skipped} loaded before`)

    await context.step('stage')
    const rejected = await stage(session, context, objects, params, spoolDir)
    if (rejected > params.max_rejects) throw await failOverRejects(session, context, params, rejected)

    await context.step('transform')
    await session.begin()
    const loaded = await transform(session, context, params, rejected)

    await context.step('check')
    const receipt = await check(session, loaded, {
      job_id: context.id,
      mode: params.mode,
      objects_skipped: skipped
    })

    await context.step('publish')
    return publish(session, receipt, loaded)
  }

  const handler: JobHandler = { steps: { discover: 5, stage: 60, transform: 25, check: 5, publish: 5 }, run }
  return { validate, handler }
}

/** Lists both sources, songs first: a later song replaces an earlier one, and plays find songs of the same load. */
async function discover(
  session: WriteSession,
  context: JobContext,
  sources: Record<'songs' | 'events', Source>,
  spoolDir: string
): Promise<LoadObject[]> {
  const objects: LoadObject[] = []
  for (const kind of ['songs', 'events'] as const) {
    const source = sources[kind]
    const listing = await source.list(context.signal)
    await tellIgnored(context, listing)
    if (listing.objects.length === 0) {
      throw new ServiceError(
        'source_empty',
        `${source.url} holds no .json or .json.gz object. Check the directory; nothing was changed.`
      )
    }
    for (const object of listing.objects) {
      const path = await source.fetch(object, spoolDir, context.signal)
      objects.push({ ...object, kind, path, object_no: objects.length + 1 })
    }
    context.progress({ rows: objects.length })
  }
  await session.list(objects)
  return objects
}

async function tellIgnored(context: JobContext, { ignored }: Listing) {
  if (ignored.length === 0) return
  const shown = ignored.slice(0, 20)
  await context.event('warning', `${ignored.length} files are no data and are ignored`, { names: shown })
}

async function selectNew(
  session: WriteSession,
  listed: LoadObject[],
  mode: Params['mode']
): Promise<LoadObject[]> {
  await session.run(load.newObjects, { is_full: mode === 'full' })
  const { rows } = await session.run(load.selectNewObjects)
  const isNew = new Set(rows.map((row) => row.object_no))
  return listed.filter((object) => isNew.has(object.object_no))
}

function stage(
  session: WriteSession,
  context: JobContext,
  objects: LoadObject[],
  params: Params,
  spoolDir: string
): Promise<number> {
  const total = objects.reduce((sum, object) => sum + object.bytes, 0)
  return session.stage(objects, {
    spoolDir,
    rejectLimit: Math.max(params.max_rejects, REJECTS_KEPT_ON_FAILURE),
    signal: context.signal,
    onProgress: ({ rows, bytes }) =>
      context.progress({ rows, bytes, fraction: total === 0 ? 1 : bytes / total })
  })
}

/** What the transform leaves for the steps after it. */
interface Loaded {
  load_id: number
  data_version: number
  event_id_base: number
  reject_id_base: number
  tables: Map<string, { inserted: number; deleted: number }>
}

async function transform(
  session: WriteSession,
  context: JobContext,
  params: Params,
  rejected: number
): Promise<Loaded> {
  const isFull = params.mode === 'full'
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
  await rejectConflicts(session, context, params, rejected)

  const tables: Loaded['tables'] = new Map()
  for (const [index, { statement, inserted, deleted }] of load.transform.entries()) {
    const { changed } = await load.runWith(session, statement, values)
    const name = inserted ?? deleted
    const table = tables.get(name ?? '') ?? { inserted: 0, deleted: 0 }
    if (inserted !== undefined) table.inserted += changed
    if (deleted !== undefined) table.deleted += changed
    if (name !== undefined) tables.set(name, table)
    context.progress({ rows: table.inserted, fraction: (index + 1) / load.transform.length })
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
async function rejectConflicts(session: WriteSession, context: JobContext, params: Params, rejected: number) {
  const limit = Math.max(params.max_rejects, REJECTS_KEPT_ON_FAILURE)
  const { rows } = await session.run(fillLiterals(load.selectConflicts, { limit }, session.engine))
  const total = rejected + Number(rows[0]?.conflicts ?? 0)
  const conflicting = rows.map((row) => ({
    row_no: Number(row.row_no),
    code: 'conflicting_event',
    column_name: null
  }))
  if (total <= params.max_rejects) return session.reject('events', conflicting)
  await session.rollback()
  await session.reject('events', conflicting)
  throw await failOverRejects(session, context, params, total)
}

/** Keeps the rejects for GET /v1/rejects, in a transaction of their own: the load itself publishes nothing. */
async function failOverRejects(session: WriteSession, context: JobContext, params: Params, rejected: number) {
  const kept = await session.run(fillLiterals(load.selectRejects, { limit: REJECTS_SHOWN }, session.engine))
  await session.begin()
  const base = await one(session.run(load.baseline))
  await session.run(load.insertRejects, {
    job_id: context.id,
    load_id: null,
    reject_id_base: base.reject_id,
    rejected_at: new Date().toISOString()
  })
  await session.commit()
  return new ServiceError(
    'too_many_rejects',
    `${rejected} records were rejected and max_rejects is ${params.max_rejects}, so nothing was published. ` +
      `See GET /v1/rejects?job_id=${context.id}; repair the objects, or start the job with a higher max_rejects.`,
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
async function check(
  session: WriteSession,
  loaded: Loaded,
  about: Pick<Receipt, 'job_id' | 'mode' | 'objects_skipped'>
): Promise<Receipt> {
  const counted = await one(session.run(load.counts, { load_id: loaded.load_id }))
  const of = (kind: RecordKind) => ({
    read: Number(counted[`${kind}_read`]),
    loaded: Number(counted[`${kind}_loaded`]),
    duplicates: Number(counted[`${kind}_duplicates`]),
    rejected: Number(counted[`${kind}_rejected`])
  })
  const [events, songs] = [of('events'), of('songs')]
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
  const hasChanged = events.loaded + songs.loaded > 0 || about.mode === 'full'
  return {
    ...about,
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
async function publish(session: WriteSession, receipt: Receipt, { load_id, reject_id_base }: Loaded) {
  const committed_at = new Date().toISOString()
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

async function one(result: Promise<{ rows: Record<string, Value>[] }>): Promise<Record<string, Value>> {
  const [row] = (await result).rows
  if (row === undefined) throw new Error('a statement that always has a row had none')
  return row
}
