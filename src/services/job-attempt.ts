/**
 * One attempt at a job: keeps its lease, records its steps, stops it when it must stop, and writes how it ended.
 * Every write carries the attempt's number, so an attempt that lost its lease can change nothing any more.
 */
import { ServiceError, toProblem } from '../errors.ts'
import { readSql } from '../sql.ts'
import * as end from './job-end.ts'
import { AttemptStopped } from './job-end.ts'
import type { JobHandler } from './job-handler.ts'
import { keepLease, type LeaseOptions } from './job-lease.ts'
import type { JobRow } from './job-row.ts'
import { createTracker, type Tracker } from './job-tracker.ts'

const timeOut = readSql('store/jobs/time-out.sql')

/** How long an ended attempt may look for what it has published, in ms. */
const LOOK_LIMIT = 60_000

export interface AttemptOptions extends LeaseOptions {
  /** Aborts when the service shuts down. */
  shutdown: AbortSignal
}

export interface Attempt {
  /** Resolves when the end is recorded, or cannot be. Never rejects. */
  readonly ended: Promise<void>
  /** The job is to end: see what for, and stop. */
  stop(): void
}

/** Runs a claimed job to its end, its next try, or its hand-back. */
export function startAttempt(row: JobRow, handler: JobHandler, options: AttemptOptions): Attempt {
  const { store, logger } = options
  const stopping = new AbortController()
  const stopFor = (reason: end.StopReason) => stopping.abort(new AttemptStopped(reason))
  const onShutdown = () => stopFor('shutdown')
  options.shutdown.addEventListener('abort', onShutdown)
  const endLease = keepLease(
    row,
    { onLost: () => stopFor('lease_lost'), onCancelling: () => stopFor('cancelled') },
    options
  )
  const clocks = createClocks(row, expire)
  const tracker = createTracker(row, handler, {
    store,
    signal: stopping.signal,
    onStep: clocks.startStep,
    onLost: () => stopFor('lease_lost')
  })
  let late: ServiceError | undefined

  /** Tells the table too that the job is to end, so that it ends even if this process does. */
  async function expire(error: ServiceError) {
    if (stopping.signal.aborted) return
    late = error
    stopFor('cancelled')
    await store
      .query(timeOut, { id: row.id, attempt: row.attempt, error: toProblem(error) })
      .catch((failure) => logger.warn({ err: failure, job_id: row.id }, 'a timeout could not be recorded'))
  }

  async function run() {
    try {
      if (row.status === 'cancelling' || isExhausted(row)) return await settleStopped(await published())
      if (options.shutdown.aborted) throw new AttemptStopped('shutdown')
      const result = await handler.run(tracker.context)
      await tracker.end('succeeded')
      await end.finish(store, row, { ...end.succeeded(result), ...told(tracker) })
    } catch (error) {
      await tracker.end('failed')
      await settle(error)
    }
  }

  async function settle(error: unknown): Promise<void> {
    const stopped = [error, stopping.signal.reason].find((each) => each instanceof AttemptStopped)
    if (stopped?.reason === 'lease_lost') throw stopped
    if (stopped?.reason === 'shutdown') return handBack()
    if (stopped !== undefined) return settleStopped(await published())
    return settleFailed(error)
  }

  const handBack = () =>
    end.requeue(store, row, {
      ...{ outcome: 'handed_back', delay: 0, error: null },
      message: 'The service stops; the job goes back to the queue'
    })

  async function settleFailed(error: unknown) {
    const problem = toProblem(error)
    if (problem.code === 'internal') logger.error({ err: error, job_id: row.id }, 'a job failed')
    const delay = end.retryDelay(row.failures)
    const isTransient = error instanceof ServiceError && error.kind === 'transient'
    if (isTransient && row.failures + 1 < row.max_attempts && delay < clocks.secondsLeft()) {
      const message = `${problem.detail} Next try in ${delay.toFixed(1)} s`
      return end.requeue(store, row, { outcome: 'failed', message, delay, error: problem })
    }
    // A connection that is lost while it commits does not tell whether it has.
    const found = isTransient ? await published() : {}
    const final = 'result' in found && found.result ? end.succeeded(found.result) : end.failed(error)
    return end.finish(store, row, { ...final, ...told(tracker) })
  }

  type Published = { result: object | undefined } | { away: unknown } | { error: unknown }

  /** What this attempt, or one before it, has published. */
  async function published(): Promise<Published> {
    try {
      const signal = AbortSignal.any([options.shutdown, AbortSignal.timeout(LOOK_LIMIT)])
      return { result: await handler.published?.(row.id, signal) }
    } catch (error) {
      const kind = error instanceof ServiceError ? error.kind : undefined
      // Where there is no cluster, or are no tables, there is nothing published either.
      if (kind === 'configuration') return { result: undefined }
      const isAway = kind === 'transient' || options.shutdown.aborted || isTimeout(error)
      return isAway ? { away: error } : { error }
    }
  }

  async function settleStopped(published: Published) {
    if ('away' in published) {
      const message = 'What became of the job cannot be found out yet; it stays in the queue for that'
      const error = late === undefined ? row.error : toProblem(late)
      const delay = options.shutdown.aborted ? 0 : end.retryDelay(row.attempt)
      return end.requeue(store, row, { outcome: 'handed_back', message, delay, error })
    }
    if ('error' in published) return settleFailed(published.error)
    const { result } = published
    const final = result !== undefined ? end.succeeded(result) : unpublished()
    return end.finish(store, row, { ...final, ...told(tracker) })
  }

  /** A job that is to end, that may be tried again and that nobody has cancelled, is late. */
  function unpublished() {
    if (isExhausted(row)) return end.failed(jobExhausted(row))
    if (late !== undefined) return end.failed(late)
    if (row.cancel_requested_at !== null || row.status !== 'cancelling') return end.cancelled
    const isTold = row.error?.code === 'timed_out'
    return isTold
      ? { ...end.cancelled, status: 'failed' as const, error: row.error }
      : end.failed(jobTimedOut(row))
  }

  const ended = run()
    .catch((failure) => {
      const about = { job_id: row.id, attempt: row.attempt }
      if (failure instanceof AttemptStopped) {
        logger.warn(about, 'the lease was lost: this attempt changes nothing any more')
      } else {
        // The lease runs out by itself and the job is claimed again.
        logger.error({ err: failure, ...about }, 'the end of an attempt could not be recorded')
      }
    })
    .finally(() => {
      endLease()
      clocks.stop()
      options.shutdown.removeEventListener('abort', onShutdown)
    })
  return { ended, stop: () => stopFor('cancelled') }
}

