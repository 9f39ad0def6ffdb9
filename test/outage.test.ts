/** The store or the warehouse is away for a while: the service says so, waits without haste, and recovers by itself. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { writeFiles } from './files.ts'
import { build, type TestService } from './helper.ts'
import { createStoreDatabase } from './postgres.ts'
import { event, lines, song } from './records.ts'
import { buildOnRedshift } from './redshift-fixture.ts'
import { startProxy } from './tcp-proxy.ts'

/** Asks until the answer has the status, for some seconds. */
async function until(service: TestService, url: string, status: number) {
  for (let tries = 0; tries < 400; tries += 1) {
    const answer = await service.request('GET', url)
    if (answer.status === status) return answer
    await sleep(25)
  }
  throw new Error(`${url} did not come to answer ${status}`)
}

t.test('the control store is away', { timeout: 60_000 }, async (t) => {
  const database = new URL(await createStoreDatabase(t))
  const proxy = await startProxy(t, Number(database.port))
  database.port = String(proxy.port)
  const service = await build(t, { DATABASE_URL: database.href })
  writeFiles(service.config.SONG_DATA, { 'songs.json': lines(song()) })
  writeFiles(service.config.LOG_DATA, { 'events.json': lines(event()) })
  await service.prepareWarehouse()

  proxy.cut()
  const unready = await until(service, '/readyz', 503)
  t.match(unready.body, { code: 'store_unavailable' })
  t.equal((await service.request('GET', '/livez')).status, 200, 'a restart of the process would not help')
  for (const [method, url] of [
    ['GET', '/v1/jobs'],
    ['POST', '/v1/jobs']
  ] as const) {
    const body = method === 'POST' ? { body: { type: 'etl' } } : {}
    t.match(await service.request(method, url, body), { status: 503, body: { code: 'store_unavailable' } })
  }
  const before = proxy.attempts()
  await sleep(2000)
  const attempts = proxy.attempts() - before
  t.ok(attempts > 0 && attempts <= 40, `it tries again, without haste: ${attempts} times in 2 s`)

  proxy.mend()
  await until(service, '/readyz', 200)
  const { body } = await service.request('POST', '/v1/jobs', { body: { type: 'etl' } })
  t.match(await service.waitForJob(body.id), { status: 'succeeded', attempt: 1 }, 'and jobs run again')
})

t.test('the warehouse is away', { timeout: 60_000 }, async (t) => {
  let proxy: Awaited<ReturnType<typeof startProxy>> | undefined
  const service = await buildOnRedshift(
    t,
    {},
    {
      way: async (port) => {
        proxy = await startProxy(t, port)
        return proxy.port
      }
    }
  )
  service.put({ 'song_data/a.json': lines(song()), 'log_data/a.json': lines(event()) })
  await service.prepareWarehouse()
  const url = '/v1/analytics/top-songs/results'
  t.equal((await service.request('GET', url)).status, 200)

  proxy?.cut()
  const refused = await service.request('GET', '/v1/analytics/top-artists/results')
  t.match(refused, { status: 503, body: { code: 'warehouse_unavailable' } })
  t.equal((await service.request('GET', '/readyz')).status, 200, 'what needs no warehouse goes on')
  t.equal((await service.request('GET', '/v1/jobs')).status, 200)
  const load = { headers: { prefer: 'wait=60' }, body: { type: 'etl' } }
  t.match(await service.request('POST', '/v1/jobs', load), {
    status: 503,
    headers: { 'retry-after': /^\d+$/ },
    body: { code: 'warehouse_unavailable' }
  })

  proxy?.mend()
  t.match(await service.request('POST', '/v1/jobs', load), { status: 200, body: { status: 'succeeded' } })
  t.match((await service.request('GET', url)).body, { rows: [{ song_id: 'S1' }] })
})
