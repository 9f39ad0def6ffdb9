/** What POST /v1/jobs accepts and refuses, and what it does with a request that comes twice. */
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { blockLane, checkProblem, countJobs, invalid, problem, rows } from '../api-fixture.ts'
import { build, type RequestOptions } from '../helper.ts'

const service = await build(t)
await service.prepareWarehouse()
const start = (body: unknown, options: RequestOptions = {}) =>
  service.request('POST', '/v1/jobs', { scope: 'operate', body, ...options })

const notAllowed = (directory: string) =>
  `${directory} is not in a directory that jobs may read. SOURCE_ROOTS lists those; the operator can add it there.`

t.test('the same Idempotency-Key gives the same job', async (t) => {
  const unblock = await blockLane(service)
  const keyed = (body: unknown, key: string, scope: 'operate' | 'admin' = 'operate') =>
    start(body, { scope, headers: { 'idempotency-key': key } })
  const first = await keyed({ type: 'etl', mode: 'full', max_rejects: 1 }, 'k1')
  const before = await countJobs(service)
  const again = await keyed({ max_rejects: 1, mode: 'full', type: 'etl' }, 'k1')
  t.equal(again.status, 202)
  t.equal(again.headers['idempotency-replayed'], 'true')
  t.equal(again.headers.location, `/v1/jobs/${first.body.id}`)
  t.strictSame(again.body, first.body)

  const plain = await keyed({ type: 'etl' }, 'k2')
  t.equal(
    (await keyed({ type: 'etl', mode: 'incremental' }, 'k2')).body.id,
    plain.body.id,
    'defaults are the same'
  )

  const other = await keyed({ type: 'etl', mode: 'incremental' }, 'k1')
  const detail =
    'The Idempotency-Key was used for another request, which started JOB. Use a new key for a new request.'
  checkProblem(t, service, other, problem('idempotency_key_reused', '/v1/jobs', detail))

  const elsewhere = await service.request('POST', '/v1/tables', {
    ...{ scope: 'operate', headers: { 'idempotency-key': 'k1' } }
  })
  checkProblem(t, service, elsewhere, problem('idempotency_key_reused', '/v1/tables', detail))

  const stranger = await keyed({ type: 'etl', mode: 'full', max_rejects: 1 }, 'k1', 'admin')
  t.not(stranger.body.id, first.body.id, "another caller's key is another key")

  const twins = await Promise.all([keyed({ type: 'etl' }, 'k3'), keyed({ type: 'etl' }, 'k3')])
  t.equal(twins[0]?.body.id, twins[1]?.body.id, 'two at the same moment are one')
  t.equal(twins.filter(({ headers }) => headers['idempotency-replayed']).length, 1)
  t.equal(await countJobs(service), before + 3, 'k2, the other caller, and k3')
  const keys = await rows<{ key: string }>(service, 'select key from idempotency_keys order by key, actor')
  t.strictSame(
    keys.map(({ key }) => key),
    ['k1', 'k1', 'k2', 'k3']
  )

  await rows(service, "update idempotency_keys set created_at = now() - interval '73 hours' where key = 'k2'")
  t.not((await keyed({ type: 'etl' }, 'k2')).body.id, plain.body.id, 'after 72 hours it is forgotten')
  await unblock()
})

t.test('a repeated request gets its job even when a new one would be refused', async (t) => {
  const request = { type: 'etl', song_data: join(service.config.SONG_DATA, 'later') }
  const headers = { 'idempotency-key': 'before-the-link' }
  const first = await start(request, { headers })
  t.equal(first.status, 202)
  symlinkSync('/etc', request.song_data)
  checkProblem(
    t,
    service,
    await start(request),
    problem('source_not_allowed', '/v1/jobs', notAllowed('DATA_DIR/sources/song_data/later')),
    'a link that leads out of the roots'
  )
  const again = await start(request, { headers })
  t.equal(again.body.id, first.body.id)
  t.equal(again.headers['idempotency-replayed'], 'true')
})

t.test('a source outside SOURCE_ROOTS is refused', async (t) => {
  const before = await countJobs(service)
  const { SONG_DATA } = service.config
  for (const directory of [
    '/etc',
    '/',
    '..',
    `${SONG_DATA}/../..`,
    `${SONG_DATA}-other`,
    's3://bucket/prefix/'
  ]) {
    for (const source of ['song_data', 'log_data']) {
      const response = await start({ type: 'etl', [source]: directory })
      const shown = directory.replace(service.config.DATA_DIR, 'DATA_DIR')
      checkProblem(t, service, response, problem('source_not_allowed', '/v1/jobs', notAllowed(shown)))
    }
  }
  t.equal(await countJobs(service), before)
})

const SHARE = 'must match pattern "^(100|[0-9]{1,2}(\\.[0-9]{1,4})?)%$"'

