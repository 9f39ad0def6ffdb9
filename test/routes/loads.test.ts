import { join } from 'node:path'
import t from 'tap'
import type { RejectRecord } from '../../src/schemas/loads.ts'
import { checkProblem, invalid, normalise, problem, walk } from '../api-fixture.ts'
import { writeFiles } from '../files.ts'
import { build } from '../helper.ts'
import { event, lines, song } from '../records.ts'

const service = await build(t)
const wait = { prefer: 'wait=60' }
const get = (url: string) => service.request('GET', url, { scope: 'read' })
const write = (files: Record<string, string>) => writeFiles(join(service.config.DATA_DIR, 'sources'), files)
const load = async (params = {}) => {
  const body = { type: 'etl', ...params }
  return (await service.request('POST', '/v1/jobs', { body, headers: wait })).body
}
const lists = ['/v1/loads', '/v1/loads/1/objects', '/v1/rejects']
const cursorOf = (key: string) => Buffer.from(key).toString('base64url')

t.test('without a cluster, and without tables, there is no ledger', async (t) => {
  for (const [code, detail] of [
    ['cluster_not_found', 'There is no cluster yet. Create it with PUT /v1/cluster.'],
    ['tables_not_created', 'The tables do not exist yet. Create them with POST /v1/tables.']
  ] as const) {
    for (const path of [...lists, '/v1/loads/1']) {
      checkProblem(t, service, await get(path), problem(code, path, detail), `${code} ${path}`)
    }
    await service.request('PUT', '/v1/cluster', { headers: wait })
  }
  await service.prepareWarehouse()
})

t.test('an empty ledger', async (t) => {
  for (const path of ['/v1/loads', '/v1/rejects']) {
    const { status, headers, body } = await get(path)
    t.equal(status, 200)
    t.strictSame(body, { items: [], next_cursor: null })
    t.equal(headers.link, undefined)
  }
  for (const id of ['1', '0', '-1', '1.0', '1e0', 'abc', '999999999999999', '99999999999999999999', "1'--"]) {
    for (const rest of ['', '/objects']) {
      const response = await get(`/v1/loads/${encodeURIComponent(id)}${rest}`)
      const detail = `No load has the id ${id}. GET /v1/loads lists the loads.`
      checkProblem(t, service, response, problem('load_not_found', response.body.instance, detail))
    }
  }
})

t.test('a load leaves its receipt, its objects and its rejects', async (t) => {
  write({
    'song_data/a.json': lines(song()),
    'song_data/b.json': lines(song({ song_id: 'S2', title: 'Beta' })),
    'log_data/a.json': `${lines(event(), event({ ts: 1541106100796, itemInSession: 1 }), event())}\n{"broken\n`
  })
  const job = await load({ max_rejects: 1 })
  t.equal(job.status, 'succeeded', JSON.stringify(job.error))

  const receipt = await get('/v1/loads/1')
  t.equal(receipt.status, 200)
  const { checks, tables, measures, ...rest } = receipt.body
  t.strictSame(normalise(service, rest), {
    ...{ id: '1', sequence: 1, job_id: 'JOB', mode: 'incremental', committed_at: 'TIME', data_version: 1 },
    ...{ objects: 3, objects_skipped: 0 },
    events: { read: 4, loaded: 2, duplicates: 1, rejected: 1 },
    songs: { read: 2, loaded: 2, duplicates: 0, rejected: 0 },
    links: {
      self: '/v1/loads/1',
      objects: '/v1/loads/1/objects',
      rejects: '/v1/rejects?load_id=1',
      job: '/v1/jobs/JOB'
    }
  })
  t.equal(receipt.body.job_id, job.id)
  t.match(measures, { plays: 2, plays_without_level: 0, plays_without_song: 0, songs: 2 })
  t.ok(checks.length > 5)
  for (const check of checks) t.match(check, { status: 'passed', violations: 0 })
  t.strictSame(tables['analytics.songplays'], { inserted: 2, updated: 0, row_count: 2 })
  t.strictSame(tables['analytics.songs'], { inserted: 2, updated: 0, row_count: 2 })
  t.strictSame((await get('/v1/loads')).body, { items: [receipt.body], next_cursor: null })

  const objects = await get('/v1/loads/1/objects')
  t.equal(objects.status, 200)
  const object = (kind: string, name: string, records: object) => ({
    ...{ kind, url: `file://DATA_DIR/sources/${name}`, etag: 'ETAG', bytes: 1, records }
  })
  t.strictSame(normalise(service, objects.body), {
    items: [
      object('events', 'log_data/a.json', { read: 4, loaded: 2, duplicates: 1, rejected: 1 }),
      object('songs', 'song_data/a.json', { read: 1, loaded: 1, duplicates: 0, rejected: 0 }),
      object('songs', 'song_data/b.json', { read: 1, loaded: 1, duplicates: 0, rejected: 0 })
    ],
    next_cursor: null
  })

  const rejects = await get('/v1/rejects?load_id=1')
  t.equal(rejects.status, 200)
  const [{ message, ...reject }] = rejects.body.items
  t.type(message, 'string')
  t.strictSame(normalise(service, reject), {
    ...{ id: 0, job_id: 'JOB', load_id: '1', kind: 'events', url: 'file://DATA_DIR/sources/log_data/a.json' },
    ...{ etag: 'ETAG', line_number: 4, code: 'malformed_json', column: null, raw: '{"broken' },
    ...{ raw_truncated: false, rejected_at: 'TIME', replayed_by: null }
  })
  t.equal(rejects.body.items.length, 1)
})

