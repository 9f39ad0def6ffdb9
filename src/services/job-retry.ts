/** Trying a job again that failed or was cancelled. */
import { ServiceError } from '../errors.ts'
import { finalStatuses, type Job, type JobType, scopeOf } from '../schemas/jobs.ts'
import { type Actor, requireScope } from './api-keys.ts'
import type { JobHandler } from './job-handler.ts'
import type { StartedJob } from './job-start.ts'
import type { Jobs } from './jobs.ts'

export type JobRetry = ReturnType<typeof createJobRetry>

/** `handlers` know what each type must find before it may start. */
export function createJobRetry(jobs: Jobs, handlers: Readonly<Record<JobType, JobHandler>>) {
  return {
    /**
     * Starts a new job that does what the old one was to do, with the same parameters, priority, times and callback URL. It waits
     * for nothing: `run_after` is not taken over. Throws `job_not_found`, `insufficient_scope`, `job_not_retryable`,
     * `idempotency_key_reused`, and whatever keeps a new job of this type from starting.
     */
    async retry(id: string, actor: Actor, idempotencyKey: string | undefined): Promise<StartedJob> {
      const job = await jobs.get(id)
      requireScope(actor, scopeOf(job.type))
      const handler = handlers[job.type]
      return jobs.start(job.type, job.params, actor, {
        ...{ idempotencyKey, retry_of: id, trigger: { kind: 'retry' }, priority: job.priority },
        ...timesOf(job),
        ...(job.callback_url !== null && { callback_url: job.callback_url }),
        check: async () => {
          requireRetryable(job)
          await handler.check?.(job.params)
        }
      })
    }
  }
}

function timesOf({ queue_timeout_seconds, timeout_seconds, step_timeouts }: Job) {
  return {
    ...(queue_timeout_seconds !== null && { queue_timeout_seconds }),
    ...(timeout_seconds !== null && { timeout_seconds }),
    step_timeouts
  }
}

function requireRetryable({ id, type, status }: Job): void {
  if (status === 'failed' || status === 'cancelled') return
  const advice = finalStatuses.includes(status)
    ? `To do the same again, start a new job of the type ${type}.`
    : `Wait for its end, or cancel it.`
  throw new ServiceError(
    'job_not_retryable',
    `The job ${id} is ${status}; only one that failed or was cancelled can be retried. ${advice}`
  )
}