t.test('a body must have exactly the right shape', async (t) => {
  const before = await countJobs(service)
  for (const [body, pointer, code, message] of [
    [undefined, '', 'type', 'must be object'],
    ['[]', '', 'type', 'must be object'],
    ['null', '', 'type', 'must be object'],
    ['"etl"', '', 'type', 'must be object'],
    [{}, '/type', 'required', 'is required'],
    [{ type: 'tables.drop' }, '/type', 'const', 'must be equal to constant'],
    [{ type: 'etl', type_: 1 }, '/type_', 'additionalProperties', 'is an unknown property'],
    [{ type: 'etl', max_rejects: '5' }, '/max_rejects', 'pattern', SHARE],
    [{ type: 'etl', max_rejects: '101%' }, '/max_rejects', 'pattern', SHARE],
    [{ type: 'etl', dry_run: 'yes' }, '/dry_run', 'type', 'must be boolean'],
    [{ type: 'etl', max_rejects: true }, '/max_rejects', 'type', 'must be integer,string'],
    [{ type: 'etl', max_rejects: null }, '/max_rejects', 'type', 'must be integer,string'],
    [{ type: 'etl', max_rejects: 1.5 }, '/max_rejects', 'type', 'must be integer,string'],
    [{ type: 'etl', max_rejects: -1 }, '/max_rejects', 'minimum', 'must be >= 0'],
    [{ type: 'etl', max_rejects: 1_000_001 }, '/max_rejects', 'maximum', 'must be <= 1000000'],
    [{ type: 'etl', song_data: 5 }, '/song_data', 'type', 'must be string'],
    [{ type: 'etl', song_data: ['a'] }, '/song_data', 'type', 'must be string'],
    [{ type: 'etl', song_data: '' }, '/song_data', 'minLength', 'must NOT have fewer than 1 characters'],
    [
      { type: 'etl', mode: 'replace' },
      '/mode',
      'enum',
      'must be equal to one of the allowed values: incremental, full'
    ]
  ] as const) {
    const response = await start(body)
    checkProblem(t, service, response, invalid('/v1/jobs', pointer, code, message), JSON.stringify(body))
  }
  for (const text of ['\0', 'a\ud800b', '\udfff']) {
    const song_data = `${service.config.SONG_DATA}/${text}`
    const response = await start({ type: 'etl', song_data })
    t.equal(response.status, 400, 'what PostgreSQL cannot store')
    t.strictSame(response.body.errors.length, 1)
  }
  const several = await start({ mode: 'no', max_rejects: -1, more: 1 })
  t.strictSame(
    several.body.errors.map(({ pointer }: { pointer: string }) => pointer).sort(),
    ['/max_rejects', '/mode', '/more', '/type'],
    'everything that is wrong is named at once'
  )
  checkProblem(
    t,
    service,
    await service.request('POST', '/v1/jobs?mode=full', { body: { type: 'etl' } }),
    invalid('/v1/jobs', 'mode', 'additionalProperties', 'is an unknown parameter')
  )
  for (const key of ['', 'x'.repeat(256)]) {
    const response = await start({ type: 'etl' }, { headers: { 'idempotency-key': key } })
    t.equal(response.status, 400, `a key of ${key.length} characters`)
  }
  t.equal(await countJobs(service), before)
})

t.test('a body must be JSON, and small', async (t) => {
  const before = await countJobs(service)
  const notJson = problem(
    'malformed_json',
    '/v1/jobs',
    'The body is not JSON, or it has a key that is forbidden.'
  )
  for (const body of [
    '{"type": "etl"',
    "{'type': 'etl'}",
    'type=etl',
    '{"type": "etl"}}',
    '{"type": "etl", "__proto__": {"mode": "full"}}',
    '{"type": "etl", "constructor": {"prototype": {"mode": "full"}}}'
  ]) {
    checkProblem(t, service, await start(body), notJson, body)
  }
  t.equal(({} as Record<string, unknown>).mode, undefined, 'no prototype was touched')

  const wrongType = problem(
    'unsupported_media_type',
    '/v1/jobs',
    'Send the body as JSON, with Content-Type: application/json.'
  )
  for (const [type, body] of [
    ['text/plain', '{"type": "etl"}'],
    ['application/x-www-form-urlencoded', 'type=etl'],
    ['multipart/form-data; boundary=x', '--x--'],
    ['application/xml', '<type>etl</type>'],
    ['nonsense', '{"type": "etl"}'],
    ['', '{"type": "etl"}']
  ] as const) {
    checkProblem(t, service, await start(body, { headers: { 'content-type': type } }), wrongType, type)
  }
  const large = await start({ type: 'etl', song_data: 'x'.repeat(64 * 1024) })
  checkProblem(t, service, large, problem('body_too_large', '/v1/jobs', 'Request body is too large'))
  t.equal(await countJobs(service), before)
})
