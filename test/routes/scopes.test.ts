/** Who may do what: every route under /v1, with every kind of key. */
import t from 'tap'
import { readBuiltinCatalogue } from '../../src/services/analytics-catalogue.ts'
import { createApiKeys } from '../../src/services/api-keys.ts'
import { checkProblem, collectRoutes, countJobs, normalise, problem, rows } from '../api-fixture.ts'
import { build, type TestService } from '../helper.ts'

/** The scopes as `api.md` has them. A route that is missing here fails the test: somebody must decide on it. */
const scopes: Record<string, 'read' | 'operate' | 'admin'> = {
  'GET /v1/whoami': 'read',
  'GET /v1/api-keys': 'admin',
  'POST /v1/api-keys': 'admin',
  'GET /v1/api-keys/:id': 'admin',
  'DELETE /v1/api-keys/:id': 'admin',
  'POST /v1/api-keys/:id/rotate': 'admin',
  'GET /v1/audit-events': 'admin',
  'POST /v1/audit-events/verify': 'admin',
  'GET /v1/cluster': 'read',
  'PUT /v1/cluster': 'admin',
  'POST /v1/cluster/plan': 'read',
  'DELETE /v1/cluster': 'admin',
  'POST /v1/cluster/pause': 'admin',
  'POST /v1/cluster/resume': 'admin',
  'GET /v1/tables': 'read',
  'GET /v1/tables/:table': 'read',
  'POST /v1/tables': 'operate',
  'POST /v1/tables/rebuild': 'operate',
  'DELETE /v1/tables': 'admin',
  'POST /v1/jobs': 'operate',
  'GET /v1/jobs': 'read',
  'GET /v1/jobs/:id': 'read',
  'GET /v1/jobs/:id/events': 'read',
  'GET /v1/jobs/:id/attempts': 'read',
  'GET /v1/jobs/:id/bundle': 'read',
  'GET /v1/doctor': 'admin',
  'POST /v1/jobs/:id/cancel': 'operate',
  'POST /v1/jobs/:id/retry': 'operate',
  'GET /v1/job-events': 'read',
  'GET /v1/schedules': 'read',
  'POST /v1/schedules': 'operate',
  'GET /v1/schedules/:id': 'read',
  'PUT /v1/schedules/:id': 'operate',
  'DELETE /v1/schedules/:id': 'operate',
  'POST /v1/schedules/:id/pause': 'operate',
  'POST /v1/schedules/:id/resume': 'operate',
  'POST /v1/schedules/:id/trigger': 'operate',
  'GET /v1/schedules/:id/next-runs': 'read',
  'GET /v1/jobs/:id/deliveries': 'read',
  'POST /v1/jobs/:id/deliveries/:delivery_id/redeliver': 'operate',
  'GET /v1/loads': 'read',
  'GET /v1/loads/:id': 'read',
  'GET /v1/loads/:id/objects': 'read',
  'POST /v1/loads/:id/verify': 'operate',
  'GET /v1/rejects': 'read',
  'POST /v1/rejects/replay': 'operate',
  'GET /v1/analytics': 'read',
  'GET /v1/analytics/:query': 'read',
  'GET /v1/analytics/:query/results': 'read',
  'GET /v1/analytics/:query/chart': 'read',
  'POST /v1/analytics/:query/verify': 'read',
  ...Object.fromEntries(
    readBuiltinCatalogue().map(({ query }) => [`GET /v1/analytics/${query}/results`, 'read'])
  )
}

const order = ['read', 'operate', 'admin'] as const
let service = {} as TestService
const routes = (
  await collectRoutes(async () => {
    service = await build(t)
  })
).filter(({ url }) => url.startsWith('/v1'))

const apiKeys = createApiKeys(service.parts.store)
const expired = await apiKeys.create({ name: 'expired', scope: 'admin' })
await rows(service, "update api_keys set expires_at = now() - interval '1 second' where id = :id::text", {
  id: expired.id
})
const revoked = await apiKeys.create({ name: 'revoked', scope: 'admin' })
await rows(service, 'update api_keys set revoked_at = now() where id = :id::text', {
  id: revoked.id
})
const notYetExpired = await apiKeys.create({
  ...{ name: 'temporary', scope: 'admin' },
  expires_at: new Date(Date.now() + 3_600_000).toISOString()
})

