import { join } from 'node:path'
import t from 'tap'
import type { Table } from '../../src/schemas/tables.ts'
import { parseSql } from '../../src/sql.ts'
import {
  blockLane,
  checkProblem,
  countJobs,
  invalid,
  normalise,
  problem,
  queuedJob,
  rows
} from '../api-fixture.ts'
import { writeFiles } from '../files.ts'
import { build, type RequestOptions } from '../helper.ts'
import { event, lines, song } from '../records.ts'

const service = await build(t)
const wait = { prefer: 'wait=60' }
const names = [
  ...['analytics.artists', 'analytics.songplays', 'analytics.songs', 'analytics.time', 'analytics.users'],
  ...['ops.load_lock', 'ops.loaded_objects', 'ops.loads', 'ops.rejects', 'staging.events', 'staging.songs']
]
const create = (options: RequestOptions = {}) => service.request('POST', '/v1/tables', options)
const list = async () => (await service.request('GET', '/v1/tables', { scope: 'read' })).body.items as Table[]
const columnsOf = async (schema: string, name: string) => {
  const sql = `select column_name from information_schema.columns
    where table_schema = '${schema}' and table_name = '${name}' order by ordinal_position`
  return (await service.parts.warehouse.run(parseSql('test', sql))).rows.map((row) => row.column_name)
}

t.test('without a cluster there are no tables', async (t) => {
  const missing = problem(
    'cluster_not_found',
    '/v1/tables',
    'There is no cluster yet. Create it with PUT /v1/cluster.'
  )
  checkProblem(t, service, await service.request('GET', '/v1/tables'), missing, 'list')
  checkProblem(t, service, await create(), missing, 'create')
  const recreate = { recreate: true, confirm: 'sparkify' }
  checkProblem(t, service, await create({ body: recreate }), missing, 'recreate')
  checkProblem(t, service, await service.request('DELETE', '/v1/tables?confirm=sparkify'), missing, 'drop')
  const one = await service.request('GET', '/v1/tables/analytics.songs')
  checkProblem(t, service, one, { ...missing, instance: '/v1/tables/analytics.songs' }, 'get')
  t.equal(await countJobs(service), 0)
  await service.request('PUT', '/v1/cluster', { headers: wait })
})

t.test('tables are listed before they exist', async (t) => {
  const { status, body } = await service.request('GET', '/v1/tables', { scope: 'read' })
  t.equal(status, 200)
  t.equal(body.next_cursor, null)
  t.strictSame(body.items.map(({ schema, name }: Table) => `${schema}.${name}`).sort(), names)
  for (const { exists, row_count } of body.items) t.strictSame([exists, row_count], [false, null])
})

t.test('POST creates them, with no body and with an empty one', async (t) => {
  const { status, headers, body } = await create({ scope: 'operate' })
  t.equal(status, 202)
  t.equal(headers.location, `/v1/jobs/${body.id}`)
  t.strictSame(normalise(service, body), queuedJob('tables.create'))
  const ended = await service.waitForJob(body.id)
  t.equal(ended.status, 'succeeded')
  t.strictSame((ended.result as { tables: string[] }).tables.toSorted(), names)
  for (const { exists, row_count } of await list()) t.strictSame([exists, row_count], [true, 0])
  t.strictSame(await columnsOf('analytics', 'songs'), ['song_id', 'title', 'artist_id', 'year', 'duration'])
  t.strictSame(await rows(service, "select status, params from jobs where type = 'tables.create'"), [
    { status: 'succeeded', params: {} }
  ])

  for (const options of [
    { body: {} },
    { body: { recreate: false } },
    { headers: { 'content-type': 'application/json' } }
  ]) {
    const again = await create({ ...options, headers: { ...options.headers, ...wait } })
    t.equal(again.status, 200, JSON.stringify(options))
    t.equal(again.body.status, 'succeeded', 'what is there already is left alone')
  }
})

t.test('GET shows one table', async (t) => {
  const { status, body } = await service.request('GET', '/v1/tables/analytics.songs', { scope: 'read' })
  t.equal(status, 200)
  t.strictSame(body, {
    ...{ schema: 'analytics', name: 'songs', description: body.description, exists: true, row_count: 0 },
    columns: [
      { name: 'song_id', type: 'varchar(256)', nullable: false },
      { name: 'title', type: 'varchar(4096)', nullable: false },
      { name: 'artist_id', type: 'varchar(256)', nullable: false },
      { name: 'year', type: 'bigint', nullable: true },
      { name: 'duration', type: 'double precision', nullable: true }
    ],
    ...{ key: ['song_id'], distribution: body.distribution, sort_key: body.sort_key, skew: null }
  })
  t.strictSame(
    body,
    (await list()).find(({ name, schema }) => schema === 'analytics' && name === 'songs')
  )
  for (const table of [
    'songs',
    'analytics.plays',
    'Analytics.Songs',
    'analytics.songs%3Bdrop',
    'pg_catalog.pg_class'
  ]) {
    const path = `/v1/tables/${table}`
    const response = await service.request('GET', path)
    t.equal(response.status, 404, table)
    t.match(response.body, {
      code: 'table_not_found',
      detail: `There is no table ${decodeURIComponent(table)}. There are: `
    })
  }
})

