/** Waiting for AWS: looks again and again, with growing pauses, until a state is reached, fails, or takes too long. */
import { setTimeout as delay } from 'node:timers/promises'
import { ServiceError } from '../errors.ts'

/** Time as a poller sees it; tests bring their own. */
export interface Clock {
  /** Milliseconds that only grow. */
  now(): number
  /** Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** From 0 to 1. */
  random(): number
}

export const systemClock: Clock = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, { signal })
    } catch (error) {
      signal.throwIfAborted()
      throw error
    }
  },
  random: Math.random
}

/** Throttling and outages are waited out this often in a row; the SDK has tried each several times. */
const TRANSIENT_LIMIT = 5
const GROWTH = 1.5

export interface PollOptions<State> {
  clock: Clock
  signal: AbortSignal
  /** Looks once. A transient error is passed over a few times; any other ends the wait. */
  look: () => Promise<State>
  /** True when the wait is over. Throws for a state that will never lead there. */
  isDone: (state: State, waited: number) => boolean | Promise<boolean>
  /** The first and the longest pause, in ms; they grow from one to the other. */
  firstPause: number
  longestPause: number
  /** In ms. */
  timeout: number
  onTimeout: (last: State | undefined) => Error
}

/**
 * Polls until `isDone`; returns the state. Pauses vary by a quarter either way, so that several waiters spread.
 */
export async function poll<State>(options: PollOptions<State>): Promise<State> {
  const { clock, signal, look, isDone, timeout } = options
  const start = clock.now()
  let pause = options.firstPause
  let last: State | undefined
  let failures = 0
  for (;;) {
    signal.throwIfAborted()
    try {
      last = await look()
      failures = 0
      if (await isDone(last, clock.now() - start)) return last
    } catch (error) {
      signal.throwIfAborted()
      failures += 1
      const isTransient = error instanceof ServiceError && error.kind === 'transient'
      if (!isTransient || failures > TRANSIENT_LIMIT) throw error
    }
    if (clock.now() - start >= timeout) throw options.onTimeout(last)
    await clock.sleep(pause * (0.75 + clock.random() / 2), signal)
    pause = Math.min(options.longestPause, pause * GROWTH)
  }
}

export interface RetryOptions {
  clock: Clock
  signal: AbortSignal
  /** True if the error passes by itself. */
  passes: (error: unknown) => boolean
  firstPause: number
  longestPause: number
  timeout: number
  /** What is thrown when it did not pass in time. Default: the error itself. */
  onTimeout?: (error: unknown) => unknown
}

/** Does `work` again while its error is one that passes. */
export async function retry<Result>(work: () => Promise<Result>, options: RetryOptions): Promise<Result> {
  const { clock, signal, passes, timeout, onTimeout = (error) => error } = options
  const start = clock.now()
  let pause = options.firstPause
  for (;;) {
    try {
      return await work()
    } catch (error) {
      signal.throwIfAborted()
      if (!passes(error)) throw error
      if (clock.now() - start >= timeout) throw onTimeout(error)
    }
    await clock.sleep(pause * (0.75 + clock.random() / 2), signal)
    pause = Math.min(options.longestPause, pause * GROWTH)
  }
}
