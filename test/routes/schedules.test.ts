import t from 'tap'
import {
  blockLane,
  checkProblem,
  countJobs,
  invalid,
  normalise,
  problem,
  queuedJob,
  rows,
  walk
} from '../api-fixture.ts'
import { createClock } from '../clock-fixture.ts'
import { build } from '../helper.ts'
import { until } from '../jobs-fixture.ts'

const clock = createClock('2026-03-28T12:00:00Z')
const service = await build(t, {}, { clock })
const nightly = {
  ...{ name: 'nightly', cron: '30 2 * * *', time_zone: 'Europe/Berlin', overlap: 'queue' },
  ...{
    catch_up_seconds: 3600,
    jitter_seconds: 0,
    job: { type: 'etl', mode: 'full', max_rejects: 7, priority: 'normal' }
  }
}
const create = (body: unknown) => service.request('POST', '/v1/schedules', { scope: 'operate', body })
const call = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown) =>
  service.request(method, `/v1/schedules${path}`, { scope: method === 'GET' ? 'read' : 'operate', body })
const asShown = {
  ...{ id: 'SCHEDULE', ...nightly, paused_at: null, next_tick_at: 'TIME', next_run_at: 'TIME' },
  ...{ last_tick_at: null, last_outcome: null, last_job_id: null, created_by: 'KEY' },
  ...{ created_at: 'TIME', updated_at: 'TIME' }
}
let id = ''

t.test('POST /v1/schedules creates one, and the rest shows it', async (t) => {
  const { status, headers, body } = await create(nightly)
  t.equal(status, 201)
  id = body.id
  t.equal(headers.location, `/v1/schedules/${id}`)
  t.strictSame(normalise(service, body), asShown)
  t.equal(body.next_tick_at, '2026-03-29T01:00:00.000Z', 'the time does not exist that night: one hour later')
  t.strictSame(await rows(service, 'select name, cron, time_zone, job, overlap, paused_at from schedules'), [
    {
      ...{
        name: 'nightly',
        cron: '30 2 * * *',
        time_zone: 'Europe/Berlin',
        overlap: 'queue',
        paused_at: null
      },
      job: nightly.job
    }
  ])
  t.strictSame((await call('GET', `/${id}`)).body, body)
  t.strictSame((await call('GET', '')).body, { items: [body], next_cursor: null })
})

t.test('what is left out has a default', async (t) => {
  const { status, body } = await create({ name: 'short', cron: '@hourly', job: { type: 'etl' } })
  t.equal(status, 201)
  t.match(body, {
    ...{ time_zone: 'UTC', overlap: 'skip', catch_up_seconds: 86400, jitter_seconds: 0 },
    job: { type: 'etl', mode: 'incremental', max_rejects: 0, priority: 'normal' }
  })
  const { items } = await walk(t, service, '/v1/schedules?limit=1')
  t.strictSame(
    items.map(({ name }) => name),
    ['short', 'nightly'],
    'newest first'
  )
  const { status: deleted, body: nothing } = await call('DELETE', `/${body.id}`)
  t.equal(deleted, 204)
  t.equal(nothing, '')
  t.strictSame(await rows(service, 'select name from schedules'), [{ name: 'nightly' }])
})

t.test('next runs are those of the zone', async (t) => {
  const { status, body } = await call('GET', `/${id}/next-runs?limit=2`)
  t.equal(status, 200)
  t.strictSame(body, {
    items: [
      { tick_at: '2026-03-29T01:00:00.000Z', local_time: '2026-03-29T03:00:00+02:00' },
      { tick_at: '2026-03-30T00:30:00.000Z', local_time: '2026-03-30T02:30:00+02:00' }
    ]
  })
  t.equal((await call('GET', `/${id}/next-runs`)).body.items.length, 10)
})

t.test('its time starts its job, whose trigger tells so', async (t) => {
  const unblock = await blockLane(service)
  clock.moveTo('2026-03-29T01:00:00Z')
  await until(async () => (await call('GET', `/${id}`)).body.last_outcome === 'started')
  const { body } = await call('GET', `/${id}`)
  const job = (await service.request('GET', `/v1/jobs/${body.last_job_id}`)).body
  t.strictSame(normalise(service, job), {
    ...queuedJob('etl', { mode: 'full', max_rejects: 7 }),
    trigger: { kind: 'schedule', schedule_id: 'SCHEDULE', tick: 'TIME' }
  })
  t.equal(job.trigger.tick, '2026-03-29T01:00:00.000Z')
  await unblock()
  t.match((await service.waitForJob(job.id)).error, { code: 'cluster_not_found' }, 'a failure is the job’s')
})

