/**
 * The ETL job: discover objects, stage their records, transform them into the star, check, publish.
 *
 * Everything from transform on is one transaction of the warehouse, and the ledger is part of it. An attempt that
 * dies anywhere leaves nothing behind; one that dies after its commit is recognised by its job id in the ledger.
 */
import type { Config } from '../config.ts'
import { type EtlParams, etlSteps, type StartJob } from '../schemas/etl.ts'
import type { Source } from '../sources/source.ts'
import type { LoadObject, Warehouse, WriteSession } from '../warehouse/warehouse.ts'
import type { Actor } from './api-keys.ts'
import type { JobContext, JobHandler } from './job-handler.ts'
import type { StartedJob, StartOptions } from './job-start.ts'
import type { Jobs } from './jobs.ts'
import { failOverRejects } from './load.ts'
import { discover, selectNew } from './load-discover.ts'
import { publishedResult, recordObjects } from './load-ledger.ts'
import { preflight } from './load-preflight.ts'
import { publishedBehindLock, publishStaged } from './load-publish.ts'
import { allowedRejects, rejectsToKeep } from './load-rejects.ts'
import type { LoadRequest, QualityRules } from './load-request.ts'
import { findLoad } from './load-sql.ts'
import { stage, withSpool } from './load-stage.ts'
import { checkCallback, type WebhookRules } from './webhook-target.ts'

export interface EtlDependencies {
  warehouse: Warehouse
  config: Pick<Config, 'DATA_DIR' | 'SONG_DATA' | 'LOG_DATA' | 'REJECT_RETENTION_DAYS'> & QualityRules
  /** The source at a directory or S3 prefix. Throws `source_not_allowed` for one that is not under the roots. */
  openSource: (location: string) => Promise<Source>
  /** Where the end of a load may be told. */
  webhooks: WebhookRules
}

/** A request for a load; a schedule's says nothing about conflicts. */
export type EtlRequest = Omit<StartJob, 'on_conflict'> & Partial<Pick<StartJob, 'on_conflict'>>

export type Etl = ReturnType<typeof createEtl>

export function createEtl({ warehouse, config, openSource, webhooks }: EtlDependencies) {
  /**
   * Refuses a request before a job is made of it. Throws `source_not_allowed`, and `cluster_not_found` or
   * `tables_not_created` when there is nothing to load into.
   */
  async function validate(params: EtlParams): Promise<void> {
    await openSource(params.song_data ?? config.SONG_DATA)
    await openSource(params.log_data ?? config.LOG_DATA)
    await warehouse.run(findLoad, { job_id: '' })
  }

  function run(context: JobContext): Promise<object> {
    const params = context.params as unknown as EtlParams
    return withSpool(config.DATA_DIR, context.id, (spoolDir) =>
      warehouse.write((session) => runLoad(session, context, params, spoolDir), {
        signal: context.signal,
        owner: { job: context.id, attempt: context.attempt }
      })
    )
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
    const fetch = (object: LoadObject) => sources[object.kind].fetch(object, spoolDir, context.signal)
    if (params.dry_run === true) return preflight(session, context, objects, skipped, { spoolDir, fetch })

    await context.step('stage')
    const rejectLimit = rejectsToKeep(params.max_rejects)
    const staged = await stage(session, context, objects, { spoolDir, rejectLimit, fetch })
    const request: LoadRequest = {
      ...{ job_id: context.id, mode: params.mode, max_rejects: params.max_rejects },
      allowed_rejects: allowedRejects(params.max_rejects, staged.read.events + staged.read.songs),
      objects_skipped: skipped,
      onProgress: context.progress,
      quality: config,
      reject_retention_days: config.REJECT_RETENTION_DAYS
    }
    if (staged.rejected > request.allowed_rejects) {
      throw await failOverRejects(session, request, staged.rejected)
    }
    return publishStaged(session, context, request, staged, (loaded) =>
      recordObjects(session, request, loaded)
    )
  }

  const handler: JobHandler = {
    steps: etlSteps,
    check: (params) => validate(params as unknown as EtlParams),
    run,
    published: (id, signal) =>
      warehouse.write((session) => publishedBehindLock(session, (behind) => publishedResult(behind, id)), {
        signal
      })
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
export function splitRequest(request: EtlRequest) {
  const { type, mode, song_data, log_data, max_rejects, dry_run, ...chosen } = request
  const sources = { ...(song_data && { song_data }), ...(log_data && { log_data }) }
  const params: EtlParams = { mode, max_rejects, ...sources, ...(dry_run && { dry_run }) }
  return { type, params, chosen }
}
