/**
 * Takes jobs from the table and runs them. The table is the queue: one statement claims a row, takes a lease
 * on it and raises its fencing token. Notifications wake the worker at once; a slow poll is the safety net.
 */
import { hostname } from 'node:os'
import { ServiceError, toProblem } from '../errors.ts'
import { finalStatuses, type JobType } from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import { queryMaybe, queryOne, type Store, type Transaction } from '../store/store.ts'
import { type AttemptOptions, type JobHandler, runAttempt } from './job-attempt.ts'
import type { JobRow } from './jobs.ts'
import type { Logger } from './logger.ts'
import { readNotification } from './watch.ts'

const claimJob = readSql('store/jobs/claim.sql')
const closeLostAttempts = readSql('store/jobs/close-lost-attempts.sql')
const insertAttempt = readSql('store/jobs/insert-attempt.sql')
const countFailed = readSql('store/jobs/count-failed-attempts.sql')
const finishJob = readSql('store/jobs/finish.sql')
const insertEvent = readSql('store/job-events/insert.sql')
const expireLeases = readSql('store/jobs/expire-leases.sql')
const nextRun = readSql('store/jobs/next-run.sql')

/** Longest time between two looks at the table, in ms: what a lost notification costs. */
const POLL_INTERVAL = 5_000
/** Jobs that one process runs at the same time; lanes bound them further. */
const CONCURRENCY = 4
const UNIQUE_VIOLATION = '23505'

export interface WorkerOptions {
  store: Store
  handlers: Readonly<Record<JobType, JobHandler>>
  logger: Logger
  /** How long a claim holds without renewal, in seconds. */
  leaseSeconds?: number
}

export interface Worker {
  readonly name: string
  /** Takes no more jobs, stops the running ones, and resolves when each has been handed back. */
  stop(): Promise<void>
}

/** Starts taking jobs. */
export async function startWorker({
  store,
  handlers,
  logger,
  leaseSeconds = 30
}: WorkerOptions): Promise<Worker> {
  const name = `${hostname()}-${process.pid}`
  const shutdown = new AbortController()
  const attemptOptions: AttemptOptions = { store, logger, leaseSeconds, shutdown: shutdown.signal }
  const types = Object.keys(handlers)
  const running = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  let lookAgain = false
  let isStopping = false

  // An embedded store belongs to this process alone, so whoever held a lease is dead: its jobs go on now.
  if (store.engine === 'pglite') await store.query(expireLeases)

  function wake() {
    if (isStopping) return
    lookAgain = true
    looking ??= look().finally(() => {
      looking = undefined
      // Whoever asked after the last look and before this moment is not forgotten.
      if (lookAgain) wake()
    })
  }

  async function look() {
    while (lookAgain && !isStopping) {
      lookAgain = false
      try {
        await claimWhilePossible()
        // With all hands full there is nothing to wait for: the end of an attempt wakes the worker.
        if (running.size < CONCURRENCY) await sleepUntilNextRun()
      } catch (error) {
        logger.warn({ err: error }, 'the job table could not be read')
        schedule(POLL_INTERVAL)
      }
    }
  }

  async function claimWhilePossible() {
    while (running.size < CONCURRENCY && !isStopping) {
      const row = await claim(store, { worker: name, types, lease_seconds: leaseSeconds })
      if (row === undefined) return
      if (row === 'retry') continue
      const attempt = runAttempt(row, handlers[row.type], attemptOptions).finally(() => {
        running.delete(attempt)
        wake()
      })
      running.add(attempt)
    }
  }

  async function sleepUntilNextRun() {
    const { due_in_seconds } = await queryOne<{ due_in_seconds: number | null }>(store, nextRun, { types })
    const due = due_in_seconds === null ? POLL_INTERVAL : Math.max(20, due_in_seconds * 1000)
    schedule(Math.min(POLL_INTERVAL, due))
  }

  function schedule(delay: number) {
    clearTimeout(timer)
    if (!isStopping) timer = setTimeout(wake, delay)
  }

  const stopListening = await store.listen('jobs', (payload) => {
    const { status = 'queued' } = readNotification(payload)
    // A finished job frees its lane.
    if (status === 'queued' || finalStatuses.includes(status)) wake()
  })
  wake()

  return {
    name,
    async stop() {
      isStopping = true
      clearTimeout(timer)
      // A claim under way ends first: it would take a job that is handed back.
      await looking
      shutdown.abort()
      await Promise.all([stopListening(), ...running])
    }
  }
}

/** The next job for this worker; undefined when there is none, 'retry' when another worker was faster. */
async function claim(
  store: Store,
  by: { worker: string; types: string[]; lease_seconds: number }
): Promise<JobRow | 'retry' | undefined> {
  try {
    return await store.transaction(async (tx) => {
      const row = await queryMaybe<JobRow>(tx, claimJob, by)
      if (row === undefined) return undefined
      await closeLost(tx, row, by.worker)
      if (await isExhausted(tx, row)) return 'retry'
      await openAttempt(tx, row, by.worker)
      return row
    })
  } catch (error) {
    if ((error as { code?: string }).code === UNIQUE_VIOLATION) return 'retry'
    throw error
  }
}

/** Attempts whose worker never came back are over. */
async function closeLost(tx: Transaction, { id: job_id, attempt }: JobRow, worker: string) {
  const lost = await tx.query<{ attempt: number; worker: string }>(closeLostAttempts, { job_id, attempt })
  for (const before of lost) {
    const message = `Attempt ${before.attempt} was lost: ${before.worker} stopped without a word`
    await tx.query(insertEvent, { job_id, attempt, type: 'lost', message, data: { worker } })
  }
}

async function openAttempt(tx: Transaction, { id: job_id, attempt }: JobRow, worker: string) {
  await tx.query(insertAttempt, { job_id, attempt, worker })
  const message = `Attempt ${attempt} of the job started on ${worker}`
  await tx.query(insertEvent, { job_id, attempt, type: 'started', message, data: { worker } })
}

/** Fails a job that took its workers down as often as it may be tried: it would do so for ever. */
async function isExhausted(tx: Transaction, row: JobRow): Promise<boolean> {
  const { failed } = await queryOne<{ failed: number }>(tx, countFailed, { job_id: row.id })
  if (failed < row.max_attempts) return false
  const detail = `The job was started ${failed} times and never came to an end. Its events tell where it stopped.`
  const error = toProblem(new ServiceError('attempts_exhausted', detail))
  const ids = { job_id: row.id, attempt: row.attempt }
  await tx.query(insertEvent, { ...ids, type: 'failed', message: detail, data: { code: error.code } })
  const end = { status: 'failed', progress: row.progress, steps: row.steps, result: null, error }
  await tx.query(finishJob, { id: row.id, attempt: row.attempt, ...end })
  return true
}
