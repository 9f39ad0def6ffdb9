/** A row of the job table, and how the API shows it. */
import type { Priority } from '../schemas/job-options.ts'
import type { Job, JobStatus, JobTrigger } from '../schemas/jobs.ts'

export interface JobRow extends Omit<Job, 'priority' | 'links' | 'trigger' | TimeField> {
  priority: number
  trigger: JobTrigger
  failures: number
  lease_expires_at: Date | null
  cancel_requested_at: Date | null
  run_after: Date
  deadline: Date | null
  created_at: Date
  started_at: Date | null
  finished_at: Date | null
  updated_at: Date
}
type TimeField =
  | 'lease_expires_at'
  | 'cancel_requested_at'
  | 'run_after'
  | 'deadline'
  | 'created_at'
  | 'started_at'
  | 'finished_at'

/** Priorities as the table has them: it sorts by number. */
export const priorityNumbers: Readonly<Record<Priority, number>> = { low: -1, normal: 0, high: 1 }
const priorityNames = new Map(
  Object.entries(priorityNumbers).map(([name, number]) => [number, name as Priority])
)

/** A row of the table as the API shows it. */
export function toJob(row: JobRow): Job {
  const time = (value: Date | null) => value?.toISOString() ?? null
  const loadId = (row.result as { load_id?: unknown } | null)?.load_id
  const self = `/v1/jobs/${row.id}`
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
    callback_url: row.callback_url,
    worker: row.worker,
    lease_expires_at: time(row.lease_expires_at),
    cancel_requested_at: time(row.cancel_requested_at),
    run_after: row.run_after.toISOString(),
    queue_timeout_seconds: row.queue_timeout_seconds,
    timeout_seconds: row.timeout_seconds,
    step_timeouts: row.step_timeouts,
    deadline: time(row.deadline),
    created_at: row.created_at.toISOString(),
    started_at: time(row.started_at),
    finished_at: time(row.finished_at),
    links: {
      self,
      events: `${self}/events`,
      attempts: `${self}/attempts`,
      load: typeof loadId === 'string' ? `/v1/loads/${loadId}` : null
    }
  }
}
