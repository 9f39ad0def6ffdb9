import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import { ServiceError } from '../../src/errors.ts'
import type { Store } from '../../src/store/store.ts'
import { version as packageVersion } from '../../src/version.ts'
import { checkProblem, invalid, normalise, problem } from '../api-fixture.ts'
import { build, type TestService } from '../helper.ts'

/** The service over the same parts, with a store that answers only while `here` says so. */
async function buildWithStore(t: Test, ping: Store['ping']): Promise<TestService> {
  const app = await buildApp(service.config, { ...service.parts, store: { ...service.parts.store, ping } })
  t.teardown(() => app.close())
  const request: TestService['request'] = async (method, url) => {
    const response = await app.inject({ method, url })
    return { status: response.statusCode, headers: response.headers, body: response.json() }
  }
  return { ...service, app, request }
}
const service = await build(t)

t.test('the process is alive, ready, and says which version it is', async (t) => {
  const open = { scope: null }
  const [livez, readyz, version] = await Promise.all(
    ['/livez', '/readyz', '/version'].map((url) => service.request('GET', url, open))
  )
  t.equal(livez?.status, 200)
  t.strictSame(livez?.body, { status: 'ok' })
  t.equal(readyz?.status, 200)
  t.strictSame(readyz?.body, { status: 'ready', store: 'postgres', warehouse: 'duckdb', cluster: 'absent' })
  t.equal(version?.status, 200)
  t.strictSame(version?.body, { name: 'sparkify-warehouse', version: packageVersion, node: process.version })

  await service.request('PUT', '/v1/cluster', { headers: { prefer: 'wait=60' } })
  t.equal((await service.request('GET', '/readyz', open)).body.cluster, 'available')
})

t.test('without the store it is alive, but not ready', async (t) => {
  let isAway = true
  const stubbed = await buildWithStore(t, async () => {
    if (isAway) throw new ServiceError('store_unavailable', 'PostgreSQL cannot be reached (ECONNREFUSED).')
  })
  const away = await stubbed.request('GET', '/readyz')
  checkProblem(
    t,
    stubbed,
    away,
    problem('store_unavailable', '/readyz', 'PostgreSQL cannot be reached (ECONNREFUSED).')
  )
  t.equal(away.headers['retry-after'], '5')
  const livez = await stubbed.request('GET', '/livez')
  t.equal(livez.status, 200)
  t.strictSame(livez.body, { status: 'ok' })

  isAway = false
  t.equal((await stubbed.request('GET', '/readyz')).status, 200, 'it is ready again when the store is back')
})

t.test('a check that fails for another reason shows nothing of it', async (t) => {
  const stubbed = await buildWithStore(t, async () => {
    throw new Error('password=hunter2')
  })
  checkProblem(
    t,
    stubbed,
    await stubbed.request('GET', '/readyz'),
    problem('internal', '/readyz', 'Something failed inside the service; its log has the details.')
  )
})

t.test('whoami tells the key and not its text', async (t) => {
  for (const scope of ['read', 'operate', 'admin'] as const) {
    const { status, body } = await service.request('GET', '/v1/whoami', { scope })
    t.equal(status, 200)
    t.strictSame(normalise(service, body), { key_id: 'KEY', name: `test ${scope}`, scope })
  }
})

t.test('the description of the API is served whole', async (t) => {
  const { status, headers, body } = await service.request('GET', '/openapi.json', { scope: null })
  t.equal(status, 200)
  t.equal(headers['content-type'], 'application/json; charset=utf-8')
  t.strictSame(body, JSON.parse(JSON.stringify(service.app.swagger())))
})

t.test('unknown parameters are refused here too', async (t) => {
  for (const url of ['/livez', '/readyz', '/version', '/openapi.json', '/v1/whoami']) {
    checkProblem(
      t,
      service,
      await service.request('GET', `${url}?verbose=1`),
      invalid(url, 'verbose', 'additionalProperties', 'is an unknown parameter')
    )
  }
})
