/** What schedules start: once for each tick whoever looks, by their overlap, and after a downtime. */
import t, { type Test } from 'tap'
import type { ScheduleSettings } from '../../src/schemas/schedules.ts'
import type { Etl } from '../../src/services/etl.ts'
import { createJobs } from '../../src/services/jobs.ts'
import { createScheduler } from '../../src/services/scheduler.ts'
import { createSchedules, type Schedules } from '../../src/services/schedules.ts'
import { parseSql } from '../../src/sql.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import type { Store } from '../../src/store/store.ts'
import { createClock, type TestClock } from '../clock-fixture.ts'
import { actor, clear, createLog, until } from '../jobs-fixture.ts'
import { createStoreDatabase } from '../postgres.ts'

const sql = (source: string) => parseSql('test', source)
const etl = { checkOptions: () => {} } as unknown as Etl

const url = await createStoreDatabase(t)
const stores = await Promise.all([openPostgres(url), openPostgres(url), openPostgres(url)])
const [store] = stores as [Store, Store, Store]
t.teardown(() => Promise.all(stores.map((each) => each.close())))
t.beforeEach(async () => {
  await clear(store)
  await store.query(sql('delete from schedules'))
})

/** One replica's schedules with their scheduler, started. */
async function replica(t: Test, store: Store, clock: TestClock) {
  const jobs = await createJobs(store)
  const scheduler = createScheduler({ store, jobs, clock })
  const schedules = createSchedules({ store, jobs, etl, clock, onChange: scheduler.wake })
  const log = createLog()
  scheduler.start(log)
  t.teardown(async () => {
    await scheduler.stop()
    await jobs.close()
  })
  return { schedules, scheduler, log }
}

const settings = (more: Partial<ScheduleSettings> = {}): ScheduleSettings => ({
  ...{ name: 'test', cron: '* * * * *', time_zone: 'UTC', overlap: 'queue' },
  ...{
    catch_up_seconds: 3600,
    jitter_seconds: 0,
    job: { type: 'etl', mode: 'full', max_rejects: 1, priority: 'high', timeout_seconds: 60 }
  },
  ...more
})

interface Started {
  tick: string
  status: string
}
const started = () =>
  store.query<Started>(
    sql(
      "select trigger ->> 'tick' as tick, status from jobs where trigger ->> 'tick' is not null order by tick, id"
    )
  )
const ticks = async () => (await started()).map(({ tick }) => tick.slice(11, 16))
const endAll = () => store.query(sql("update jobs set status = 'succeeded', finished_at = now()"))

/** Moves the clock and waits until the schedule has gone beyond it. */
async function pass(schedules: Schedules, id: string, clock: TestClock, time: string) {
  clock.moveTo(time)
  await until(async () => ((await schedules.get(id)).next_tick_at ?? '9') > new Date(time).toISOString())
}

t.test('three replicas start one job for each tick', async (t) => {
  const clock = createClock('2026-01-01T00:00:30Z')
  const replicas = await Promise.all(stores.map((each) => replica(t, each, clock)))
  const [{ schedules }] = replicas as [Awaited<ReturnType<typeof replica>>]
  const made = await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) => schedules.create(settings({ name }), actor))
  )
  for (let minute = 1; minute <= 10; minute += 1) {
    const time = `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z`
    // All of them look at the same moment, and again.
    for (const each of replicas) each.scheduler.wake()
    clock.moveTo(time)
    for (const each of replicas) each.scheduler.wake()
    for (const { id } of made) await pass(schedules, id, clock, time)
  }
  const jobs = await store.query(
    sql(`select trigger ->> 'schedule_id' as id, count(*) as jobs, count(distinct trigger ->> 'tick') as ticks
      from jobs group by 1 order by 1`)
  )
  t.same(
    jobs,
    made.map(({ id }) => ({ id, jobs: 10, ticks: 10 }))
  )
  for (const { log } of replicas) t.same(log.lines, [])
})