t.test('pause and resume', async (t) => {
  const paused = await call('POST', `/${id}/pause`)
  t.equal(paused.status, 200)
  t.match(paused.body, { paused_at: '2026-03-29T01:00:00.000Z', next_tick_at: null, next_run_at: null })
  clock.moveTo('2026-04-02T00:00:00Z')
  const resumed = await call('POST', `/${id}/resume`)
  t.equal(resumed.status, 200)
  t.match(resumed.body, { paused_at: null, next_tick_at: '2026-04-02T00:30:00.000Z' })
})

t.test('PUT replaces it', async (t) => {
  const weekly = { ...nightly, name: 'weekly', cron: '0 6 * * MON' }
  const { status, body } = await call('PUT', `/${id}`, weekly)
  t.equal(status, 200)
  t.match(body, { id, ...weekly, next_tick_at: '2026-04-06T04:00:00.000Z', last_outcome: 'started' })
  t.strictSame((await call('GET', `/${id}`)).body, body)
})

t.test('trigger starts its job now', async (t) => {
  const noCluster = 'There is no cluster yet. Create it with PUT /v1/cluster.'
  const path = `/v1/schedules/${id}/trigger`
  checkProblem(
    t,
    service,
    await call('POST', `/${id}/trigger`),
    problem('cluster_not_found', '/v1/schedules/SCHEDULE/trigger', noCluster)
  )
  await service.prepareWarehouse()
  const before = await countJobs(service)
  const headers = { prefer: 'wait=60', 'idempotency-key': 'now' }
  const { status, headers: sent, body } = await service.request('POST', path, { scope: 'operate', headers })
  t.equal(status, 200)
  t.equal(sent.location, `/v1/jobs/${body.id}`)
  t.match(body, {
    status: 'failed',
    error: { code: 'source_empty' },
    params: { mode: 'full', max_rejects: 7 }
  })
  t.strictSame(body.trigger, { kind: 'schedule', schedule_id: id })
  const again = await service.request('POST', path, { scope: 'operate', headers })
  t.equal(again.body.id, body.id)
  t.equal(again.headers['idempotency-replayed'], 'true')
  t.equal(await countJobs(service), before + 1)
})

t.test('what is refused', async (t) => {
  const { body: other } = await create({ name: 'other', cron: '0 0 * * *', job: { type: 'etl' } })
  const taken = `${id} is called "weekly" already. Change that one with PUT, or choose another name.`
  const exists = problem('schedule_exists', '/v1/schedules', taken.replace(id, 'SCHEDULE'))
  checkProblem(t, service, await create({ ...nightly, name: 'weekly' }), exists)
  checkProblem(t, service, await call('PUT', `/${other.id}`, { ...nightly, name: 'weekly' }), {
    ...exists,
    instance: '/v1/schedules/SCHEDULE'
  })
  const wrong = (pointer: string, message: string) =>
    problem('invalid_schedule', '/v1/schedules', `${pointer} ${message}.`, [
      { pointer, code: pointer.slice(1), message }
    ])
  checkProblem(
    t,
    service,
    await create({ ...nightly, name: 'x', time_zone: 'Berlin' }),
    wrong('/time_zone', 'is no IANA time zone such as Europe/Berlin or UTC')
  )
  checkProblem(
    t,
    service,
    await create({ ...nightly, name: 'x', cron: '0 25 * * *' }),
    wrong('/cron', 'is no cron expression of five fields: Invalid value for hour: 25')
  )
  checkProblem(
    t,
    service,
    await create({ ...nightly, name: 'x', job: { type: 'etl', rows: 1 } }),
    invalid('/v1/schedules', '/job/rows', 'additionalProperties', 'is an unknown property')
  )
  for (const body of [
    { ...nightly, cron: undefined },
    { ...nightly, job: undefined },
    { ...nightly, job: { type: 'etl', run_after: '2026-01-01T00:00:00Z' } },
    { ...nightly, job: { type: 'cluster.teardown' } },
    { ...nightly, overlap: 'kill' },
    { ...nightly, catch_up_seconds: 0 },
    { ...nightly, jitter_seconds: -1 },
    { ...nightly, name: '' },
    { ...nightly, id: 'x' }
  ]) {
    const { status, body: answer } = await create(body)
    t.equal(status, 400, JSON.stringify(body))
    t.equal(answer.code, 'invalid_request')
  }
  t.strictSame(await rows(service, 'select name from schedules order by name'), [
    { name: 'other' },
    { name: 'weekly' }
  ])
})

t.test('a schedule that is not there', async (t) => {
  const detail = 'No schedule has the id sched_0. GET /v1/schedules lists the schedules.'
  for (const [method, path, body] of [
    ['GET', ''],
    ['PUT', '', nightly],
    ['DELETE', ''],
    ['POST', '/pause'],
    ['POST', '/resume'],
    ['POST', '/trigger'],
    ['GET', '/next-runs']
  ] as const) {
    const response = await call(method, `/sched_0${path}`, body)
    const expected = problem('schedule_not_found', `/v1/schedules/sched_0${path}`, detail)
    checkProblem(t, service, response, expected, `${method} ${path}`)
  }
})
