/** Answers compared with what they should be: equal, or every difference. */
import { join } from 'node:path'
import t from 'tap'
import { checkProblem, normalise, problem } from '../api-fixture.ts'
import { writeFiles } from '../files.ts'
import { build } from '../helper.ts'
import { event, type Json, lines, song } from '../records.ts'

const service = await build(t)
await service.prepareWarehouse()
writeFiles(join(service.config.DATA_DIR, 'sources'), {
  'song_data/a.json': lines(
    song({ title: '=Alpha' }),
    song({ song_id: 'S2', title: 'Beta', artist_id: 'A2', artist_name: 'Bob' })
  ),
  'log_data/a.json': lines(
    event({ song: '=Alpha', length: 100.1 }),
    event({ song: '=Alpha', itemInSession: 1, length: 200.2 }),
    event({ song: 'Beta', artist: 'Bob', itemInSession: 2, userId: '2', level: 'paid' })
  )
})
await service.request('POST', '/v1/jobs', { body: { type: 'etl' }, headers: { prefer: 'wait=60' } })

const verify = (query: string, body: Json) =>
  service.request('POST', `/v1/analytics/${query}/verify`, { scope: 'read', body })
const alpha = {
  song_id: 'S1',
  title: '=Alpha',
  artist_id: 'A1',
  name: 'Ann',
  month: 11,
  year: 2018,
  plays: 2
}
const beta = { song_id: 'S2', title: 'Beta', artist_id: 'A2', name: 'Bob', month: 11, year: 2018, plays: 1 }

t.test('equal', async (t) => {
  const { status, body } = await verify('top-songs', { expected: [alpha, beta] })
  t.equal(status, 200)
  t.strictSame(body, {
    ...{
      query: 'top-songs',
      params: { year: 2018, from: null, to: null, level: null, location: null, limit: 5 },
      equal: true,
      expected_rows: 2,
      found_rows: 2
    },
    ...{ difference_count: 0, differences: [], data_version: 1 }
  })
  const csv = await service.request('GET', '/v1/analytics/top-songs/results?format=csv')
  t.match((await verify('top-songs', { expected: csv.body })).body, { equal: true }, 'its own CSV')
  t.match((await verify('top-songs', { expected: [beta, alpha], ordered: false })).body, { equal: true })
  t.match((await verify('top-songs', { params: { limit: 1 }, expected: [alpha] })).body, { equal: true })
  t.match((await verify('top-songs', { params: { year: 1999 }, expected: [] })).body, { equal: true })
})

t.test('every difference', async (t) => {
  const other = { ...alpha, plays: 3, title: 'Alpha' }
  const { body } = await verify('top-songs', { expected: [other] })
  t.match(body, { equal: false, expected_rows: 1, found_rows: 2, difference_count: 2 })
  t.strictSame(body.differences, [
    { row: 1, kind: 'different', columns: ['title', 'plays'], expected: other, found: alpha },
    { row: 2, kind: 'unexpected', expected: null, found: beta }
  ])
  t.strictSame((await verify('top-songs', { expected: [beta, alpha] })).body.difference_count, 2, 'in order')
  t.strictSame(
    (await verify('top-songs', { expected: [alpha, alpha, beta], ordered: false })).body.differences,
    [{ row: 2, kind: 'missing', expected: alpha, found: null }]
  )
  const { body: long } = await verify('users-by-level', {
    expected: Array.from({ length: 150 }, () => ({ level: 'x', users: 1 }))
  })
  t.match(long, { difference_count: 150, differences: { length: 100 } })
})

t.test('numbers may differ a little', async (t) => {
  const expected = [
    { level: 'free', users: 1 },
    { level: 'paid', users: 1.0000000001 }
  ]
  t.equal((await verify('users-by-level', { expected })).body.equal, true)
  t.equal((await verify('users-by-level', { expected, tolerance: 0 })).body.equal, false)
})

t.test('what cannot be compared is refused', async (t) => {
  const path = '/v1/analytics/users-by-level/verify'
  for (const [body, pointer, message] of [
    [{ expected: [{ level: 'free' }] }, '/expected/0/users', 'is missing'],
    [
      { expected: [{ level: 'free', users: 1, more: 2 }] },
      '/expected/0/more',
      'is no column; there are: level, users'
    ],
    [{ expected: 'level,users\n"free,1' }, '/expected', /^is not CSV: /],
    [{ expected: [], params: { year: 2018 } }, '/params/year', 'is an unknown parameter'],
    [{ expected: [], params: { constructor: 1 } }, '/params/constructor', 'is an unknown parameter']
  ] as const) {
    const response = await verify('users-by-level', body)
    t.equal(response.status, 400)
    t.match(response.body, { code: 'invalid_request', instance: path, errors: [{ pointer, message }] })
  }
  t.match((await verify('top-songs', { expected: [], params: { limit: 0 } })).body.errors, [
    { pointer: '/params/limit' }
  ])
  for (const body of [{}, { expected: 5 }, { expected: [], tolerance: 2 }, { expected: [], more: 1 }]) {
    t.equal((await verify('users-by-level', body)).status, 400, JSON.stringify(body))
  }
  const response = await verify('flops', { expected: [] })
  t.equal(response.status, 404)
  checkProblem(
    t,
    service,
    response,
    problem('query_not_found', '/v1/analytics/flops/verify', response.body.detail)
  )
  t.ok(normalise(service, response.body))
})
