/** The job table as callers see it: start, look, list, follow. Running jobs is `job-worker.ts`. */
import { ServiceError } from '../errors.ts'
import type { Page, PageQuery } from '../schemas/common.ts'
import type { JobAttempt } from '../schemas/job-attempts.ts'
import { finalStatuses, type Job, type JobEvent, type JobListQuery, type JobStatus } from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import { queryMaybe, type Store } from '../store/store.ts'
import { type JobRow, toJob } from './job-row.ts'
import { createJobStart } from './job-start.ts'
import { readCursor, readNumberCursor, toPage } from './pagination.ts'

const getJob = readSql('store/jobs/get.sql')
const listJobs = readSql('store/jobs/list.sql')
const listActive = readSql('store/jobs/active.sql')
const listAttempts = readSql('store/jobs/attempts.sql')
const listEvents = readSql('store/job-events/list.sql')

type AttemptRow = Omit<JobAttempt, 'started_at' | 'finished_at'> & {
  started_at: Date
  finished_at: Date | null
}

export type Jobs = Awaited<ReturnType<typeof createJobs>>

/** Opens the job table. */
export async function createJobs(store: Store) {
  const watchers = new Map<string, Set<() => void>>()
  const closing = new AbortController()
  const stopListening = await store.listen('jobs', (payload) => {
    const { id: changed } = readNotification(payload)
    // Notifications may have been lost: everybody looks again.
    const ids = changed === undefined ? [...watchers.keys()] : [changed]
    for (const id of ids) for (const wake of watchers.get(id) ?? []) wake()
  })

  async function get(id: string): Promise<Job> {
    const row = await queryMaybe<JobRow>(store, getJob, { id })
    if (row === undefined) {
      throw new ServiceError('job_not_found', `No job has the id ${id}. GET /v1/jobs lists the jobs.`)
    }
    return toJob(row)
  }

  return {
    get,
    ...createJobStart(store, get),

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

    /** One page of a job's story, oldest first. */
    async events(id: string, query: PageQuery): Promise<Page<JobEvent>> {
      await get(id)
      const rows = await store.query<JobEvent & { created_at: Date }>(listEvents, {
        job_id: id,
        after_id: readNumberCursor(query.cursor),
        limit: query.limit + 1
      })
      const events = rows.map((row) => ({ ...row, created_at: row.created_at.toISOString() }))
      return toPage(events, query.limit, (event) => event.id)
    },

    /** One page of the attempts at a job, oldest first. */
    async attempts(id: string, query: PageQuery): Promise<Page<JobAttempt>> {
      await get(id)
      const rows = await store.query<AttemptRow>(listAttempts, {
        job_id: id,
        after_attempt: readNumberCursor(query.cursor),
        limit: query.limit + 1
      })
      const attempts = rows.map((row) => ({
        ...row,
        started_at: row.started_at.toISOString(),
        finished_at: row.finished_at?.toISOString() ?? null
      }))
      return toPage(attempts, query.limit, (attempt) => attempt.attempt)
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
        const watch = watchJob(id, stop)
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
      await stopListening()
    }
  }

  function watchJob(id: string, stop: AbortSignal) {
    const { promise: changed, resolve } = Promise.withResolvers<void>()
    const set = watchers.get(id) ?? new Set()
    watchers.set(id, set)
    const end = () => {
      if (!set.delete(end)) return
      if (set.size === 0) watchers.delete(id)
      stop.removeEventListener('abort', end)
      resolve()
    }
    set.add(end)
    stop.addEventListener('abort', end)
    return { changed, end }
  }
}

/**
 * What a notification says of a job. Nothing when it may stand for others that were lost, or was not sent by
 * our trigger: a database is shared.
 */
export function readNotification(payload: string): { id?: string; status?: JobStatus } {
  try {
    return JSON.parse(payload) ?? {}
  } catch {
    return {}
  }
}
