/** The job table as callers see it: start, look, list, follow. Running jobs is `job-worker.ts`. */
import { v7 as uuid } from 'uuid'
import { ServiceError } from '../errors.ts'
import type { Page } from '../schemas/common.ts'
import {
  finalStatuses,
  type Job,
  type JobListQuery,
  type JobStatus,
  type JobTrigger,
  type JobType,
  jobTypes
} from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import { type Queryable, queryMaybe, queryOne, type Store } from '../store/store.ts'
import type { Actor } from './api-keys.ts'
import { findRemembered, remember } from './idempotency.ts'
import { readCursor, toPage } from './pagination.ts'
import { createWatchers } from './watch.ts'

const insertJob = readSql('store/jobs/insert.sql')
const getJob = readSql('store/jobs/get.sql')
const listJobs = readSql('store/jobs/list.sql')
const listActive = readSql('store/jobs/active.sql')
const insertEvent = readSql('store/job-events/insert.sql')

/** A row of the job table. */
export interface JobRow extends Omit<Job, 'priority' | 'links' | 'trigger' | TimeField> {
  priority: number
  trigger: JobTrigger
  lease_expires_at: Date | null
  cancel_requested_at: Date | null
  run_after: Date
  created_at: Date
  started_at: Date | null
  finished_at: Date | null
}
type TimeField =
  | 'lease_expires_at'
  | 'cancel_requested_at'
  | 'run_after'
  | 'created_at'
  | 'started_at'
  | 'finished_at'

export interface StartOptions {
  /** What the client calls this request; the same key and request give the same job. */
  idempotencyKey?: string | undefined
  /** Throws when no such job may start now. It is not asked for a repeated request: that one has its job already. */
  check?: () => Promise<void>
  /** What made somebody ask for it. */
  trigger?: JobTrigger
}

export interface StartedJob {
  job: Job
  /** True when an earlier request with the same Idempotency-Key had started it. */
  replayed: boolean
}

export type Jobs = Awaited<ReturnType<typeof createJobs>>

/** Opens the job table. */
export async function createJobs(store: Store) {
  const closing = new AbortController()
  const watchers = await createWatchers(store, 'jobs')

  async function get(id: string): Promise<Job> {
    const row = await queryMaybe<JobRow>(store, getJob, { id })
    if (row === undefined) {
      throw new ServiceError('job_not_found', `No job has the id ${id}. GET /v1/jobs lists the jobs.`)
    }
    return toJob(row)
  }

  /** The job of an earlier request with the same key, if there was one. Throws `idempotency_key_reused`. */
  async function replay(
    type: JobType,
    params: object,
    actor: Actor,
    { idempotencyKey: key }: StartOptions
  ): Promise<StartedJob | undefined> {
    if (key === undefined) return undefined
    const known = await findRemembered(store, key, { type, params, actor })
    return known === undefined ? undefined : { job: await get(known), replayed: true }
  }

  return {
    get,
    replay,

    /** Puts a job into the queue; it is claimed within milliseconds. Throws `idempotency_key_reused`. */
    async start(
      type: JobType,
      params: object,
      actor: Actor,
      options: StartOptions = {}
    ): Promise<StartedJob> {
      const known = await replay(type, params, actor, options)
      if (known !== undefined) return known
      await options.check?.()
      return store
        .transaction(async (tx) => {
          const id = newJobId()
          const row = await insertNew(tx, id, type, params, actor, options)
          const { idempotencyKey: key } = options
          const taken = key === undefined ? undefined : await remember(tx, key, { type, params, actor }, id)
          if (taken !== undefined) throw new Replay(taken)
          return { job: toJob(row), replayed: false }
        })
        .catch(async (error) => {
          if (!(error instanceof Replay)) throw error
          return { job: await get(error.jobId), replayed: true }
        })
    },

    /** Puts a job into the queue as part of a transaction. */
    async add(
      tx: Queryable,
      type: JobType,
      params: object,
      actor: Pick<Actor, 'key_id'>,
      options: StartOptions
    ): Promise<Job> {
      return toJob(await insertNew(tx, newJobId(), type, params, actor, options))
    },

    /** One page of jobs, newest first. */
    async list(query: JobListQuery): Promise<Page<Job>> {
      const rows = await store.query<JobRow>(listJobs, {
        status: query.status ?? null,
        type: query.type ?? null,
        created_after: query.created_after ?? null,
        created_before: query.created_before ?? null,
        before_id: readCursor(query.cursor),
        limit: query.limit + 1
      })
      return toPage(rows.map(toJob), query.limit, (job) => job.id)
    },

    /** The unfinished jobs of a lane, oldest first. */
    async active(lane: string): Promise<Job[]> {
      return (await store.query<JobRow>(listActive, { lane })).map(toJob)
    },

    /**
     * The job as soon as it has ended, or as it is after `seconds`, or when `signal` aborts. It waits for the
     * store's notification and polls nothing.
     */
    async wait(id: string, seconds: number, signal?: AbortSignal): Promise<Job> {
      if (seconds === 0) return get(id)
      const deadline = AbortSignal.timeout(seconds * 1000)
      const stop = AbortSignal.any([deadline, closing.signal, ...(signal ? [signal] : [])])
      for (;;) {
        // Watch first and look second: a job that ends in between is not missed.
        const watch = watchers.watch(id, stop)
        try {
          const job = await get(id)
          if (finalStatuses.includes(job.status) || stop.aborted) return job
          await watch.changed
        } finally {
          watch.end()
        }
      }
    },

    /** Lets everybody go who waits for a job, and ends the subscription. */
    async close() {
      closing.abort()
      await watchers.close()
    }
  }
}

