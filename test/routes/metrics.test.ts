import t from 'tap'
import { writeFiles } from '../files.ts'
import { build } from '../helper.ts'
import { event, lines, song } from '../records.ts'

const service = await build(t)
const scrape = async (scope: 'read' | null = 'read') => service.request('GET', '/metrics', { scope })

t.test('/metrics tells what has happened', async (t) => {
  await service.prepareWarehouse()
  writeFiles(service.config.SONG_DATA, { 'a.json': lines(song()) })
  writeFiles(service.config.LOG_DATA, { 'a.json': `${lines(event(), event())}\n{` })
  const wait = { prefer: 'wait=60' }
  await service.request('POST', '/v1/jobs', { headers: wait, body: { type: 'etl', max_rejects: 1 } })
  await service.request('POST', '/v1/jobs', { headers: wait, body: { type: 'etl', log_data: '/nowhere' } })
  for (let turn = 0; turn < 3; turn += 1) await service.request('GET', '/v1/analytics/users-by-level/results')
  await service.request('GET', '/secret-path-of-somebody')
  const { headers, body } = await scrape()
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/)
  for (const line of [
    'sparkify_load_records_total{kind="events",outcome="loaded"} 1',
    'sparkify_load_records_total{kind="events",outcome="duplicates"} 1',
    'sparkify_load_records_total{kind="events",outcome="rejected"} 1',
    'sparkify_load_records_total{kind="songs",outcome="loaded"} 1',
    'sparkify_answers_total{cache="miss"} 1',
    'sparkify_answers_total{cache="hit"} 2',
    'sparkify_jobs{type="etl",status="succeeded"} 1',
    'sparkify_job_attempts{outcome="succeeded"} 3',
    'sparkify_oldest_waiting_job_seconds 0',
    'sparkify_store_up 1',
    'sparkify_cluster_status{status="available"} 1',
    'sparkify_http_request_duration_seconds_count{operation="getUsersByLevelResults",status="200"} 3'
  ]) {
    t.ok(body.split('\n').includes(line), line)
  }
  t.match(body, /^nodejs_eventloop_lag_seconds /m)
  t.notMatch(body, /secret-path/, 'paths that callers choose are no labels')
})

t.test('who may read it', async (t) => {
  t.match((await scrape(null)).body, { status: 401, code: 'missing_credentials' })
  const wrong = await service.request('GET', '/metrics', {
    scope: null,
    headers: { authorization: 'Bearer x' }
  })
  t.match(wrong.body, { status: 401, code: 'invalid_api_key' })
  const open = await build(t, { METRICS: 'open' })
  t.equal((await open.request('GET', '/metrics', { scope: null })).status, 200)
  const off = await build(t, { METRICS: 'off' })
  t.match((await off.request('GET', '/metrics')).body, { status: 404, code: 'route_not_found' })
})

t.test('without a store it says so, and nothing else', async (t) => {
  const alone = await build(t, { METRICS: 'open' })
  alone.parts.store.ping = () => Promise.reject(new Error('gone'))
  const { status, body } = await alone.request('GET', '/metrics', { scope: null })
  t.equal(status, 200)
  t.match(body, /^sparkify_store_up 0$/m)
  t.notMatch(body, /^sparkify_jobs\{/m)
})
