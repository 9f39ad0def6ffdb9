/** The time, for whatever happens by the clock: tests bring a clock of their own. */
export interface Clock {
  now(): Date
  /** Calls back at `at` or soon after; the returned function calls it off. */
  setTimer(at: Date, callback: () => void): () => void
}

/** Longest delay that a timer of Node takes, in ms. */
const LONGEST_DELAY = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => new Date(),
  setTimer(at, callback) {
    const delay = Math.min(LONGEST_DELAY, Math.max(0, at.getTime() - Date.now()))
    const timer = setTimeout(callback, delay)
    return () => clearTimeout(timer)
  }
}
