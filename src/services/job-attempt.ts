/**
 * One attempt at a job: keeps its lease, records its steps, and writes how it ended. Every write carries the
 * attempt's number, so an attempt that lost its lease can change nothing any more.
 */
import { ServiceError, toProblem } from '../errors.ts'
import type { Progress, Step } from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import { queryOne, type Store } from '../store/store.ts'
import type { JobRow } from './jobs.ts'
import type { Logger } from './logger.ts'

const renewLease = readSql('store/jobs/renew-lease.sql')
const writeProgress = readSql('store/jobs/progress.sql')
const finishJob = readSql('store/jobs/finish.sql')
const requeueJob = readSql('store/jobs/requeue.sql')
const finishAttempt = readSql('store/jobs/finish-attempt.sql')
const countFailed = readSql('store/jobs/count-failed-attempts.sql')
const insertEvent = readSql('store/job-events/insert.sql')

/** Shortest time between two writes of a job's progress, in ms. */
const PROGRESS_INTERVAL = 200
/** The first pause before a transient failure is tried again, in seconds; it doubles up to the longest. */
const FIRST_RETRY_DELAY = 1
const LONGEST_RETRY_DELAY = 60

/** What a job's code gets to work with. */
export interface JobContext {
  readonly id: string
  readonly attempt: number
  readonly params: Record<string, unknown>
  /** Aborts when the job must stop: the service shuts down, or the lease is lost. */
  readonly signal: AbortSignal
  /** Ends the step before and begins the next one. */
  step(name: string): Promise<void>
  /** Where the current step stands; `fraction` is from 0 to 1. Cheap: call it as often as you like. */
  progress(update: { rows?: number; bytes?: number; fraction?: number }): void
  /** Appends to the job's story. */
  event(type: string, message: string, data?: object): Promise<void>
}

export interface JobHandler {
  /** Step names with their rough share of the time, which makes the percentage an honest one. */
  readonly steps: Readonly<Record<string, number>>
  /** Does the work and returns the job's result. It must be safe to run again after any interruption. */
  run(context: JobContext): Promise<object>
}

/** Why an attempt stops before its work is done. */
export class AttemptStopped extends Error {
  readonly reason: 'shutdown' | 'lease_lost'

  constructor(reason: 'shutdown' | 'lease_lost') {
    super(`the attempt was stopped: ${reason}`)
    this.reason = reason
  }
}

export interface AttemptOptions {
  store: Store
  logger: Logger
  /** How long a lease holds, in seconds; it is renewed three times within it. */
  leaseSeconds: number
  /** Aborts when the service shuts down. */
  shutdown: AbortSignal
}

/** Runs a claimed job to its end, its next try, or its hand-back. Never rejects. */
export async function runAttempt(row: JobRow, handler: JobHandler, options: AttemptOptions): Promise<void> {
  const { store, logger } = options
  const stop = new AbortController()
  const onShutdown = () => stop.abort(new AttemptStopped('shutdown'))
  options.shutdown.addEventListener('abort', onShutdown)
  if (options.shutdown.aborted) onShutdown()
  const lease = keepLease(row, options, () => stop.abort(new AttemptStopped('lease_lost')))
  const tracker = createTracker(row, handler, store, stop)
  try {
    const result = await handler.run(tracker.context)
    await tracker.end('succeeded')
    await settle(row, tracker, { status: 'succeeded', result }, options)
  } catch (error) {
    await tracker.end('failed')
    const stopped = [error, stop.signal.reason].find((each) => each instanceof AttemptStopped)
    await settle(row, tracker, { error, stopped }, options).catch((failure) => {
      const about = { job_id: row.id, attempt: row.attempt }
      if (failure instanceof AttemptStopped) {
        logger.warn(about, 'the lease was lost: this attempt changes nothing any more')
      } else {
        // The lease runs out by itself and the job is claimed again.
        logger.error({ err: failure, ...about }, 'the end of an attempt could not be recorded')
      }
    })
  } finally {
    lease.end()
    options.shutdown.removeEventListener('abort', onShutdown)
  }
}

type Ending =
  | { status: 'succeeded'; result: object }
  | { error: unknown; stopped: AttemptStopped | undefined }

async function settle(row: JobRow, tracker: Tracker, ending: Ending, options: AttemptOptions): Promise<void> {
  const { logger } = options
  if ('result' in ending) {
    await finish(row, tracker, { status: 'succeeded', result: ending.result, error: null }, options)
    return
  }
  if (ending.stopped?.reason === 'lease_lost') throw ending.stopped
  if (ending.stopped?.reason === 'shutdown') {
    const message = 'The service stops; the job goes back to the queue'
    await requeue(row, { outcome: 'handed_back', message, delay: 0, error: null }, options)
    return
  }
  const problem = toProblem(ending.error)
  if (problem.code === 'internal') logger.error({ err: ending.error, job_id: row.id }, 'a job failed')
  const isTransient = ending.error instanceof ServiceError && ending.error.kind === 'transient'
  const failed = await queryOne<{ failed: number }>(options.store, countFailed, { job_id: row.id })
  if (isTransient && failed.failed + 1 < row.max_attempts) {
    const longest = Math.min(LONGEST_RETRY_DELAY, FIRST_RETRY_DELAY * 2 ** failed.failed)
    // Jitter keeps jobs that failed together from coming back together.
    const delay = longest * (0.5 + Math.random() / 2)
    const message = `${problem.detail} Next try in ${delay.toFixed(1)} s`
    await requeue(row, { outcome: 'failed', message, delay, error: problem }, options)
    return
  }
  await finish(row, tracker, { status: 'failed', result: null, error: problem }, options)
}

interface Final {
  status: 'succeeded' | 'failed'
  result: object | null
  error: ReturnType<typeof toProblem> | null
}

