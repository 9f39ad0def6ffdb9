/** The job table as callers see it: start, look, list, follow. Running jobs is `job-worker.ts`. */
import { ServiceError } from '../errors.ts'
import type { Page, PageQuery } from '../schemas/common.ts'
import type { JobAttempt } from '../schemas/job-attempts.ts'
import { finalStatuses, type Job, type JobListQuery } from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import { queryMaybe, type Store } from '../store/store.ts'
import { type JobRow, toJob } from './job-row.ts'
import { createJobStart } from './job-start.ts'
import { readCursor, readNumberCursor, toPage } from './pagination.ts'
import { createWatchers } from './watch.ts'

const getJob = readSql('store/jobs/get.sql')
const listJobs = readSql('store/jobs/list.sql')
const listActive = readSql('store/jobs/active.sql')
const listAttempts = readSql('store/jobs/attempts.sql')

type AttemptRow = Omit<JobAttempt, 'started_at' | 'finished_at'> & {
  started_at: Date
  finished_at: Date | null
}

export type Jobs = Awaited<ReturnType<typeof createJobs>>

/** Opens the job table. `resumes`: whether jobs resume a cluster that they find paused. */
export async function createJobs(store: Store, { resumes = false } = {}) {
  const closing = new AbortController()
  const watchers = await createWatchers(store, 'jobs')

  async function get(id: string): Promise<Job> {
    const row = await queryMaybe<JobRow>(store, getJob, { id })
    if (row === undefined) {
      throw new ServiceError('job_not_found', `No job has the id ${id}. GET /v1/jobs lists the jobs.`)
    }
    return toJob(row)
  }

  return {
    get,
    ...createJobStart(store, get, resumes),

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
