/**
 * Starts what schedules ask for. Every replica runs one: a tick is decided in one transaction that holds the
 * schedule's row, starts the job and names the next tick, so it starts one job or none, whoever gets there.
 */
import { readSql } from '../sql.ts'
import { type Queryable, queryMaybe, queryOne, type Store } from '../store/store.ts'
import type { Clock } from './clock.ts'
import { nextTick } from './cron.ts'
import { splitRequest } from './etl.ts'
import type { Jobs } from './jobs.ts'
import type { Logger } from './logger.ts'
import { never, type ScheduleRow } from './schedules.ts'

const lockDue = readSql('store/schedules/lock-due.sql')
const recordTick = readSql('store/schedules/record-tick.sql')
const nextDue = readSql('store/schedules/next-due.sql')
const cancelJob = readSql('store/jobs/cancel.sql')
const activeJobs = readSql('store/schedules/active-jobs.sql')

/** Longest time between two looks at the table, in ms: what a schedule costs that another replica has changed. */
const LONGEST_SLEEP = 15_000
/** Pause before a schedule is looked at again that another replica is running, in ms. */
const LOCKED_PAUSE = 1000

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
    let pause = LONGEST_SLEEP
    try {
      const { at, failed } = await runDue(log)
      const { due } = await queryOne<{ due: Date | null }>(store, nextDue, { except: failed })
      // One that was due at the last look and was not run is with another replica.
      if (due !== null) pause = due <= at ? LOCKED_PAUSE : due.getTime() - clock.now().getTime()
    } catch (error) {
      log.warn({ err: error }, 'the schedules could not be read')
    }
    if (logger === undefined) return
    if (pause <= 0) lookAgain = true
    else stopTimer = clock.setTimer(new Date(clock.now().getTime() + Math.min(pause, LONGEST_SLEEP)), wake)
  }

  /** Runs what is due. Those that failed wait for a later look, and keep no others from running. */
  async function runDue(log: Logger) {
    const failed: string[] = []
    for (;;) {
      const at = clock.now()
      let current: ScheduleRow | undefined
      try {
        await store.transaction(async (tx) => {
          current = await queryMaybe<ScheduleRow>(tx, lockDue, { now: at, except: failed })
          if (current !== undefined) await runTick(tx, current)
        })
      } catch (error) {
        if (current === undefined) throw error
        log.error({ err: error, schedule_id: current.id }, 'a schedule could not be run')
        failed.push(current.id)
      }
      if (current === undefined || logger === undefined) return { at, failed }
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
    if (row.overlap === 'cancel') {
      const message = `The schedule ${row.id} cancels it: its next run is due`
      for (const { id } of active) await tx.query(cancelJob, { id, message })
    }
    const { type, params, chosen } = splitRequest(row.job)
    const trigger = { kind: 'schedule', schedule_id: row.id, tick: tick.toISOString() }
    const job = await jobs.add(tx, type, params, { key_id: row.created_by }, { ...chosen, trigger })
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
