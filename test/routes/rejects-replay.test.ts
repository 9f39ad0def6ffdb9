/** Rejected records tried again, and loads that only look. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { RejectRecord } from '../../src/schemas/loads.ts'
import { parseSql } from '../../src/sql.ts'
import { writeFiles } from '../files.ts'
import { build } from '../helper.ts'
import { event, type Json, lines, song } from '../records.ts'

const service = await build(t)
await service.prepareWarehouse()
const write = (files: Record<string, string | Buffer>) =>
  writeFiles(join(service.config.DATA_DIR, 'sources'), files)
const post = async (url: string, body: Json) =>
  (await service.request('POST', url, { body, headers: { prefer: 'wait=60' } })).body
const load = (params: Json = {}) => post('/v1/jobs', { type: 'etl', ...params })
const replay = (filter: Json = {}) => post('/v1/rejects/replay', filter)
const rejects = async (query: string): Promise<RejectRecord[]> =>
  (await service.request('GET', `/v1/rejects?limit=200&${query}`)).body.items
const change = (sql: string) => service.parts.warehouse.run(parseSql('test', sql))
const count = async (table: string) => {
  const { rows } = await change(`select count(*) as rows from ${table}`)
  return Number(rows[0]?.rows)
}

const wrong = (index: number) => event({ sessionId: 50 + index, ts: 'soon' })

write({
  'song_data/a.json': `${lines(song())}\n{"song_id": "S2", "artist_id": "A1", "artist_name": "Ann"}`,
  'log_data/a.json': Buffer.concat([
    Buffer.from(`${lines(event(), wrong(1), wrong(2), wrong(3))}\n{"cut`),
    Buffer.from('\n{"page": "\xff"}', 'latin1')
  ])
})

t.test('a dry run tells what is new and what is wrong with it, and loads nothing', async (t) => {
  const job = await load({ dry_run: true })
  t.match(job, { status: 'succeeded', params: { dry_run: true }, links: { load: null } })
  t.match(job.result, {
    ...{ dry_run: true, objects_skipped: 0 },
    events: { objects: 1, urls: [/log_data\/a\.json$/] },
    songs: { objects: 1, urls: [/song_data\/a\.json$/] },
    sample: { objects: 2, read: { events: 6, songs: 2 }, rejected: 6 }
  })
  t.ok(job.result.events.bytes > 500)
  t.equal(job.result.problems.length, 6)
  t.match(job.result.problems[0], { url: /a\.json$/, line_number: 2, code: /^[a-z_]+$/, message: /./ })
  for (const table of ['staging.events', 'ops.loads', 'ops.loaded_objects', 'ops.rejects']) {
    t.equal(await count(table), 0, table)
  }
  t.same(readdirSync(join(service.config.DATA_DIR, 'spool')), [])
})

t.test('a share of the records may be rejected', async (t) => {
  t.match(await load({ max_rejects: '74%' }), {
    ...{ status: 'failed', error: { code: 'too_many_rejects' } }
  })
  t.match((await load({ max_rejects: '74%' })).error.detail, /6 records were rejected and max_rejects is 74%/)
  t.match(await load({ max_rejects: '75%' }), { status: 'succeeded', result: { load_id: '1' } })
  t.equal(await count('analytics.songplays'), 1)
})

t.test('nothing has changed: all stays rejected, where it was', async (t) => {
  const before = await rejects('load_id=1')
  t.equal(before.length, 6)
  const job = await replay()
  t.match(job, {
    ...{ status: 'succeeded', type: 'etl.replay', params: {}, links: { load: '/v1/loads/2' } },
    result: {
      events: { read: 4, loaded: 0, duplicates: 0, rejected: 4 },
      songs: { read: 1, loaded: 0, duplicates: 0, rejected: 1 }
    }
  })
  t.strictSame(await rejects('load_id=1'), before, 'bytes that are no text are not tried: they were not kept')
  t.equal((await rejects('load_id=2')).length, 0)
  t.match((await service.request('GET', '/v1/loads/2')).body, { mode: 'replay', data_version: 1, objects: 0 })
})

t.test('what is right now is loaded, once, and says by which load', async (t) => {
  // As after an upgrade that reads what the one before did not.
  await change(`update ops.rejects set raw_text = replace(raw_text, '"soon"', '1541106200796')
    where load_id = 1 and raw_text like '%"sessionId":51%' or raw_text like '%"sessionId":52%'`)
  await change(`update ops.rejects set raw_text = '{"song_id": "S2", "artist_id": "A1", "artist_name": "Ann", "title": "T"}'
    where load_id = 1 and kind = 'songs'`)
  const job = await replay({ load_id: '1', kind: 'events', code: 'invalid_type' })
  t.match(job.result, { load_id: '3', events: { read: 3, loaded: 2, rejected: 1 }, songs: { read: 0 } })
  t.equal(await count('analytics.songplays'), 3)
  const replayed = await rejects('replayed=true')
  t.strictSame(
    replayed.map(({ replayed_by, load_id, code }) => [replayed_by, load_id, code]),
    Array(2).fill(['3', '1', 'invalid_type'])
  )
  t.equal((await rejects('replayed=false&load_id=1')).length, 4)

  t.match((await replay()).result, {
    events: { read: 2, loaded: 0, rejected: 2 },
    songs: { read: 1, loaded: 1, rejected: 0 }
  })
  t.equal(await count('analytics.songs'), 2)
  for (const id of ['1', '2', '3', '4']) {
    const { body } = await service.request('POST', `/v1/loads/${id}/verify`)
    t.equal(body.holds, true, JSON.stringify(body.claims))
  }
})

t.test('a load that failed has nothing to replay: its objects are read again', async (t) => {
  write({ 'log_data/b.json': lines(wrong(60)) })
  t.equal((await load()).status, 'failed')
  t.match((await replay({ code: 'invalid_type' })).result, { events: { read: 1 } }, 'the one from before')
  write({ 'log_data/b.json': lines(event({ sessionId: 60 })) })
  t.equal((await load()).status, 'succeeded')
})

t.test('after a full load only its own rejects are tried', async (t) => {
  t.equal((await load({ mode: 'full', max_rejects: 10 })).status, 'succeeded')
  t.match((await replay()).result, { events: { read: 4, loaded: 0 }, songs: { read: 1, loaded: 0 } })
})

t.test('rejects that are older than they are kept go with the next load', async (t) => {
  await change("update ops.rejects set rejected_at = timestamp '2020-01-01 00:00:00' where load_id = 1")
  const before = await count('ops.rejects')
  write({ 'log_data/c.json': lines(event({ sessionId: 70 })) })
  t.equal((await load()).status, 'succeeded')
  t.equal(await count('ops.rejects'), before - 6)
  const { body } = await service.request('POST', '/v1/loads/1/verify')
  t.equal(body.holds, true)
})

t.test('what is no filter is refused', async (t) => {
  for (const body of [{ load_id: 7 }, { load_id: '0' }, { kind: 'plays' }, { more: 1 }]) {
    const { status } = await service.request('POST', '/v1/rejects/replay', { body })
    t.equal(status, 400, JSON.stringify(body))
  }
})
