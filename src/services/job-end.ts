/** How an attempt ends: the job with it, or only the attempt. Both are one statement, refused to who lost the lease. */
import { toProblem } from '../errors.ts'
import type { Job, Progress, Step } from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import type { Store } from '../store/store.ts'
import type { JobRow } from './job-row.ts'

const finishJob = readSql('store/jobs/finish.sql')
const requeueJob = readSql('store/jobs/requeue.sql')

/** Why an attempt stops before its work is done. */
export type StopReason = 'shutdown' | 'lease_lost' | 'cancelled'

export class AttemptStopped extends Error {
  readonly reason: StopReason

  constructor(reason: StopReason) {
    super(`the attempt was stopped: ${reason}`)
    this.reason = reason
  }
}

export interface Final {
  status: 'succeeded' | 'failed' | 'cancelled'
  result: object | null
  error: Job['error']
  progress: Progress | null
  steps: Step[]
}

const messages = { succeeded: 'The job succeeded', cancelled: 'The job was cancelled; nothing of it goes on' }

/** Ends the job. Throws `AttemptStopped` when the lease is lost. */
export async function finish(store: Store, row: JobRow, final: Final): Promise<void> {
  const { status, error } = final
  const ended = await store.query(finishJob, {
    ...{ id: row.id, attempt: row.attempt, outcome: status, ...final },
    message: status === 'failed' ? (error?.detail ?? '') : messages[status],
    data: error === null ? null : { code: error.code }
  })
  if (ended.length === 0) throw new AttemptStopped('lease_lost')
}

export const succeeded = (result: object) => ({ status: 'succeeded', result, error: null }) as const
export const cancelled = { status: 'cancelled', result: null, error: null } as const
export const failed = (error: unknown) =>
  ({ status: 'failed', result: null, error: toProblem(error) }) as const

export interface Requeue {
  outcome: 'failed' | 'handed_back'
  message: string
  /** Seconds until the job may be claimed again. */
  delay: number
  error: Job['error']
}

/** Gives the job back to the queue. Throws `AttemptStopped` when the lease is lost. */
export async function requeue(store: Store, row: JobRow, requeued: Requeue): Promise<void> {
  const { outcome, message, delay, error } = requeued
  const given = await store.query(requeueJob, {
    ...{ id: row.id, attempt: row.attempt, delay_seconds: delay, outcome, error, message },
    type: outcome === 'failed' ? 'retrying' : 'handed_back',
    failures: outcome === 'failed' ? 1 : 0
  })
  if (given.length === 0) throw new AttemptStopped('lease_lost')
}

/** The first pause before a transient failure is tried again, in seconds; it doubles up to the longest. */
const FIRST_RETRY_DELAY = 1
const LONGEST_RETRY_DELAY = 60

/** Seconds before the next try. Jitter keeps jobs that failed together from coming back together. */
export function retryDelay(failures: number): number {
  const longest = Math.min(LONGEST_RETRY_DELAY, FIRST_RETRY_DELAY * 2 ** failures)
  return longest * (0.5 + Math.random() / 2)
}