t.test('a body must have exactly the right shape', async (t) => {
  const before = await countJobs(service)
  for (const [body, pointer, code, message] of [
    ['null', '', 'type', 'must be object'],
    ['[]', '', 'type', 'must be object'],
    [{ recreate: 'true' }, '/recreate', 'type', 'must be boolean'],
    [{ recreate: 1 }, '/recreate', 'type', 'must be boolean'],
    [{ recreate: true, confirm: 5 }, '/confirm', 'type', 'must be string'],
    [{ drop: true }, '/drop', 'additionalProperties', 'is an unknown property']
  ] as const) {
    checkProblem(
      t,
      service,
      await create({ body }),
      invalid('/v1/tables', pointer, code, message),
      JSON.stringify(body)
    )
  }
  const json = 'The body is not JSON, or it has a key that is forbidden.'
  for (const body of ['{', '{"__proto__": {"recreate": true}}']) {
    checkProblem(t, service, await create({ body }), problem('malformed_json', '/v1/tables', json), body)
  }
  const media = 'Send the body as JSON, with Content-Type: application/json.'
  for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
    const response = await create({ body: 'recreate=true', headers: { 'content-type': type } })
    checkProblem(t, service, response, problem('unsupported_media_type', '/v1/tables', media), type)
  }
  const large = await create({ body: { confirm: 'x'.repeat(70_000) } })
  checkProblem(t, service, large, problem('body_too_large', '/v1/tables', 'Request body is too large'))
  checkProblem(
    t,
    service,
    await service.request('POST', '/v1/tables?recreate=true'),
    invalid('/v1/tables', 'recreate', 'additionalProperties', 'is an unknown parameter')
  )
  t.equal(await countJobs(service), before)
})

t.test('dropping needs the name of the database', async (t) => {
  const before = await countJobs(service)
  const mismatch = problem(
    'confirmation_mismatch',
    '/v1/tables',
    'This drops every table with its rows and the load ledger. confirm must be the name of the database, sparkify.'
  )
  for (const body of [
    { recreate: true },
    { recreate: true, confirm: '' },
    { recreate: true, confirm: 'SPARKIFY' }
  ]) {
    checkProblem(t, service, await create({ body }), mismatch, JSON.stringify(body))
  }
  checkProblem(t, service, await service.request('DELETE', '/v1/tables?confirm=no'), mismatch, 'DELETE')
  for (const [query, pointer, code, message] of [
    ['', 'confirm', 'required', 'is required'],
    ['?confirm=sparkify&cascade=true', 'cascade', 'additionalProperties', 'is an unknown parameter']
  ] as const) {
    const response = await service.request('DELETE', `/v1/tables${query}`)
    checkProblem(t, service, response, invalid('/v1/tables', pointer, code, message), `DELETE ${query}`)
  }
  t.equal(await countJobs(service), before)
  t.ok(
    (await list()).every(({ exists }) => exists),
    'they are all still there'
  )
})

t.test('recreate empties them, the ledger too', async (t) => {
  writeFiles(join(service.config.DATA_DIR, 'sources'), {
    'song_data/a.json': lines(song()),
    'log_data/a.json': lines(event())
  })
  await service.request('POST', '/v1/jobs', { body: { type: 'etl' }, headers: wait })
  const counts = async () => (await list()).filter(({ row_count }) => row_count !== 0).length
  t.equal(await counts(), 9, 'all but the rejects have rows')

  await create({ headers: wait })
  t.equal(await counts(), 9, 'create leaves them alone')
  const { status, body } = await create({ body: { recreate: true, confirm: 'sparkify' }, headers: wait })
  t.equal(status, 200)
  t.equal(body.type, 'tables.recreate')
  t.equal(body.status, 'succeeded')
  t.equal(await counts(), 0)
  t.ok((await list()).every(({ exists }) => exists))
})

t.test('DELETE drops them, once for a key', async (t) => {
  const headers = { 'idempotency-key': 'drop' }
  const unblock = await blockLane(service)
  const first = await service.request('DELETE', '/v1/tables?confirm=sparkify', { headers })
  t.equal(first.status, 202)
  t.match(first.body, { type: 'tables.drop', status: 'queued', params: {} })
  const again = await service.request('DELETE', '/v1/tables?confirm=sparkify', { headers })
  t.strictSame(again.body, first.body)
  t.equal(again.headers['idempotency-replayed'], 'true')
  const other = await create({ headers })
  const detail =
    'The Idempotency-Key was used for another request, which started JOB. Use a new key for a new request.'
  checkProblem(t, service, other, problem('idempotency_key_reused', '/v1/tables', detail))
  await unblock()
  t.equal((await service.waitForJob(first.body.id)).status, 'succeeded')
  for (const { exists, row_count } of await list()) t.strictSame([exists, row_count], [false, null])
  t.strictSame(await columnsOf('analytics', 'songs'), [])
})

t.test('a table of another shape is not taken for ours', async (t) => {
  await service.parts.warehouse.write(async (session) => {
    await session.run(
      parseSql('test', 'create table analytics.songs (song_id varchar(18), title varchar(9))')
    )
  })
  const { status, body } = await create({ headers: wait })
  t.equal(status, 200)
  t.equal(body.status, 'failed')
  t.strictSame(body.error, {
    type: 'urn:sparkify-warehouse:error:tables_outdated',
    title: 'The tables have another shape',
    status: 409,
    detail:
      'These tables exist with other columns: analytics.songs. POST /v1/tables with recreate drops and creates them.',
    code: 'tables_outdated'
  })
  t.strictSame(await columnsOf('analytics', 'users'), [], 'nothing was created')
  const recreated = await create({ body: { recreate: true, confirm: 'sparkify' }, headers: wait })
  t.equal(recreated.body.status, 'succeeded')
})
