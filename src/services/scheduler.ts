/**
 * Starts what schedules ask for. Every replica runs one: a tick is decided in one transaction that holds the
 * schedule's row, starts the job and names the next tick, so it starts one job or none, whoever gets there.
 */
import { readSql } from '../sql.ts'
import { type Queryable, queryMaybe, queryOne, type Store } from '../store/store.ts'
import type { Clock } from './clock.ts'
import { nextTick } from './cron.ts'
import type { Jobs } from './jobs.ts'
import type { Logger } from './logger.ts'
import { never, type ScheduleRow } from './schedules.ts'

const lockDue = readSql('store/schedules/lock-due.sql')
const recordTick = readSql('store/schedules/record-tick.sql')
const nextDue = readSql('store/schedules/next-due.sql')
const activeJobs = readSql('store/schedules/active-jobs.sql')

/** Longest time between two looks at the table, in ms: what a schedule costs that another replica has changed. */
const LONGEST_SLEEP = 15_000

export interface SchedulerOptions {
  store: Store
  jobs: Jobs
  clock: Clock
}

export type Scheduler = ReturnType<typeof createScheduler>

export function createScheduler({ store, jobs, clock }: SchedulerOptions) {
  let looking: Promise<void> | undefined
  let lookAgain = false
  let stopTimer = () => {}
  /** Undefined before the start and after the stop. */
  let logger: Logger | undefined

  function wake() {
    if (logger === undefined) return
    lookAgain = true
    looking ??= look(logger).finally(() => {
      looking = undefined
      if (lookAgain) wake()
    })
  }

  async function look(log: Logger) {
    lookAgain = false
    stopTimer()
    let due = Infinity
    try {
      await runDue(log)
      const next = await queryOne<{ due: Date | null }>(store, nextDue)
      due = next.due?.getTime() ?? Infinity
    } catch (error) {
      log.warn({ err: error }, 'the schedules could not be read')
    }
    const now = clock.now().getTime()
    // One that is due and was not run is locked by another replica, or has failed: it is looked at again later.
    const at = due > now ? Math.min(due, now + LONGEST_SLEEP) : now + LONGEST_SLEEP
    if (logger !== undefined) stopTimer = clock.setTimer(new Date(at), wake)
  }

  async function runDue(log: Logger) {
    const failed: string[] = []
    while (logger !== undefined) {
      let current: ScheduleRow | undefined
      try {
        const ran = await store.transaction(async (tx) => {
          current = await queryMaybe<ScheduleRow>(tx, lockDue, { now: clock.now(), except: failed })
          if (current !== undefined) await runTick(tx, current)
          return current !== undefined
        })
        if (!ran) return
      } catch (error) {
        if (current === undefined) throw error
        // It does not keep the others from running.
        log.error({ err: error, schedule_id: current.id }, 'a schedule could not be run')
        failed.push(current.id)
      }
    }
  }

  async function runTick(tx: Queryable, row: ScheduleRow) {
    const { id, next_tick_at: tick, next_run_at: due } = row
    if (tick === null || due === null) throw new Error(`${id} is due without a tick`)
    const now = clock.now().getTime()
    const oldest = now - row.catch_up_seconds * 1000
    const isMissed = due.getTime() < oldest
    const decided = isMissed ? { outcome: 'missed', job_id: null } : await decide(tx, row, tick)
    // Of many that were missed, only those are looked at that may still be made up for.
    const from = isMissed ? new Date(Math.max(tick.getTime(), oldest - 1000)) : tick
    await tx.query(recordTick, { id, tick, ...decided, ...(nextTick(row, from, id) ?? never) })
  }

  async function decide(tx: Queryable, row: ScheduleRow, tick: Date) {
    const active = await tx.query<{ id: string }>(activeJobs, { schedule_id: row.id })
    if (active.length > 0 && row.overlap === 'skip') return { outcome: 'skipped', job_id: null }
    const { type, ...params } = row.job
    const trigger = { kind: 'schedule', schedule_id: row.id, tick: tick.toISOString() }
    const job = await jobs.add(tx, type, params, { key_id: row.created_by }, { trigger })
    return { outcome: 'started', job_id: job.id }
  }

  return {
    /** Looks at the schedules again: one of them has changed. */
    wake,

    start(log: Logger) {
      logger = log
      wake()
    },

    /** Starts no more jobs, and resolves when none is being started. */
    async stop() {
      logger = undefined
      stopTimer()
      await looking
      stopTimer()
    }
  }
}
