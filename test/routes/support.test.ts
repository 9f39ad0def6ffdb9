import t from 'tap'
import { writeFiles } from '../files.ts'
import { build } from '../helper.ts'
import { event, lines, song } from '../records.ts'

type Check = { name: string; status: string; detail: string }

t.test('the doctor says what is wrong, and what to do', async (t) => {
  const service = await build(t)
  const examine = async () => {
    const { body } = await service.request('GET', '/v1/doctor')
    const found = Object.fromEntries(body.checks.map(({ name, ...check }: Check) => [name, check]))
    return { healthy: body.healthy, found }
  }
  const before = await examine()
  t.equal(before.healthy, true, 'what is not there yet is no failure')
  for (const name of ['store', 'clock', 'disk', 'permissions', 'song data', 'log data']) {
    t.match(before.found[name], { status: 'ok' }, name)
  }
  t.match(before.found.cluster, { status: 'warning', detail: /PUT \/v1\/cluster/ })
  t.match(before.found.tables, { status: 'warning', detail: /PUT \/v1\/cluster/ })
  await service.prepareWarehouse()
  const after = await examine()
  t.strictSame(
    Object.values(after.found).map((check) => (check as Check).status),
    Array.from({ length: 9 }, () => 'ok')
  )

  service.parts.store.ping = () => Promise.reject(new Error('password=hunter2'))
  const broken = await examine()
  t.equal(broken.healthy, false)
  t.match(broken.found.store, { status: 'failed', detail: 'The check itself has failed.' })
  t.match(broken.found.warehouse, { status: 'ok' }, 'one failure hides no other finding')
})

t.test('a bundle holds everything about a job, and no text of a record', async (t) => {
  const service = await build(t)
  await service.prepareWarehouse()
  writeFiles(service.config.SONG_DATA, { 'a.json': lines(song()) })
  writeFiles(service.config.LOG_DATA, { 'a.json': `${lines(event())}\n{"firstName":"Ida, who is somebody"` })
  const wait = { prefer: 'wait=60' }
  const { body: job } = await service.request('POST', '/v1/jobs', {
    ...{ headers: wait, body: { type: 'etl', max_rejects: 1 } }
  })
  const { status, body } = await service.request('GET', `/v1/jobs/${job.id}/bundle`, { scope: 'read' })
  t.equal(status, 200)
  t.match(body, {
    ...{ versions: { store: 'postgres', warehouse: 'duckdb' }, job: { id: job.id }, missing: [] },
    attempts: [{ attempt: 1, outcome: 'succeeded' }],
    load: { id: '1', events: { read: 2, loaded: 1, rejected: 1 } },
    rejects: [{ line_number: 2, code: 'malformed_json', raw: null }]
  })
  t.equal(body.objects.length, 2)
  t.ok(body.events.length > 3)
  t.notMatch(JSON.stringify(body), /who is somebody/)

  await service.request('DELETE', '/v1/cluster?confirm=sparkify&final_snapshot=false', { headers: wait })
  const later = await service.request('GET', `/v1/jobs/${job.id}/bundle`)
  t.match(later.body, {
    job: { id: job.id },
    load: null,
    missing: [/^load: There is no cluster yet/, /^objects/, /^rejects/]
  })
  t.match((await service.request('GET', '/v1/jobs/job_0/bundle')).body, {
    status: 404,
    code: 'job_not_found'
  })
})
