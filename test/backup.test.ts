/** What the README says of backups: a copy of DATA_DIR, made while the service is stopped, is the service. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { temporaryDirectory, writeFiles } from './files.ts'
import { build } from './helper.ts'
import { event, lines, song } from './records.ts'

t.test('a copy of DATA_DIR goes on where the original was', async (t) => {
  const directory = temporaryDirectory(t)
  const sources = { SONG_DATA: join(directory, 'songs'), LOG_DATA: join(directory, 'logs') }
  writeFiles(sources.SONG_DATA, { 'a.json': lines(song()) })
  writeFiles(sources.LOG_DATA, { 'a.json': lines(event()) })
  const original = join(directory, 'original')
  const load = { headers: { prefer: 'wait=60' }, body: { type: 'etl' } }
  const query = '/v1/analytics/top-songs/results'

  let before = { job: { id: '' }, rows: [], key: '' }
  await t.test('which is stopped then', async (t) => {
    const service = await build(t, { DATA_DIR: original, ...sources })
    await service.prepareWarehouse()
    const { body: job } = await service.request('POST', '/v1/jobs', load)
    t.equal(job.status, 'succeeded')
    const { rows } = (await service.request('GET', query)).body
    before = { job, rows, key: service.keys.read }
  })

  const copy = join(directory, 'copy')
  cpSync(original, copy, { recursive: true })
  const restored = await build(t, { DATA_DIR: copy, ...sources })
  t.strictSame((await restored.request('GET', query)).body.rows, before.rows, 'the same answers')
  t.strictSame((await restored.request('GET', `/v1/jobs/${before.job.id}`)).body, before.job, 'the same jobs')
  const headers = { authorization: `Bearer ${before.key}` }
  t.equal(
    (await restored.request('GET', '/v1/whoami', { scope: null, headers })).status,
    200,
    'the same keys'
  )
  writeFiles(sources.LOG_DATA, { 'b.json': lines(event({ ts: 1541106100796 })) })
  const { body: next } = await restored.request('POST', '/v1/jobs', load)
  const { body: receipt } = await restored.request('GET', `/v1/loads/${next.result.load_id}`)
  t.match(receipt, { objects: 1, objects_skipped: 2, events: { read: 1, loaded: 1 } }, 'the same ledger')
})
