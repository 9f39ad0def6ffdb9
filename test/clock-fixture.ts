/** A clock for tests: it stands until it is moved. */
import type { Clock } from '../src/services/clock.ts'

export interface TestClock extends Clock {
  /** Moves the clock and rings every timer that is due by then. */
  moveTo(time: string): void
  /** How many timers are set. */
  timers(): number
}

export function createClock(time: string): TestClock {
  let now = new Date(time)
  const timers = new Set<{ at: Date; callback: () => void }>()
  return {
    now: () => now,
    setTimer(at, callback) {
      const timer = { at, callback }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    timers: () => timers.size,
    moveTo(time) {
      now = new Date(time)
      for (const timer of [...timers]) {
        if (timer.at > now) continue
        timers.delete(timer)
        timer.callback()
      }
    }
  }
}