t.test('a job of a schedule tells where it comes from', async (t) => {
  const clock = createClock('2026-01-01T00:00:30Z')
  const { schedules } = await replica(t, store, clock)
  const { id } = await schedules.create(settings(), actor)
  t.same(await started(), [], 'not before its time')
  await pass(schedules, id, clock, '2026-01-01T00:01:00Z')
  const [row] = await store.query(
    sql('select type, params, priority, timeout_seconds, created_by, trigger, status from jobs')
  )
  t.same(row, {
    ...{ type: 'etl', params: { mode: 'full', max_rejects: 1 }, status: 'queued', created_by: 'key_test' },
    ...{ priority: 1, timeout_seconds: 60 },
    ...{ trigger: { kind: 'schedule', schedule_id: id, tick: '2026-01-01T00:01:00.000Z' } }
  })
  const [{ job_id } = { job_id: '' }] = await store.query<{ job_id: string }>(
    sql('select id as job_id from jobs')
  )
  t.match(await schedules.get(id), {
    ...{ last_tick_at: '2026-01-01T00:01:00.000Z', last_outcome: 'started', last_job_id: job_id },
    next_tick_at: '2026-01-01T00:02:00.000Z'
  })
})

t.test('while its job before has not ended: skip and queue', async (t) => {
  const clock = createClock('2026-01-01T00:00:30Z')
  const { schedules } = await replica(t, store, clock)
  const skip = await schedules.create(settings({ overlap: 'skip' }), actor)
  await pass(schedules, skip.id, clock, '2026-01-01T00:01:00Z')
  await pass(schedules, skip.id, clock, '2026-01-01T00:02:00Z')
  t.same(await ticks(), ['00:01'])
  t.match(await schedules.get(skip.id), { last_tick_at: '2026-01-01T00:02:00.000Z', last_outcome: 'skipped' })
  await endAll()
  await pass(schedules, skip.id, clock, '2026-01-01T00:03:00Z')
  t.same(await ticks(), ['00:01', '00:03'])

  await schedules.replace(skip.id, settings({ overlap: 'queue' }))
  await pass(schedules, skip.id, clock, '2026-01-01T00:04:00Z')
  t.same(await ticks(), ['00:01', '00:03', '00:04'])
})

t.test('while its job before has not ended: cancel', async (t) => {
  const clock = createClock('2026-01-01T00:00:30Z')
  const { schedules } = await replica(t, store, clock)
  const { id } = await schedules.create(settings({ overlap: 'cancel' }), actor)
  await pass(schedules, id, clock, '2026-01-01T00:01:00Z')
  await pass(schedules, id, clock, '2026-01-01T00:02:00Z')
  t.same(
    (await started()).map(({ status }) => status),
    ['cancelled', 'queued'],
    'one that nobody had taken is cancelled at once'
  )
  await store.query(
    sql(`update jobs set status = 'running', attempt = 1, lease_expires_at = now() + interval '1 hour'
      where status = 'queued'`)
  )
  await pass(schedules, id, clock, '2026-01-01T00:03:00Z')
  await pass(schedules, id, clock, '2026-01-01T00:04:00Z')
  t.same(
    (await started()).map(({ status }) => status),
    ['cancelled', 'cancelling', 'cancelled', 'queued'],
    'one that runs is asked to end'
  )
  const told = await store.query<{ message: string }>(
    sql("select distinct message from job_events where type like 'cancel%'")
  )
  t.same(told, [{ message: `The schedule ${id} cancels it: its next run is due` }])
})

