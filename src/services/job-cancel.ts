/** Cancelling jobs, wherever they run. */
import { ServiceError } from '../errors.ts'
import { type Job, scopeOf } from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import { queryMaybe, type Store } from '../store/store.ts'
import { type Actor, requireScope } from './api-keys.ts'
import { type JobRow, toJob } from './job-row.ts'
import type { Jobs } from './jobs.ts'

const cancelJob = readSql('store/jobs/cancel.sql')

export type JobCancel = ReturnType<typeof createJobCancel>

export function createJobCancel(store: Store, jobs: Jobs) {
  return {
    /**
     * Asks for the job's end. A job that no worker ever took is cancelled at once; any other is `cancelling` until
     * its worker has stopped it. Asking again changes nothing. A job whose work was done before it could be stopped
     * ends as `succeeded`. Throws `job_not_found`, `insufficient_scope` and, when it had ended, `job_finished`.
     */
    async cancel(id: string, actor: Actor): Promise<Job> {
      requireScope(actor, scopeOf((await jobs.get(id)).type))
      const message = `Its end was asked for by ${actor.key_id}`
      const row = await queryMaybe<JobRow>(store, cancelJob, { id, message })
      if (row !== undefined) return toJob(row)
      const job = await jobs.get(id)
      if (job.status === 'cancelling' || job.status === 'cancelled') return job
      throw new ServiceError(
        'job_finished',
        `The job ${id} has ended: ${job.status}. There is nothing to cancel.`
      )
    }
  }
}