const callers: Record<string, string | undefined> = {
  'no key': undefined,
  ...service.keys,
  expired: expired.key,
  revoked: revoked.key,
  temporary: notYetExpired.key
}
let callersSeen = 0
const rankOf = (caller: string) => order.indexOf(caller === 'temporary' ? 'admin' : (caller as 'read'))

t.test('every route under /v1 is in the table, with the scope that it has', async (t) => {
  const found = routes.filter(({ method }) => method !== 'HEAD')
  t.same(Object.fromEntries(found.map(({ method, url, scope }) => [`${method} ${url}`, scope])), scopes)
})

for (const { method, url } of routes) {
  t.test(`${method} ${url}`, async (t) => {
    const needed = scopes[`${method === 'HEAD' ? 'GET' : method} ${url}`] ?? 'admin'
    // The unknown parameter stops whoever gets past the keys before anything is done.
    const path = url.replace(':table', 'a.b').replace(/:\w+/, 'x')
    for (const [caller, key] of Object.entries(callers)) {
      callersSeen += 1
      const { statusCode, headers } = await service.app.inject({
        // Too many failed tries of one address are answered otherwise.
        remoteAddress: `10.0.${callersSeen >> 8}.${callersSeen & 255}`,
        method: method as 'GET',
        url: `${path}?no_such_parameter=1`,
        headers: key === undefined ? {} : { authorization: `Bearer ${key}` }
      })
      const isKnown = rankOf(caller) >= 0
      const isAllowed = rankOf(caller) >= order.indexOf(needed)
      const passed = /^\/v1\/analytics\/:query\/(results|chart)$/.test(url) ? 404 : 400
      t.equal(statusCode, isAllowed ? passed : isKnown ? 403 : 401, caller)
      t.equal(headers['www-authenticate'], isKnown ? undefined : 'Bearer', caller)
    }
  })
}

t.test('nothing of that has started a job', async (t) => {
  t.equal(await countJobs(service), 0)
})

t.test('the errors tell what is missing and nothing about the keys', async (t) => {
  const get = async (authorization?: string) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    return service.request('GET', '/v1/whoami', { scope: null, headers })
  }
  const missing = problem(
    'missing_credentials',
    '/v1/whoami',
    'Send your API key as Authorization: Bearer <key>.'
  )
  const { admin } = service.keys
  for (const header of [undefined, '', 'Bearer', 'Bearer ', admin, `Basic ${admin}`, `Bearer${admin}`]) {
    checkProblem(t, service, await get(header), missing, String(header?.replace(admin, '<key>')))
  }
  checkProblem(
    t,
    service,
    await service.request('GET', `/v1/whoami?api_key=${admin}`, { scope: null }),
    missing,
    'a key in the query string is none'
  )
  const unknown = problem('invalid_api_key', '/v1/whoami', 'The API key is unknown, expired or revoked.')
  const others = {
    unknown: 'spk_unknown',
    expired: expired.key,
    revoked: revoked.key,
    cut: admin.slice(0, -1)
  }
  for (const [about, key] of Object.entries(others)) {
    checkProblem(t, service, await get(`Bearer ${key}`), unknown, about)
  }
  for (const header of [`bearer ${admin}`, `BEARER  ${admin}`]) {
    t.equal((await get(header)).status, 200, 'the scheme may be spelled in any case')
  }
  const denied = await service.request('DELETE', '/v1/cluster', { scope: 'operate' })
  checkProblem(
    t,
    service,
    denied,
    problem('insufficient_scope', '/v1/cluster', 'This needs the scope admin; the key KEY has operate.'),
    String(normalise(service, denied.body.detail))
  )
})

t.test('POST /v1/tables needs admin to recreate, and operate to create', async (t) => {
  await service.prepareWarehouse()
  const before = await countJobs(service)
  for (const body of [
    { recreate: true },
    { recreate: true, confirm: 'sparkify' },
    { recreate: true, confirm: 'wrong' }
  ]) {
    checkProblem(
      t,
      service,
      await service.request('POST', '/v1/tables', { scope: 'operate', body }),
      problem('insufficient_scope', '/v1/tables', 'This needs the scope admin; the key KEY has operate.'),
      JSON.stringify(body)
    )
  }
  t.equal(await countJobs(service), before, 'no job was started')
  t.equal((await service.request('POST', '/v1/tables', { scope: 'operate', body: {} })).status, 202)
  const recreate = { recreate: true, confirm: 'sparkify' }
  t.equal((await service.request('POST', '/v1/tables', { scope: 'admin', body: recreate })).status, 202)
})
