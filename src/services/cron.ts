/**
 * Cron expressions in a time zone. Where clocks are put forward, a time that does not exist is run as soon as the
 * clock has passed it, if the expression names that one time; where they are put back, it runs the first time only.
 * Expressions that repeat (`*`, lists, steps) follow the clock: what is skipped is skipped, what comes twice runs twice.
 */
import { createHash } from 'node:crypto'
import { Cron } from 'croner'
import { ServiceError } from '../errors.ts'

export interface CronTime {
  cron: string
  time_zone: string
}

/** A time that a schedule names, and when it is really run. */
export interface Tick {
  next_tick_at: Date
  next_run_at: Date
}

/** Throws `invalid_schedule` when the expression or the zone is none, or names no time at all. */
export function checkCron({ cron, time_zone }: CronTime, now: Date): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: time_zone })
  } catch {
    throw invalid('/time_zone', 'time_zone', 'is no IANA time zone such as Europe/Berlin or UTC')
  }
  let next: Date | null
  try {
    next = parse({ cron, time_zone }).nextRun(now)
  } catch (error) {
    const reason = (error as Error).message.replace(/^CronPattern: /, '').replace(/\.$/, '')
    throw invalid('/cron', 'cron', `is no cron expression of five fields: ${reason}`)
  }
  if (next === null) throw invalid('/cron', 'cron', 'names a time that never comes')
}

/** The times that the expression names after `from`, at most `count` of them. */
export function ticksAfter(time: CronTime, from: Date, count: number): Date[] {
  return parse(time).nextRuns(count, from)
}

/**
 * The next tick after `from` with its jitter, or undefined when there is none. The jitter follows from the seed and
 * the tick, so every replica knows the same, and never reaches the tick after it.
 */
export function nextTick(
  time: CronTime & { jitter_seconds: number },
  from: Date,
  seed: string
): Tick | undefined {
  const [tick, following] = ticksAfter(time, from, 2)
  if (tick === undefined) return undefined
  const gap = following === undefined ? Infinity : following.getTime() - tick.getTime() - 1000
  const most = Math.min(time.jitter_seconds * 1000, Math.max(0, gap))
  return {
    next_tick_at: tick,
    next_run_at: new Date(tick.getTime() + Math.floor(most * fraction(seed, tick)))
  }
}

/** A time as the clocks of the zone show it, with their offset. */
export function localTime(at: Date, timeZone: string): string {
  const clock = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  const zone = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
  const offset =
    zone
      .formatToParts(at)
      .find(({ type }) => type === 'timeZoneName')
      ?.value.slice(3) || '+00:00'
  return `${clock.format(at).replace(' ', 'T')}${offset}`
}

const parse = ({ cron, time_zone }: CronTime) =>
  new Cron(cron, { timezone: time_zone, mode: '5-part', paused: true })

/** From 0 to 1, always the same for the same seed and tick. */
const fraction = (seed: string, tick: Date): number =>
  createHash('sha256').update(`${seed} ${tick.toISOString()}`).digest().readUInt32BE() / 2 ** 32

const invalid = (pointer: string, code: string, message: string) =>
  new ServiceError('invalid_schedule', `${pointer} ${message}.`, { errors: [{ pointer, code, message }] })
