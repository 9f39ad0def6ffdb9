/** Schedules as callers see them. What they start, and when, is `scheduler.ts`. */
import { v7 as uuid } from 'uuid'
import { ServiceError } from '../errors.ts'
import type { Page, PageQuery } from '../schemas/common.ts'
import type { NextRuns, Schedule, ScheduleSettings } from '../schemas/schedules.ts'
import { readSql } from '../sql.ts'
import { type Queryable, queryMaybe, queryOne, type Store } from '../store/store.ts'
import type { Actor } from './api-keys.ts'
import type { Clock } from './clock.ts'
import { checkCron, localTime, nextTick, type Tick, ticksAfter } from './cron.ts'
import type { Etl } from './etl.ts'
import type { StartedJob, StartOptions } from './job-start.ts'
import type { Jobs } from './jobs.ts'
import { readCursor, toPage } from './pagination.ts'

const insertSchedule = readSql('store/schedules/insert.sql')
const updateSchedule = readSql('store/schedules/update.sql')
const getSchedule = readSql('store/schedules/get.sql')
const lockSchedule = readSql('store/schedules/lock.sql')
const findByName = readSql('store/schedules/find-by-name.sql')
const listSchedules = readSql('store/schedules/list.sql')
const deleteSchedule = readSql('store/schedules/delete.sql')
const pauseSchedule = readSql('store/schedules/pause.sql')
const resumeSchedule = readSql('store/schedules/resume.sql')

/** A row of the table. */
export interface ScheduleRow extends Omit<Schedule, TimeField> {
  paused_at: Date | null
  next_tick_at: Date | null
  next_run_at: Date | null
  last_tick_at: Date | null
  created_at: Date
  updated_at: Date
}
type TimeField = 'paused_at' | 'next_tick_at' | 'next_run_at' | 'last_tick_at' | 'created_at' | 'updated_at'

export interface SchedulesDependencies {
  store: Store
  jobs: Jobs
  etl: Etl
  clock: Clock
  /** Called after every change: the next run may be sooner now. */
  onChange: () => void
}

export type Schedules = ReturnType<typeof createSchedules>

