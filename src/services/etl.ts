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
import { type EtlParams, etlSteps, type StartJob } from '../schemas/jobs.ts'
import { openLocalSource } from '../sources/local.ts'
import type { Listing, Source } from '../sources/source.ts'
import type { LoadObject, Warehouse, WriteSession } from '../warehouse/warehouse.ts'
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

export interface EtlDependencies {
  warehouse: Warehouse
  config: Pick<Config, 'DATA_DIR' | 'SONG_DATA' | 'LOG_DATA' | 'source_roots'>
}

/** A request for a load; a schedule's says nothing about conflicts. */
export type EtlRequest = Omit<StartJob, 'on_conflict'> & Partial<Pick<StartJob, 'on_conflict'>>

export type Etl = ReturnType<typeof createEtl>

export function createEtl({ warehouse, config }: EtlDependencies) {
  const openSource = (directory: string): Promise<Source> => openLocalSource(directory, config.source_roots)

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
    const listed = await discover(session, context, sources, spoolDir)
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
    const rejected = await stage(session, context, objects, params, spoolDir)
    if (rejected > params.max_rejects) throw await failOverRejects(session, request, rejected)

    await context.step('transform')
    await session.begin()
    const loaded = await transform(session, request, rejected)

    await context.step('check')
    const receipt = await check(session, request, loaded)

    await context.step('publish')
    return publish(session, receipt, loaded)
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
          const result = await publishedResult(session, id)
          await session.rollback()
          return result
        },
        { signal }
      )
  }

  /** Puts a load into the queue. Throws what `validate` and `jobs.start` throw. */
  function start(request: EtlRequest, actor: Actor, jobs: Jobs, options: StartOptions): Promise<StartedJob> {
    const { type, params, chosen } = splitRequest(request)
    return jobs.start(type, params, actor, { ...options, ...chosen, check: () => validate(params) })
  }

  return { validate, start, handler }
}

/** What is to be loaded, apart from how the job is to be run. */
export function splitRequest({ type, mode, song_data, log_data, max_rejects, ...chosen }: EtlRequest) {
  const params = { mode, max_rejects, ...(song_data && { song_data }), ...(log_data && { log_data }) }
  return { type, params, chosen }
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
