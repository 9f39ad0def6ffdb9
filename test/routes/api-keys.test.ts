import t from 'tap'
import { build } from '../helper.ts'

const service = await build(t)
const { request } = service
const as = (key: string) => ({ scope: null, headers: { authorization: `Bearer ${key}` } })
const create = async (body: object) => request('POST', '/v1/api-keys', { body })

t.test('created, used, listed, revoked', async (t) => {
  const expires_at = new Date(Date.now() + 3_600_000).toISOString()
  const created = await create({ name: 'nightly loads', scope: 'operate', expires_at })
  t.equal(created.status, 201)
  const { id, key, ...shown } = created.body
  t.match(created.headers.location, `/v1/api-keys/${id}`)
  t.match(shown, { name: 'nightly loads', scope: 'operate', status: 'valid', expires_at, revoked_at: null })
  t.equal(key.slice(0, 10), shown.prefix)
  t.match((await request('GET', '/v1/whoami', as(key))).body, { key_id: id, scope: 'operate' })

  t.strictSame((await request('GET', `/v1/api-keys/${id}`)).body, { id, ...shown })
  const page = (await request('GET', '/v1/api-keys?limit=1')).body
  t.strictSame(page.items, [{ id, ...shown }], 'the newest comes first')
  const next = (await request('GET', `/v1/api-keys?limit=200&cursor=${page.next_cursor}`)).body
  t.equal(next.items.length, 3, 'those of this test')
  t.notMatch(JSON.stringify([page, next]), key.slice(11), 'nobody is shown a key again')

  const revoked = await request('DELETE', `/v1/api-keys/${id}`)
  t.match(revoked.body, { id, status: 'revoked', revoked_at: /^2/ })
  t.match((await request('GET', '/v1/whoami', as(key))).body, { code: 'invalid_api_key' })
  t.strictSame((await request('DELETE', `/v1/api-keys/${id}`)).body, revoked.body, 'and again')
})

t.test('rotated with an overlap', async (t) => {
  const old = (await create({ name: 'service', scope: 'read' })).body
  const fresh = await request('POST', `/v1/api-keys/${old.id}/rotate`, { body: { overlap_seconds: 60 } })
  t.equal(fresh.status, 201)
  for (const key of [old.key, fresh.body.key])
    t.equal((await request('GET', '/v1/whoami', as(key))).status, 200)
  const gone = await request('POST', `/v1/api-keys/${fresh.body.id}/rotate`, { body: { overlap_seconds: 0 } })
  t.equal(
    (await request('GET', '/v1/whoami', as(fresh.body.key))).status,
    401,
    'without one it is over at once'
  )
  t.equal((await request('GET', '/v1/whoami', as(gone.body.key))).status, 200)
})

t.test('what cannot be', async (t) => {
  const refused = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) =>
    (await request(method, `/v1/api-keys${path}`, { body })).body
  t.match(await refused('GET', '/key_0'), { status: 404, code: 'key_not_found' })
  t.match(await refused('DELETE', '/key_0'), { status: 404, code: 'key_not_found' })
  t.match(await refused('POST', '/key_0/rotate', {}), { status: 404, code: 'key_not_found' })
  t.match(await refused('POST', '', { name: 'old', scope: 'read', expires_at: '2020-01-01T00:00:00Z' }), {
    ...{ status: 400, code: 'invalid_request', errors: [{ pointer: '/expires_at' }] }
  })
  t.match(await refused('POST', '', { name: 'root', scope: 'root' }), {
    status: 400,
    code: 'invalid_request'
  })
  t.match(await refused('POST', '', { name: 'all', scope: 'admin', key: 'spk_mine' }), { status: 400 })

  await service.parts.store.query({
    ...{ name: 'test', literals: [], params: [] },
    text: "insert into api_keys (id, name, key_hash, scope) values ('key_bootstrap', 'configured', 'x', 'admin')"
  })
  t.match(await refused('DELETE', '/key_bootstrap'), { status: 409, code: 'key_configured' })
  t.match(await refused('POST', '/key_bootstrap/rotate', {}), { status: 409, code: 'key_configured' })
})

t.test('the last admin key stays', async (t) => {
  const alone = await build(t)
  const { items } = (await alone.request('GET', '/v1/api-keys')).body
  const { id } = items.find(({ scope }: { scope: string }) => scope === 'admin')
  t.match((await alone.request('DELETE', `/v1/api-keys/${id}`)).body, { status: 409, code: 'last_admin_key' })
  const body = { name: 'second', scope: 'admin' }
  const { key } = (await alone.request('POST', '/v1/api-keys', { body })).body
  t.equal((await alone.request('DELETE', `/v1/api-keys/${id}`)).status, 200)
  t.equal((await alone.request('GET', '/v1/api-keys', as(key))).status, 200)
})
