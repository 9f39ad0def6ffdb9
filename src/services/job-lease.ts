/** Leases: what keeps a job from being run by two workers at once. */
import { readSql } from '../sql.ts'
import type { Store } from '../store/store.ts'
import type { JobRow } from './job-row.ts'
import type { Logger } from './logger.ts'

const renewLease = readSql('store/jobs/renew-lease.sql')

export interface LeaseHolder {
  /** Another worker has the job, or the store stayed away for longer than the lease holds. */
  onLost(): void
  /** The job is to end: somebody asked for it, or its time is over. */
  onCancelling(): void
}

export interface LeaseOptions {
  store: Store
  logger: Logger
  /** How long a lease holds, in seconds; it is renewed three times within it. */
  leaseSeconds: number
}

/** Renews the lease on a job until the returned function is called. */
export function keepLease(row: JobRow, holder: LeaseHolder, options: LeaseOptions): () => void {
  const { store, leaseSeconds, logger } = options
  const params = { id: row.id, attempt: row.attempt, lease_seconds: leaseSeconds }
  let renewedAt = performance.now()
  return store.repeat((leaseSeconds * 1000) / 3, renewLease, params, (answer) => {
    if ('error' in answer) {
      logger.warn({ err: answer.error, job_id: row.id }, 'a lease could not be renewed')
      if (performance.now() - renewedAt > leaseSeconds * 1000) holder.onLost()
      return
    }
    const [held] = answer.rows as { status: string }[]
    if (held === undefined) return holder.onLost()
    renewedAt = performance.now()
    // Whoever asked has sent word, but word can be lost.
    if (held.status === 'cancelling') holder.onCancelling()
  })
}