t.test('loading the same again changes nothing and says so', async (t) => {
  t.equal((await load()).status, 'succeeded')
  const { body } = await get('/v1/loads/2')
  t.match(body, {
    ...{ id: '2', sequence: 2, objects: 0, objects_skipped: 3, data_version: 1 },
    events: { read: 0, loaded: 0, duplicates: 0, rejected: 0 }
  })
  t.strictSame((await get('/v1/loads/2/objects')).body, { items: [], next_cursor: null })
})

t.test('rejects of a load that failed over them are kept, and can be filtered', async (t) => {
  const bad = Array.from({ length: 7 }, (_, index) => event({ ts: 'soon', itemInSession: 10 + index }))
  write({ 'log_data/b.json': lines(...bad), 'song_data/c.json': '{"song_id": "S3"' })
  const job = await load({ max_rejects: 2 })
  t.equal(job.status, 'failed')
  t.match(job.error, { code: 'too_many_rejects', status: 422 })
  t.equal((await get('/v1/loads')).body.items.length, 2, 'nothing was published')

  const { items, pages } = await walk(t, service, `/v1/rejects?job_id=${job.id}&limit=3`)
  t.equal(pages, 3)
  t.strictSame(items, (await get(`/v1/rejects?job_id=${job.id}`)).body.items)
  t.equal(items.length, 8)
  t.ok(items.every(({ load_id }) => load_id === null))

  const filtered = async (query: string) =>
    (await get(`/v1/rejects?${query}`)).body.items.map(({ kind, code }: RejectRecord) => `${kind} ${code}`)
  t.strictSame(await filtered('kind=songs'), ['songs malformed_json'])
  t.strictSame(await filtered('code=invalid_type'), Array(7).fill('events invalid_type'))
  t.strictSame(await filtered('code=malformed_json&kind=events'), ['events malformed_json'])
  t.strictSame(await filtered('load_id=7'), [])
  t.strictSame(await filtered(`job_id=${job.id}&kind=songs&limit=1`), ['songs malformed_json'])
  write({
    'log_data/b.json': lines(event({ itemInSession: 2 })),
    'song_data/c.json': lines(song({ song_id: 'S3' }))
  })
})

t.test('pages of loads have no gap and no repetition while loads arrive', async (t) => {
  for (let count = 0; count < 4; count += 1) await load()
  const { items, pages } = await walk(t, service, '/v1/loads?limit=2', () => load())
  t.strictSame(
    items.map(({ id }) => id),
    ['6', '5', '4', '3', '2', '1']
  )
  t.equal(pages, 3)
  const { items: now } = await walk(t, service, '/v1/loads?limit=4')
  t.strictSame(
    now.map(({ sequence }) => sequence),
    [9, 8, 7, 6, 5, 4, 3, 2, 1]
  )
})

t.test('pages of objects', async (t) => {
  const { body } = await get('/v1/loads/1/objects')
  const { items, pages } = await walk(t, service, '/v1/loads/1/objects?limit=1')
  t.strictSame(items, body.items)
  t.equal(pages, 3)
})

t.test('parameters that are not understood are refused', async (t) => {
  for (const path of lists) {
    for (const [query, pointer, code, message] of [
      ['limit=0', 'limit', 'minimum', 'must be >= 1'],
      ['limit=201', 'limit', 'maximum', 'must be <= 200'],
      ['limit=many', 'limit', 'type', 'must be integer'],
      ['offset=5', 'offset', 'additionalProperties', 'is an unknown parameter']
    ] as const) {
      const response = await get(`${path}?${query}`)
      checkProblem(t, service, response, invalid(path, pointer, code, message), `${path}?${query}`)
    }
    const detail = 'cursor is not a value that next_cursor had. Start without it.'
    for (const cursor of ['x', '-', cursorOf('-1'), cursorOf('1 or 1=1'), cursorOf('9'.repeat(16)), '']) {
      const response = await get(`${path}?cursor=${cursor}`)
      checkProblem(t, service, response, problem('invalid_cursor', path, detail), `${path}?cursor=${cursor}`)
    }
  }
  for (const [query, pointer] of [
    ['load_id=abc', 'load_id'],
    ['load_id=0', 'load_id'],
    ['load_id=', 'load_id'],
    ['kind=plays', 'kind'],
    ['job_id=%00', 'job_id'],
    [`code=${'x'.repeat(65)}`, 'code'],
    [`job_id=${'x'.repeat(65)}`, 'job_id']
  ] as const) {
    const { status, body } = await get(`/v1/rejects?${query}`)
    t.equal(status, 400, query)
    t.strictSame([body.code, body.errors[0].pointer], ['invalid_request', pointer], query)
  }
  t.equal((await get('/v1/loads/1?verbose=1')).status, 400)
})
