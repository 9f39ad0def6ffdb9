/**
 * The ETL job: discover objects, stage their records, transform them into the star, check, publish.
 *
 * Everything from transform on is one transaction of the warehouse, and the ledger is part of it. An attempt that
 * dies anywhere leaves nothing behind; one that dies after its commit is recognised by its job id in the ledger.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { ServiceError } from '../errors.ts'
import { type EtlParams, etlSteps, type StartJob } from '../schemas/jobs.ts'
import type { Listing, Source } from '../sources/source.ts'
import type { LoadObject, RecordKind, StageResult, Warehouse, WriteSession } from '../warehouse/warehouse.ts'
import type { Actor } from './api-keys.ts'
import type { JobContext, JobHandler } from './job-handler.ts'
import type { StartedJob, StartOptions } from './job-start.ts'
import type { Jobs } from './jobs.ts'
import {
  check,
  failOverRejects,
  type LoadRequest,
  publish,
  publishedResult,
  REJECTS_KEPT_ON_FAILURE,
  transform
} from './load.ts'
import { findLoad, newObjects, selectNewObjects } from './load-sql.ts'
import { checkCallback, type WebhookRules } from './webhook-target.ts'

export interface EtlDependencies {
  warehouse: Warehouse
  config: Pick<Config, 'DATA_DIR' | 'SONG_DATA' | 'LOG_DATA'>
  /** The source at a directory or S3 prefix. Throws `source_not_allowed` for one that is not under the roots. */
  openSource: (location: string) => Promise<Source>
  /** Where the end of a load may be told. */
  webhooks: WebhookRules
}

type Sources = Record<RecordKind, Source>

/** How often the transaction is begun again when the engine breaks it off over another one. */
const CONFLICT_TRIES = 4

/** A request for a load; a schedule's says nothing about conflicts. */
export type EtlRequest = Omit<StartJob, 'on_conflict'> & Partial<Pick<StartJob, 'on_conflict'>>

export type Etl = ReturnType<typeof createEtl>

export function createEtl({ warehouse, config, openSource, webhooks }: EtlDependencies) {
  /**
   * Refuses a request before a job is made of it. Throws `source_not_allowed`, and `cluster_not_found` or
   * `tables_not_created` when there is nothing to load into.
   */
  async function validate(params: EtlParams): Promise<void> {
    await warehouse.run(findLoad, { job_id: '' })
    await openSource(params.song_data ?? config.SONG_DATA)
    await openSource(params.log_data ?? config.LOG_DATA)
  }

  async function run(context: JobContext): Promise<object> {
    const params = context.params as unknown as EtlParams
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

  async function runLoad(session: WriteSession, context: JobContext, params: EtlParams, spoolDir: string) {
    await context.step('discover')
    const published = await publishedResult(session, context.id)
    if (published !== undefined) {
      await context.event('warning', 'An earlier attempt had published the load; nothing is loaded again')
      return published
    }
    const sources = {
      songs: await openSource(params.song_data ?? config.SONG_DATA),
      events: await openSource(params.log_data ?? config.LOG_DATA)
    }
    const listed = await discover(session, context, sources)
    const objects = await selectNew(session, listed, params.mode)
    const skipped = listed.length - objects.length
    await context.event('step', `${objects.length} objects to load, ${skipped} loaded before`)

    const request: LoadRequest = {
      job_id: context.id,
      mode: params.mode,
      max_rejects: params.max_rejects,
      objects_skipped: skipped,
      onProgress: context.progress
    }
    await context.step('stage')
    const staged = await stage(session, context, objects, params, sources, spoolDir)
    if (staged.rejected > params.max_rejects) throw await failOverRejects(session, request, staged.rejected)
    return retryOnConflict(context, session, () => publishStaged(session, context, request, staged))
  }

  const handler: JobHandler = {
    steps: etlSteps,
    check: (params) => validate(params as unknown as EtlParams),
    run,
    // Behind the lock of the ledger: a commit under way has happened by then, or never will.
    published: (id, signal) =>
      warehouse.write(
        async (session) => {
          await session.begin()
          await session.lockLedger()
          const result = await publishedResult(session, id)
          await session.rollback()
          return result
        },
        { signal }
      )
  }

  /** Throws `callback_not_allowed`. */
  function checkOptions({ callback_url }: Pick<EtlRequest, 'callback_url'>): void {
    if (callback_url !== undefined) checkCallback(callback_url, webhooks)
  }

  /** Puts a load into the queue. Throws `callback_not_allowed`, and what `validate` and `jobs.start` throw. */
  function start(request: EtlRequest, actor: Actor, jobs: Jobs, options: StartOptions): Promise<StartedJob> {
    const { type, params, chosen } = splitRequest(request)
    const check = async () => {
      checkOptions(request)
      await validate(params)
    }
    return jobs.start(type, params, actor, { ...options, ...chosen, check })
  }

  return { validate, checkOptions, start, handler }
}

/** What is to be loaded, apart from how the job is to be run. */
export function splitRequest({ type, mode, song_data, log_data, max_rejects, ...chosen }: EtlRequest) {
  const params = { mode, max_rejects, ...(song_data && { song_data }), ...(log_data && { log_data }) }
  return { type, params, chosen }
}

/** Lists both sources, songs first: a later song replaces an earlier one, and plays find songs of the same load. */
async function discover(session: WriteSession, context: JobContext, sources: Sources): Promise<LoadObject[]> {
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
      objects.push({ ...object, kind, object_no: objects.length + 1 })
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
  mode: EtlParams['mode']
): Promise<LoadObject[]> {
  await session.run(newObjects, { is_full: mode === 'full' })
  const { rows } = await session.run(selectNewObjects)
  const isNew = new Set(rows.map((row) => row.object_no))
  return listed.filter((object) => isNew.has(object.object_no))
}

function stage(
  session: WriteSession,
  context: JobContext,
  objects: LoadObject[],
  params: EtlParams,
  sources: Sources,
  spoolDir: string
): Promise<StageResult> {
  const { max_rejects } = params
  const total = objects.reduce((sum, object) => sum + object.bytes, 0)
  return session.stage(objects, {
    spoolDir,
    fetch: (object) => sources[object.kind].fetch(object, spoolDir, context.signal),
    rejectLimit: Math.max(max_rejects, REJECTS_KEPT_ON_FAILURE),
    signal: context.signal,
    onProgress: ({ rows, bytes }) =>
      context.progress({ rows, bytes, fraction: total === 0 ? 1 : bytes / total })
  })
}

/** The transaction of a load, step by step. */
async function publishStaged(
  session: WriteSession,
  context: JobContext,
  request: LoadRequest,
  staged: StageResult
): Promise<object> {
  await context.step('transform')
  await session.begin()
  await session.lockLedger()
  const loaded = await transform(session, request, staged.rejected)

  await context.step('check')
  const receipt = await check(session, request, staged, loaded)

  await context.step('publish')
  return publish(session, receipt, loaded)
}

/** Runs the whole transaction again when another one was in its way; what is staged stays. */
async function retryOnConflict(
  context: JobContext,
  session: WriteSession,
  work: () => Promise<object>
): Promise<object> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      const isConflict = error instanceof ServiceError && error.code === 'warehouse_conflict'
      if (!isConflict || tries === CONFLICT_TRIES) throw error
      await session.rollback()
      await context.event('warning', `${error.message} The transaction is run again`)
      await sleep(100 * 2 ** tries * (0.5 + Math.random() / 2), undefined, { signal: context.signal })
    }
  }
}