async function finish(row: JobRow, tracker: Tracker, final: Final, { store }: AttemptOptions): Promise<void> {
  const { status, error } = final
  await store.transaction(async (tx) => {
    const message = error === null ? 'The job succeeded' : error.detail
    // Before the job's end, so that whoever is told of the end finds the whole story.
    await tx.query(insertEvent, {
      ...{ job_id: row.id, attempt: row.attempt, type: status, message },
      data: error === null ? null : { code: error.code }
    })
    await tx.query(finishAttempt, { job_id: row.id, attempt: row.attempt, outcome: status, error })
    const ended = await tx.query(finishJob, {
      ...{ id: row.id, attempt: row.attempt, ...final },
      ...{ progress: tracker.progress(), steps: tracker.steps }
    })
    if (ended.length === 0) throw new AttemptStopped('lease_lost')
  })
}

interface Requeue {
  outcome: 'failed' | 'handed_back'
  message: string
  /** Seconds until the job may be claimed again. */
  delay: number
  error: ReturnType<typeof toProblem> | null
}

async function requeue(row: JobRow, requeued: Requeue, { store }: AttemptOptions): Promise<void> {
  const { outcome, message, delay, error } = requeued
  await store.transaction(async (tx) => {
    const type = outcome === 'failed' ? 'retrying' : 'handed_back'
    await tx.query(insertEvent, { job_id: row.id, attempt: row.attempt, type, message, data: null })
    await tx.query(finishAttempt, { job_id: row.id, attempt: row.attempt, outcome, error })
    const ended = await tx.query(requeueJob, {
      id: row.id,
      attempt: row.attempt,
      delay_seconds: delay,
      error
    })
    if (ended.length === 0) throw new AttemptStopped('lease_lost')
  })
}

/** Renews the lease until `end`; calls `onLost` when another worker has the job or the store stayed away. */
function keepLease(row: JobRow, { store, leaseSeconds, logger }: AttemptOptions, onLost: () => void) {
  let renewedAt = performance.now()
  const timer = setInterval(
    async () => {
      try {
        const held = await store.query(renewLease, {
          id: row.id,
          attempt: row.attempt,
          lease_seconds: leaseSeconds
        })
        if (held.length === 0) return onLost()
        renewedAt = performance.now()
      } catch (error) {
        logger.warn({ err: error, job_id: row.id }, 'a lease could not be renewed')
        if (performance.now() - renewedAt > leaseSeconds * 1000) onLost()
      }
    },
    (leaseSeconds * 1000) / 3
  )
  return { end: () => clearInterval(timer) }
}

type Tracker = ReturnType<typeof createTracker>

/** Records steps and progress, writing to the store no more often than `PROGRESS_INTERVAL`. */
function createTracker(row: JobRow, handler: JobHandler, store: Store, stop: AbortController) {
  const names = Object.keys(handler.steps)
  const shares = Object.values(handler.steps)
  const total = shares.reduce((sum, share) => sum + share, 0)
  const steps: Step[] = []
  let fraction = 0
  let isDone = false
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  function progress(): Progress | null {
    const step = steps.at(-1)
    if (step === undefined) return null
    const index = names.indexOf(step.name)
    const before = shares.slice(0, index).reduce((sum, share) => sum + share, 0)
    const done = step.status === 'succeeded' ? 1 : Math.min(1, Math.max(0, fraction))
    // A job may have nothing to do in its last steps.
    const percent = isDone ? 100 : Math.floor(((before + (shares[index] ?? 0) * done) / total) * 100)
    return {
      ...{ step: step.name, step_index: index + 1, step_count: names.length },
      ...{ rows: step.rows, bytes: step.bytes, percent }
    }
  }

  function write(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    // One after another; one that failed does not keep the next from making it good.
    writing = writing
      .catch(() => {})
      .then(async () => {
        const params = { id: row.id, attempt: row.attempt, progress: progress(), steps }
        const held = await store.query(writeProgress, params)
        if (held.length === 0) stop.abort(new AttemptStopped('lease_lost'))
      })
    return writing
  }

  function endStep(status: 'succeeded' | 'failed') {
    const step = steps.at(-1)
    if (step?.status !== 'running') return
    step.status = status
    step.finished_at = new Date().toISOString()
  }

  const event: JobContext['event'] = async (type, message, data) => {
    const params = { job_id: row.id, attempt: row.attempt, type, message, data: data ?? null }
    await store.query(insertEvent, params)
  }

  const context: JobContext = {
    id: row.id,
    attempt: row.attempt,
    params: row.params,
    signal: stop.signal,
    event,
    async step(name) {
      stop.signal.throwIfAborted()
      if (!names.includes(name)) throw new Error(`${row.type} declares no step ${name}`)
      endStep('succeeded')
      fraction = 0
      steps.push({
        ...{ name, status: 'running' as const, rows: 0, bytes: 0 },
        ...{ started_at: new Date().toISOString(), finished_at: null }
      })
      await event('step', `${name} (${names.indexOf(name) + 1} of ${names.length})`)
      await write()
    },
    progress(update) {
      const step = steps.at(-1)
      if (step === undefined) return
      step.rows = update.rows ?? step.rows
      step.bytes = update.bytes ?? step.bytes
      fraction = update.fraction ?? fraction
      // When the store stays away, the lease decides whether the attempt goes on.
      timer ??= setTimeout(() => void write().catch(() => {}), PROGRESS_INTERVAL)
    }
  }

  return {
    context,
    steps,
    progress,
    async end(status: 'succeeded' | 'failed') {
      clearTimeout(timer)
      endStep(status)
      isDone = status === 'succeeded'
      await writing.catch(() => {})
    }
  }
}
