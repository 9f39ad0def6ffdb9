/** What the service refuses whoever asks, and what its answers forbid. */
import t from 'tap'
import { build } from '../helper.ts'

t.test('a service of this machine answers to names of this machine only', async (t) => {
  const { app } = await build(t)
  const to = async (host: string) => (await app.inject({ url: '/version', headers: { host } })).json()
  for (const host of ['localhost', 'localhost:3000', '127.0.0.1:3000', '[::1]:3000', 'LOCALHOST']) {
    t.match(await to(host), { name: 'sparkify-warehouse' }, host)
  }
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:3000', '10.0.0.1']) {
    t.match(await to(host), { status: 421, code: 'host_not_allowed' }, host)
  }
  const named = await build(t, { ALLOWED_HOSTS: 'Warehouse.example, other.example' })
  for (const [host, status] of [
    ['warehouse.example:3000', 200],
    ['other.example', 200],
    ['localhost', 200],
    ['evil.example', 421]
  ] as const) {
    t.equal((await named.app.inject({ url: '/version', headers: { host } })).statusCode, status, host)
  }
})

t.test('a service of a network answers to any name, unless it is told its names', async (t) => {
  const open = await build(t, { HOST: '0.0.0.0' })
  t.equal((await open.app.inject({ url: '/version', headers: { host: 'any.example' } })).statusCode, 200)
  const named = await build(t, { HOST: '0.0.0.0', ALLOWED_HOSTS: 'warehouse.example' })
  t.equal((await named.app.inject({ url: '/version', headers: { host: 'any.example' } })).statusCode, 421)
})

t.test('a key may ask so often in a minute', async (t) => {
  const service = await build(t, { RATE_LIMIT_PER_MINUTE: '3' })
  const ask = (scope: 'read' | 'admin') => service.request('GET', '/v1/whoami', { scope })
  for (const left of ['2', '1', '0']) {
    t.match((await ask('read')).headers, { 'ratelimit-limit': '3', 'ratelimit-remaining': left })
  }
  const refused = await ask('read')
  t.match(refused.body, { status: 429, code: 'too_many_requests', detail: /3 requests of this key/ })
  t.ok(Number(refused.headers['retry-after']) > 0)
  const held = await service.request('POST', '/v1/jobs', { scope: 'read', body: { type: 'etl' } })
  t.equal(held.status, 429)
  const { items } = (await service.request('GET', '/v1/audit-events')).body
  t.same(items, [], 'what is held back is no load on the audit log')
  t.equal((await ask('admin')).status, 200, 'another key is counted by itself')
  t.equal((await service.request('GET', '/livez', { scope: null })).status, 200, "and health is nobody's")
})

t.test('an address may try so many keys that are not valid', async (t) => {
  const service = await build(t)
  const guess = async (remoteAddress: string) =>
    (
      await service.app.inject({
        ...{ url: '/v1/whoami', remoteAddress },
        headers: { authorization: 'Bearer spk_guess' }
      })
    ).statusCode
  const tries = []
  for (let n = 0; n < 62; n += 1) tries.push(await guess('192.0.2.1'))
  t.same([tries[0], tries[59], tries[60], tries[61]], [401, 401, 429, 429])
  t.equal(await guess('192.0.2.2'), 401, 'another address is counted by itself')
  const valid = { headers: { authorization: `Bearer ${service.keys.read}` }, remoteAddress: '192.0.2.1' }
  t.equal(
    (await service.app.inject({ url: '/v1/whoami', ...valid })).statusCode,
    200,
    'a valid key still works'
  )
})

t.test('no form of another site can ask for anything', async (t) => {
  const service = await build(t)
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const { body } = await service.request('POST', '/v1/jobs', {
      headers: { 'content-type': type },
      body: '{}'
    })
    t.match(body, { status: 415, code: 'unsupported_media_type' }, type)
  }
  const answer = await service.request('GET', '/v1/whoami', { headers: { origin: 'https://evil.example' } })
  t.equal(answer.headers['access-control-allow-origin'], undefined)
  t.equal((await service.request('OPTIONS', '/v1/jobs')).status, 405)
})

t.test('answers are data, and no pages', async (t) => {
  const service = await build(t)
  for (const path of ['/v1/whoami', '/v1/nothing', '/livez']) {
    t.match((await service.request('GET', path)).headers, {
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'"
    })
  }
})

t.test('a body cannot reach a prototype', async (t) => {
  const service = await build(t)
  for (const body of ['{"type":"etl","__proto__":{"x":1}}', '{"constructor":{"prototype":{"x":1}}}']) {
    t.equal((await service.request('POST', '/v1/jobs', { body })).status, 400, body)
  }
  t.equal(({} as Record<string, unknown>).x, undefined)
})
