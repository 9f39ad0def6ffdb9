/** The cost guard on the emulated cluster, by a clock of its own: counts, pauses, resumes on demand, warns, deletes. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Job } from '../../src/schemas/jobs.ts'
import { createClock, type TestClock } from '../clock-fixture.ts'
import { event, lines, song } from '../records.ts'
import { buildOnRedshift, type RedshiftService } from '../redshift-fixture.ts'

const wait = { headers: { prefer: 'wait=60' } }
const sources = { 'song_data/a.json': lines(song()), 'log_data/a.json': lines(event()) }
const start = Date.parse('2026-01-01T00:00:00Z')

/** Lets minutes pass, with a look in the last one and in the one before. */
async function pass(clock: TestClock, minutes: number) {
  for (const step of minutes > 1 ? [minutes - 1, 1] : [minutes]) {
    clock.moveTo(new Date(clock.now().getTime() + step * 60_000).toISOString())
    await settle(clock)
  }
}

/** A look ends by setting the timer of the next one; the other timer is the scheduler's. */
async function settle(clock: TestClock) {
  while (clock.timers() < 2) await sleep(5)
}

const jobsOf = async (service: RedshiftService, type: string): Promise<Job[]> =>
  (await service.request('GET', `/v1/jobs?type=${type}`)).body.items

const deeds = async (service: RedshiftService) => {
  const { items } = (await service.request('GET', '/v1/audit-events?key_id=cost_guard')).body
  return items.map(({ action }: { action: string }) => action).reverse()
}

/** As they do when a cluster is paused. */
async function sessionsEnd({ redshift }: RedshiftService) {
  while (redshift.sessions > 0) await sleep(5)
}

t.test('a cluster that nobody uses is paused, and resumed by who needs it', async (t) => {
  const clock = createClock(new Date(start).toISOString())
  const env = { CLUSTER_IDLE_PAUSE_MINUTES: '30', CLUSTER_RESUME_ON_DEMAND: 'true' }
  const service = await buildOnRedshift(t, env, { clock })
  service.put(sources)
  const cluster = async () => (await service.request('GET', '/v1/cluster')).body
  t.equal((await cluster()).usage, null, 'there is nothing to count')
  await pass(clock, 1)
  await service.prepareWarehouse()
  t.equal(
    (await service.request('POST', '/v1/jobs', { ...wait, body: { type: 'etl' } })).body.status,
    'succeeded'
  )
  await pass(clock, 1)
  await pass(clock, 29)
  t.match((await cluster()).usage, {
    since: '2026-01-01T00:02:00.000Z',
    running_hours: 0.48,
    estimated_cost: 1.05,
    currency: 'USD',
    expires_at: null
  })
  await t.test('a query counts as use', async (t) => {
    t.equal((await service.request('GET', '/v1/analytics/top-songs/results')).status, 200)
    await pass(clock, 1)
    const { usage } = await cluster()
    t.equal(usage.last_used_at, '2026-01-01T00:31:00.000Z')
    t.equal(usage.pauses_at, '2026-01-01T01:01:00.000Z')
    await pass(clock, 28)
    t.strictSame(await jobsOf(service, 'cluster.pause'), [])
  })
  await pass(clock, 1)
  const [pausing, ...others] = await jobsOf(service, 'cluster.pause')
  t.strictSame(others, [])
  t.match(pausing, { created_by: 'cost_guard', trigger: { kind: 'idle' } })
  t.match(await service.waitForJob(String(pausing?.id)), { status: 'succeeded' })
  t.strictSame(await deeds(service), ['pauseCluster'])

  await pass(clock, 1)
  const { running_hours: before } = (await cluster()).usage
  await pass(clock, 60)
  t.match(await cluster(), { status: 'paused', usage: { pauses_at: null } })
  t.equal((await cluster()).usage.running_hours, before, 'what is paused does not run')
  t.equal((await jobsOf(service, 'cluster.pause')).length, 1)

  await t.test('a query that finds it paused has it resumed, once', async (t) => {
    await sessionsEnd(service)
    const url = '/v1/analytics/top-artists/results'
    const [one, two] = await Promise.all([
      service.request('GET', url),
      service.request('GET', `${url}?limit=3`)
    ])
    const resuming = await jobsOf(service, 'cluster.resume')
    t.equal(resuming.length, 1)
    t.match(resuming[0], { created_by: 'resume_on_demand', trigger: { kind: 'query' } })
    for (const { status, body } of [one, two]) {
      t.match({ status, code: body.code, detail: body.detail }, { status: 409, code: 'cluster_paused' })
      t.ok(body.detail.includes(`${resuming[0]?.id} resumes it`), body.detail)
    }
    t.match(await service.waitForJob(String(resuming[0]?.id)), { status: 'succeeded' })
    t.equal((await service.request('GET', url)).status, 200)
  })

  await t.test('a load that finds it paused begins with resuming it', async (t) => {
    await service.request('POST', '/v1/cluster/pause', wait)
    await sessionsEnd(service)
    service.put({ 'log_data/b.json': lines(event({ ts: 1541106100796 })) })
    const { body } = await service.request('POST', '/v1/jobs', { ...wait, body: { type: 'etl' } })
    t.match(body, { status: 'succeeded', attempt: 1, steps: [{ name: 'resume', status: 'succeeded' }, {}] })
    const { items } = (await service.request('GET', `/v1/jobs/${body.id}/events`)).body
    t.ok(items.some(({ message }: { message: string }) => message.startsWith('The cluster is paus')))
    t.equal((await cluster()).status, 'available')
  })
})