/** Rolls the new job back: the request is a repetition of the one that started `jobId`. */
class Replay extends Error {
  readonly jobId: string

  constructor(jobId: string) {
    super(`replay of ${jobId}`)
    this.jobId = jobId
  }
}

const newJobId = () => `job_${uuid().replaceAll('-', '')}`

async function insertNew(
  tx: Queryable,
  id: string,
  type: JobType,
  params: object,
  actor: Pick<Actor, 'key_id'>,
  { trigger = { kind: 'api' } }: StartOptions
) {
  const { lane, max_attempts } = jobTypes[type]
  const row = await queryOne<JobRow>(tx, insertJob, {
    ...{ id, type, lane, params, max_attempts, trigger },
    created_by: actor.key_id
  })
  await tx.query(insertEvent, {
    job_id: id,
    attempt: 0,
    type: 'queued',
    message: `Asked for by ${actor.key_id}`,
    data: null
  })
  return row
}

const priorityNames = new Map<number, Job['priority']>([
  [-1, 'low'],
  [0, 'normal'],
  [1, 'high']
])

/** A row of the table as the API shows it. */
export function toJob(row: JobRow): Job {
  const time = (value: Date | null) => value?.toISOString() ?? null
  const loadId = (row.result as { load_id?: unknown } | null)?.load_id
  return {
    id: row.id,
    type: row.type,
    lane: row.lane,
    status: row.status as JobStatus,
    priority: priorityNames.get(row.priority) ?? 'normal',
    attempt: row.attempt,
    max_attempts: row.max_attempts,
    params: row.params,
    progress: row.progress,
    steps: row.steps,
    result: row.result,
    error: row.error,
    created_by: row.created_by,
    trigger: row.trigger,
    retry_of: row.retry_of,
    worker: row.worker,
    lease_expires_at: time(row.lease_expires_at),
    cancel_requested_at: time(row.cancel_requested_at),
    run_after: row.run_after.toISOString(),
    created_at: row.created_at.toISOString(),
    started_at: time(row.started_at),
    finished_at: time(row.finished_at),
    links: {
      self: `/v1/jobs/${row.id}`,
      events: `/v1/jobs/${row.id}/events`,
      load: typeof loadId === 'string' ? `/v1/loads/${loadId}` : null
    }
  }
}