const told = (tracker: Tracker) => ({ progress: tracker.progress(), steps: tracker.steps })

const isTimeout = (error: unknown) => (error as { name?: unknown } | undefined)?.name === 'TimeoutError'

/** True for a job that took its workers down as often as it may be tried: it would do so for ever. */
const isExhausted = ({ status, failures, max_attempts }: JobRow) =>
  status === 'running' && failures >= max_attempts

const jobExhausted = ({ failures }: JobRow) =>
  new ServiceError(
    'attempts_exhausted',
    `The job was started ${failures} times and never came to an end. Its events tell where it stopped.`
  )

const jobTimedOut = ({ timeout_seconds }: JobRow) =>
  new ServiceError(
    'timed_out',
    `The job had not ended ${timeout_seconds} s after its start, which is its timeout_seconds.`
  )

/** Watches the time of the job and of its current step. */
function createClocks(row: JobRow, onLate: (error: ServiceError) => void) {
  // By the clock of the store, which set the deadline a moment ago.
  const left =
    row.deadline === null
      ? Number.POSITIVE_INFINITY
      : Math.max(0, row.deadline.getTime() - row.updated_at.getTime())
  const endsAt = performance.now() + left
  let stepTimer: NodeJS.Timeout | undefined
  const jobTimer =
    left === Number.POSITIVE_INFINITY ? undefined : setTimeout(() => onLate(jobTimedOut(row)), left)
  return {
    secondsLeft: () => (endsAt - performance.now()) / 1000,
    startStep(name: string) {
      clearTimeout(stepTimer)
      const seconds = row.step_timeouts[name]
      if (seconds === undefined) return
      const detail = `The step ${name} took longer than ${seconds} s, which is its time in step_timeouts.`
      stepTimer = setTimeout(() => onLate(new ServiceError('timed_out', detail)), seconds * 1000)
    },
    stop() {
      clearTimeout(stepTimer)
      clearTimeout(jobTimer)
    }
  }
}