t.test('a cluster for throwing away ends, with warnings before', async (t) => {
  const clock = createClock(new Date(start).toISOString())
  const env = { CLUSTER_TTL_HOURS: '30', CLUSTER_TTL_SNAPSHOT: 'false' }
  const service = await buildOnRedshift(t, env, { clock })
  await service.prepareWarehouse()
  await pass(clock, 1)
  t.equal((await service.request('GET', '/v1/cluster')).body.usage.expires_at, '2026-01-02T06:01:00.000Z')
  t.strictSame(await deeds(service), [])
  for (const [hours, done] of [
    [7, ['warnOfExpiry']],
    [8, ['warnOfExpiry']],
    [29.5, ['warnOfExpiry', 'warnOfExpiry']],
    [30.2, ['warnOfExpiry', 'warnOfExpiry', 'deleteCluster']]
  ] as const) {
    clock.moveTo(new Date(start + hours * 3_600_000).toISOString())
    await settle(clock)
    t.strictSame(await deeds(service), done, `after ${hours} hours`)
  }
  const [removal] = await jobsOf(service, 'cluster.teardown')
  t.match(removal, { created_by: 'cost_guard', trigger: { kind: 'ttl' }, params: { final_snapshot: false } })
  t.match(await service.waitForJob(String(removal?.id)), { status: 'succeeded' })
  await pass(clock, 1)
  t.match((await service.request('GET', '/v1/cluster')).body, { status: 'absent', usage: null })
})

t.test('a cluster that is in use is neither paused nor deleted', async (t) => {
  const clock = createClock(new Date(start).toISOString())
  const service = await buildOnRedshift(
    t,
    { CLUSTER_IDLE_PAUSE_MINUTES: '5', CLUSTER_TTL_HOURS: '1' },
    { clock }
  )
  service.put(sources)
  await service.prepareWarehouse()
  // A job in the lane that is not finished.
  const later = { type: 'etl', run_after: '2099-01-01T00:00:00Z' }
  const { body } = await service.request('POST', '/v1/jobs', { body: later })
  clock.moveTo(new Date(start + 3 * 3_600_000).toISOString())
  await settle(clock)
  await pass(clock, 70)
  t.equal((await service.request('GET', '/v1/cluster')).body.status, 'available')
  t.strictSame(await deeds(service), ['warnOfExpiry'])
  await service.request('POST', `/v1/jobs/${body.id}/cancel`)
  await pass(clock, 1)
  t.equal((await jobsOf(service, 'cluster.teardown')).length, 1)
})