t.test('after a downtime, what is not too old is made up for', async (t) => {
  const clock = createClock('2026-01-01T00:00:30Z')
  const first = await replica(t, store, clock)
  const old = settings({ name: 'all', cron: '*/10 * * * *', catch_up_seconds: 3600 })
  const all = await first.schedules.create(old, actor)
  const one = await first.schedules.create({ ...old, name: 'one', overlap: 'skip' }, actor)
  const none = await first.schedules.create({ ...old, name: 'none', catch_up_seconds: 60 }, actor)
  await first.scheduler.stop()
  clock.moveTo('2026-01-01T02:05:00Z')
  t.same(await started(), [], 'nobody was there')

  const { schedules } = await replica(t, store, clock)
  for (const { id } of [all, one, none]) await pass(schedules, id, clock, '2026-01-01T02:05:00Z')
  const byName = await store.query(
    sql(`select name, json_agg(substr(trigger ->> 'tick', 12, 5) order by trigger ->> 'tick') as ticks
      from schedules join jobs on trigger ->> 'schedule_id' = schedules.id group by name order by name`)
  )
  t.same(byName, [
    { name: 'all', ticks: ['01:10', '01:20', '01:30', '01:40', '01:50', '02:00'] },
    { name: 'one', ticks: ['01:10'] }
  ])
  t.match(await schedules.get(none.id), {
    ...{ last_outcome: 'missed', last_job_id: null, next_tick_at: '2026-01-01T02:10:00.000Z' }
  })
})

t.test('jitter puts a run off, and not its tick', async (t) => {
  const clock = createClock('2026-01-01T00:00:30Z')
  const { schedules, scheduler } = await replica(t, store, clock)
  const { id, next_run_at } = await schedules.create(
    settings({ cron: '0 * * * *', jitter_seconds: 600 }),
    actor
  )
  const run = new Date(next_run_at ?? '')
  t.ok(run > new Date('2026-01-01T01:00:00Z') && run < new Date('2026-01-01T01:10:00Z'))
  clock.moveTo(new Date(run.getTime() - 1).toISOString())
  await scheduler.stop()
  t.same(await started(), [])
  scheduler.start(createLog())
  await pass(schedules, id, clock, run.toISOString())
  t.same(await ticks(), ['01:00'])
})

t.test('pause, resume, change', async (t) => {
  const clock = createClock('2026-01-01T00:00:30Z')
  const { schedules, scheduler } = await replica(t, store, clock)
  const { id } = await schedules.create(settings(), actor)
  const paused = await schedules.pause(id)
  t.match(paused, { paused_at: '2026-01-01T00:00:30.000Z', next_tick_at: null, next_run_at: null })
  t.equal((await schedules.pause(id)).paused_at, paused.paused_at, 'again changes nothing')
  clock.moveTo('2026-01-01T00:05:00Z')
  await schedules.replace(id, settings({ cron: '*/2 * * * *' }))
  t.match(await schedules.get(id), { paused_at: paused.paused_at, next_tick_at: null }, 'it stays paused')
  await scheduler.stop()
  scheduler.start(createLog())
  t.match(await schedules.resume(id), { paused_at: null, next_tick_at: '2026-01-01T00:06:00.000Z' })
  t.same(await ticks(), [], 'what it missed meanwhile is not made up for')
  await pass(schedules, id, clock, '2026-01-01T00:06:00Z')
  t.same(await ticks(), ['00:06'])
  clock.moveTo('2026-01-01T00:05:00Z')
  t.match(
    await schedules.replace(id, settings()),
    { next_tick_at: '2026-01-01T00:07:00.000Z' },
    'a clock that is put back does not bring a tick back'
  )
  t.match(await schedules.resume(id), { next_tick_at: '2026-01-01T00:07:00.000Z' }, 'it was not paused')
})

t.test('a schedule that cannot be run does not keep others from it', async (t) => {
  const clock = createClock('2026-01-01T00:00:30Z')
  const { schedules, log } = await replica(t, store, clock)
  const broken = await schedules.create(settings({ name: 'broken' }), actor)
  const sound = await schedules.create(settings({ name: 'sound' }), actor)
  await store.query(sql('update schedules set job = :job::jsonb where id = :id::text'), {
    ...{ id: broken.id, job: { type: 'no such type' } }
  })
  await pass(schedules, sound.id, clock, '2026-01-01T00:01:00Z')
  t.same(await ticks(), ['00:01'])
  t.match(log.lines, [{ level: 'error', message: 'a schedule could not be run' }])
})
