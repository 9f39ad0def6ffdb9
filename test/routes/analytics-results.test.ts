/** Results over HTTP: kept while the data is the same, named by an ETag, in three formats. */
import { join } from 'node:path'
import t from 'tap'
import { writeFiles } from '../files.ts'
import { build } from '../helper.ts'
import { event, lines, song } from '../records.ts'

const service = await build(t)
await service.prepareWarehouse()
const { run } = service.parts.warehouse
let statements = 0
service.parts.warehouse.run = (...asked) => {
  statements += 1
  return run(...asked)
}
const get = (search = '', headers: Record<string, string> = {}) =>
  service.request('GET', `/v1/analytics/top-songs/results${search}`, { scope: 'read', headers })
const load = async (session: number) => {
  writeFiles(join(service.config.DATA_DIR, 'sources'), {
    'song_data/a.json': lines(song({ title: '=Alpha' })),
    [`log_data/${session}.json`]: lines(event({ sessionId: session, song: '=Alpha' }))
  })
  const { body } = await service.request('POST', '/v1/jobs', {
    ...{ body: { type: 'etl' }, headers: { prefer: 'wait=60' } }
  })
  return body.result.data_version as number
}

t.test('an answer is kept until the data changes', async (t) => {
  await load(1)
  const first = await get()
  t.equal(first.status, 200)
  t.match(first.headers, { 'x-cache': 'miss', vary: 'accept', 'cache-control': 'private, no-cache' })
  const before = statements
  const again = await get()
  t.match(again.headers, { 'x-cache': 'hit', etag: first.headers.etag })
  t.strictSame(again.body, first.body)
  const known = await get('', { 'if-none-match': `"other", W/${first.headers.etag}` })
  t.match([known.status, known.body, known.headers.etag], [304, '', first.headers.etag])
  t.equal(statements, before, 'the warehouse heard of neither')
  t.match((await get('', { 'cache-control': 'no-cache' })).headers, {
    'x-cache': 'miss',
    etag: first.headers.etag
  })

  await load(2)
  const later = await get('', { 'if-none-match': String(first.headers.etag) })
  t.equal(later.status, 200)
  t.equal(later.body.rows[0].plays, 2)
  t.not(later.headers.etag, first.headers.etag)
})

t.test('tables that were dropped and made again have no answers from before', async (t) => {
  const before = (await get()).headers.etag
  await service.request('POST', '/v1/tables', {
    ...{ headers: { prefer: 'wait=60' }, body: { recreate: true, confirm: 'sparkify' } }
  })
  t.strictSame((await get()).body.rows, [])
  await load(1)
  const now = await get()
  t.equal(now.body.data_version, 1)
  t.not(now.headers.etag, before)
})

t.test('a service reads its own load', async (t) => {
  const version = await load(3)
  t.equal((await get(`?min_data_version=${version}`)).status, 200)
  const path = `?min_data_version=${version + 1}`
  t.match(await get(path), { status: 409, body: { code: 'data_not_ready' } })
  const waiting = get(path, { prefer: 'wait=30' })
  await load(4)
  t.match(await waiting, { status: 200, body: { data_version: version + 1 } })
  t.equal((await get('?min_data_version=-1')).status, 400)
})

t.test('by Accept or by format', async (t) => {
  const csv = await get('', { accept: 'text/csv' })
  t.match(csv.headers, {
    'content-type': 'text/csv; charset=utf-8; header=present',
    'content-disposition': 'attachment; filename="top-songs.csv"'
  })
  t.match(csv.body, /^song_id,title,artist_id,name,month,year,plays\r\nS1,'=Alpha,A1,Ann,11,2018,\d+\r\n$/)
  const ndjson = await get('?format=ndjson')
  t.match(ndjson.headers['content-type'], 'application/x-ndjson')
  t.match(JSON.parse(ndjson.body), { song_id: 'S1', title: '=Alpha' })
  t.not(csv.headers.etag, ndjson.headers.etag)
  t.equal((await get('?format=xml')).status, 400)
})

t.test('without a cluster nothing is answered any more', async (t) => {
  t.equal((await get()).status, 200)
  await service.request('DELETE', '/v1/cluster?confirm=sparkify&final_snapshot=false', {
    headers: { prefer: 'wait=60' }
  })
  t.match(await get(), { status: 409, body: { code: 'cluster_not_found' } })
})
