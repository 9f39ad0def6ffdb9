/**
 * Takes jobs from the table and runs them. The table is the queue: one statement claims a row, takes a lease
 * on it and raises its fencing token. Notifications wake the worker at once; a slow poll is the safety net.
 */
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceError, toProblem } from '../errors.ts'
import type { JobType } from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import { queryOne, type Store } from '../store/store.ts'
import { type Attempt, type AttemptOptions, startAttempt } from './job-attempt.ts'
import type { JobHandler } from './job-handler.ts'
import type { JobRow } from './job-row.ts'
import type { Logger } from './logger.ts'
import { readNotification } from './watch.ts'

const claimJob = readSql('store/jobs/claim.sql')
const expireLeases = readSql('store/jobs/expire-leases.sql')
const expireWaiting = readSql('store/jobs/expire-waiting.sql')
const nextRun = readSql('store/jobs/next-run.sql')

/** Longest time between two looks at the table, in ms: what a lost notification costs. */
const POLL_INTERVAL = 5_000
/** Jobs that one process runs at the same time; lanes bound them further. */
const CONCURRENCY = 4
/** Until a worker looks again that came while another one was claiming, in ms: about what a claim takes. */
const TURN_PAUSE = 3
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
  const running = new Map<string, Attempt>()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  let lookAgain = false
  let isDue = true
  /** Jobs that were told to end while a claim was under way. */
  const cancelling = new Set<string>()
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
        // What is due by now may be a job that has waited too long.
        if (isDue) await store.query(expireWaiting, { types, error: notStarted })
        isDue = false
        await claimWhilePossible()
        await sleepUntilNextRun()
      } catch (error) {
        logger.warn({ err: error }, 'the job table could not be read')
        schedule(POLL_INTERVAL)
      }
    }
  }

  async function claimWhilePossible() {
    while (running.size < CONCURRENCY && !isStopping) {
      cancelling.clear()
      const row = await claim(store, {
        ...{ worker: name, types, lease_seconds: leaseSeconds },
        // Its lease may have run out while the store was away; nobody but this worker could tell that it still runs.
        running: [...running.keys()]
      })
      if (row === undefined) return
      if (row === 'retry') {
        await sleep(TURN_PAUSE * (0.5 + Math.random()))
        continue
      }
      run(row)
    }
  }

  function run(row: JobRow) {
    const attempt = startAttempt(row, handlers[row.type], attemptOptions)
    running.set(row.id, attempt)
    if (cancelling.has(row.id)) attempt.stop()
    void attempt.ended.then(() => {
      running.delete(row.id)
      wake()
    })
  }

  async function sleepUntilNextRun() {
    // With all hands full there is nothing to wait for: the end of an attempt wakes the worker.
    if (running.size >= CONCURRENCY) return schedule(POLL_INTERVAL)
    const { due_in_seconds } = await queryOne<{ due_in_seconds: number | null }>(store, nextRun, { types })
    const due = due_in_seconds === null ? POLL_INTERVAL : Math.max(20, due_in_seconds * 1000)
    schedule(Math.min(POLL_INTERVAL, due))
  }

  function schedule(delay: number) {
    clearTimeout(timer)
    if (isStopping) return
    timer = setTimeout(() => {
      isDue = true
      wake()
    }, delay)
  }

  const stopListening = await store.listen('jobs', (payload) => {
    const { id, status } = readNotification(payload)
    // A finished job frees its lane, and one that is to end may have to be taken for that.
    if (status !== 'running') wake()
    if (status !== 'cancelling' || id === undefined) return
    cancelling.add(id)
    running.get(id)?.stop()
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
      await Promise.all([stopListening(), ...[...running.values()].map(({ ended }) => ended)])
    }
  }
}

/** The next job for this worker; undefined when there is none, 'retry' when another worker was faster. */
async function claim(store: Store, by: object): Promise<JobRow | 'retry' | undefined> {
  try {
    const { my_turn, ...row } = await queryOne<Partial<JobRow> & { my_turn: boolean }>(store, claimJob, {
      ...by
    })
    if (!my_turn) return 'retry'
    return typeof row.id === 'string' ? (row as JobRow) : undefined
  } catch (error) {
    if ((error as { code?: string }).code === UNIQUE_VIOLATION) return 'retry'
    throw error
  }
}

/** What a job is told that waited longer than it may. */
const notStarted = toProblem(
  new ServiceError(
    'timed_out',
    'The job waited in the queue for longer than its queue_timeout_seconds, or timeout_seconds, allows.'
  )
)