export function createSchedules({ store, jobs, etl, clock, onChange }: SchedulesDependencies) {
  async function get(id: string): Promise<ScheduleRow> {
    return found(id, await queryMaybe<ScheduleRow>(store, getSchedule, { id }))
  }

  /** Changes a schedule that no scheduler looks at meanwhile. `work` gets the times from which on it goes on. */
  async function change(
    id: string,
    work: (tx: Queryable, row: ScheduleRow, from: Date) => Promise<ScheduleRow>
  ) {
    const row = await store.transaction(async (tx) => {
      const row = found(id, await queryMaybe<ScheduleRow>(tx, lockSchedule, { id }))
      // A tick that has been is not named again, though the clock may have been put back.
      const from = new Date(Math.max(clock.now().getTime(), row.last_tick_at?.getTime() ?? 0))
      return work(tx, row, from)
    })
    onChange()
    return toSchedule(row)
  }

  async function refuseTakenName(on: Queryable, name: string, id?: string): Promise<void> {
    const known = await queryMaybe<{ id: string }>(on, findByName, { name })
    if (known === undefined || known.id === id) return
    throw new ServiceError(
      'schedule_exists',
      `${known.id} is called ${JSON.stringify(name)} already. Change that one with PUT, or choose another name.`
    )
  }

  return {
    async get(id: string): Promise<Schedule> {
      return toSchedule(await get(id))
    },

    /** One page of schedules, newest first. */
    async list(query: PageQuery): Promise<Page<Schedule>> {
      const params = { before_id: readCursor(query.cursor), limit: query.limit + 1 }
      const rows = await store.query<ScheduleRow>(listSchedules, params)
      return toPage(rows.map(toSchedule), query.limit, (schedule) => schedule.id)
    },

    /** Throws `invalid_schedule`, `callback_not_allowed`, `schedule_exists`. */
    async create(settings: ScheduleSettings, actor: Actor): Promise<Schedule> {
      const id = `sched_${uuid().replaceAll('-', '')}`
      const now = clock.now()
      checkCron(settings, now)
      etl.checkOptions(settings.job)
      const row = await queryMaybe<ScheduleRow>(store, insertSchedule, {
        ...settings,
        ...(nextTick(settings, now, id) ?? never),
        ...{ id, created_by: actor.key_id }
      })
      if (row === undefined) await refuseTakenName(store, settings.name)
      onChange()
      return toSchedule(row ?? (await queryOne<ScheduleRow>(store, getSchedule, { id })))
    },

    /** Replaces the settings. Throws `schedule_not_found`, and what `create` throws. */
    replace(id: string, settings: ScheduleSettings): Promise<Schedule> {
      return change(id, async (tx, _, from) => {
        checkCron(settings, from)
        etl.checkOptions(settings.job)
        await refuseTakenName(tx, settings.name, id)
        return queryOne<ScheduleRow>(tx, updateSchedule, {
          ...settings,
          ...(nextTick(settings, from, id) ?? never),
          id
        })
      })
    },

    /** Jobs that it has started go on. Throws `schedule_not_found`. */
    async remove(id: string): Promise<void> {
      found(id, await queryMaybe<{ id: string }>(store, deleteSchedule, { id }))
    },

    /** Starts nothing until it is resumed. Throws `schedule_not_found`. */
    pause(id: string): Promise<Schedule> {
      return change(id, (tx) => queryOne<ScheduleRow>(tx, pauseSchedule, { id, now: clock.now() }))
    },

    /** Goes on with the next time that comes; what was missed stays so. Throws `schedule_not_found`. */
    resume(id: string): Promise<Schedule> {
      return change(id, async (tx, row, from) => {
        if (row.paused_at === null) return row
        return queryOne<ScheduleRow>(tx, resumeSchedule, { id, ...(nextTick(row, from, id) ?? never) })
      })
    },

    /** Starts its job now, paused or not, whatever its overlap says. Throws `schedule_not_found` and what starting does. */
    async trigger(id: string, actor: Actor, options: StartOptions): Promise<StartedJob> {
      const { job } = await get(id)
      return etl.start(job, actor, jobs, { ...options, trigger: { kind: 'schedule', schedule_id: id } })
    },

    /** The next times that it names, whether it is paused or not. Throws `schedule_not_found`. */
    async nextRuns(id: string, limit: number): Promise<NextRuns> {
      const row = await get(id)
      const items = ticksAfter(row, clock.now(), limit).map((tick) => ({
        tick_at: tick.toISOString(),
        local_time: localTime(tick, row.time_zone)
      }))
      return { items }
    }
  }
}

/** The next times of a schedule that names none any more. */
export const never: { [Field in keyof Tick]: null } = { next_tick_at: null, next_run_at: null }

function found<Row>(id: string, row: Row | undefined): Row {
  if (row !== undefined) return row
  throw new ServiceError(
    'schedule_not_found',
    `No schedule has the id ${id}. GET /v1/schedules lists the schedules.`
  )
}

function toSchedule(row: ScheduleRow): Schedule {
  const time = (value: Date | null) => value?.toISOString() ?? null
  return {
    ...{ id: row.id, name: row.name, cron: row.cron, time_zone: row.time_zone, job: row.job },
    ...{ overlap: row.overlap, catch_up_seconds: row.catch_up_seconds, jitter_seconds: row.jitter_seconds },
    paused_at: time(row.paused_at),
    next_tick_at: time(row.next_tick_at),
    next_run_at: time(row.next_run_at),
    last_tick_at: time(row.last_tick_at),
    ...{ last_outcome: row.last_outcome, last_job_id: row.last_job_id, created_by: row.created_by },
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString()
  }
}
