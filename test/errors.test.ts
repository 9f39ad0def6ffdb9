/** The catalogue of errors holds what can happen, all of it is tested, and nothing internal gets out. */
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { buildApp, type Parts } from '../src/app.ts'
import { errorCatalogue, ServiceError, toProblem } from '../src/errors.ts'
import { checkProblem, normalise, problem, rows } from './api-fixture.ts'
import { build, type TestService } from './helper.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const codes = Object.keys(errorCatalogue)
const read = (pattern: string, except: string[] = []) =>
  globSync(pattern, { cwd: root, exclude: except }).map((name) => readFileSync(`${root}${name}`, 'utf8'))

t.test('every error of the catalogue is thrown somewhere', async (t) => {
  const sources = read('src/**/*.ts', ['src/schemas/**']).join('\n')
  // Thrown as it is, or stood for by one of Fastify's or of AWS's in the table of the one file that reads those.
  const thrown = [
    ...sources.matchAll(/(?:new ServiceError\(\s*|^ {2}FST_\w+: \[\s*|^ {2}code: )'([a-z_]+)'/gm)
  ]
  t.strictSame([...new Set(thrown.map(([, code]) => code))].sort(), codes.toSorted())
})

t.test('every error of the catalogue is met by a test', async (t) => {
  const tests = read('test/**/*.test.ts', ['test/errors.test.ts']).join('\n')
  t.strictSame(
    codes.filter((code) => !tests.includes(`'${code}'`)),
    []
  )
})

t.test('titles and statuses make sense', async (t) => {
  const titles = Object.values(errorCatalogue).map(({ title }) => title)
  t.equal(new Set(titles).size, titles.length, 'a title tells one error from the others')
  for (const [code, { status, kind, title }] of Object.entries(errorCatalogue)) {
    t.match(code, /^[a-z]+(_[a-z]+)*$/)
    t.match(title, /^[A-Z].*[^.]$/)
    const isCallers = kind === 'request' && code !== 'shutting_down'
    if (isCallers) t.ok(status >= 400 && status < 500, `${code}: the caller's fault is 4xx`)
    if (kind === 'internal') t.equal(status, 500, code)
  }
})

t.test('a problem shows an error of ours and hides any other', async (t) => {
  const errors = [{ pointer: '/a', code: 'type', message: 'must be string' }]
  t.strictSame(toProblem(new ServiceError('invalid_request', '/a must be string.', { errors })), {
    type: 'urn:sparkify-warehouse:error:invalid_request',
    title: 'The request does not match the schema',
    status: 400,
    detail: '/a must be string.',
    code: 'invalid_request',
    errors
  })
  for (const unexpected of [
    new Error('password=hunter2'),
    'password=hunter2',
    null,
    undefined,
    { status: 200 }
  ]) {
    t.strictSame(toProblem(unexpected), {
      type: 'urn:sparkify-warehouse:error:internal',
      title: 'The service failed',
      status: 500,
      detail: 'Something failed inside the service; its log has the details.',
      code: 'internal'
    })
  }
})

/** The service with some of its parts replaced by ones that fail as soon as `switchOff` is called. */
async function buildFailing(t: Test, service: TestService, failure: unknown) {
  let isOn = true
  const { store, warehouse, provider } = service.parts
  const guard = <Part extends object>(part: Part, ...methods: (keyof Part)[]): Part => {
    const guarded = methods.map((method) => {
      const call = part[method] as (...args: unknown[]) => Promise<unknown>
      return [method, (...args: unknown[]) => (isOn ? call(...args) : Promise.reject(failure))]
    })
    return { ...part, ...Object.fromEntries(guarded) }
  }
  const parts: Parts = {
    store: guard(store, 'query', 'transaction', 'ping'),
    warehouse: guard(warehouse, 'run', 'write'),
    provider: guard(provider, 'status', 'describe', 'plan'),
    openSource: service.parts.openSource
  }
  const only = (name: keyof Parts): Parts => ({ ...service.parts, [name]: parts[name] })
  return {
    async app(name: keyof Parts) {
      const app = await buildApp(service.config, only(name))
      t.teardown(() => app.close())
      await app.ready()
      return app
    },
    switchOff: () => {
      isOn = false
    }
  }
}

const secret = 'connect ECONNREFUSED 10.0.0.7:5432 password=hunter2'

t.test('an unexpected failure shows nothing of itself, wherever it happens', async (t) => {
  const service = await build(t)
  const failing = await buildFailing(t, service, new TypeError(secret))
  const apps = {
    store: await failing.app('store'),
    warehouse: await failing.app('warehouse'),
    provider: await failing.app('provider')
  }
  failing.switchOff()
  for (const [part, method, path] of [
    ['store', 'GET', '/v1/jobs'],
    ['store', 'GET', '/readyz'],
    ['store', 'POST', '/v1/cluster/plan'],
    ['warehouse', 'GET', '/v1/tables'],
    ['warehouse', 'GET', '/v1/loads/1'],
    ['warehouse', 'GET', '/v1/analytics/top-songs/results'],
    ['provider', 'GET', '/v1/cluster'],
    ['provider', 'PUT', '/v1/cluster'],
    ['provider', 'GET', '/readyz']
  ] as const) {
    const response = await apps[part].inject({
      ...{ method, url: path },
      headers: { authorization: `Bearer ${service.keys.admin}` }
    })
    const answer = { status: response.statusCode, headers: response.headers, body: response.json() }
    const detail = 'Something failed inside the service; its log has the details.'
    checkProblem(t, service, answer, problem('internal', path, detail), `${part}: ${method} ${path}`)
    t.notMatch(response.payload, 'hunter2')
    t.notMatch(JSON.stringify(response.headers), 'hunter2')
  }
})

t.test('a store or a warehouse that is away answers 503 and when to come back', async (t) => {
  const service = await build(t)
  for (const [part, code, path] of [
    ['store', 'store_unavailable', '/v1/whoami'],
    ['warehouse', 'warehouse_unavailable', '/v1/tables']
  ] as const) {
    const failing = await buildFailing(
      t,
      service,
      new ServiceError(code, 'It cannot be reached.', { cause: secret })
    )
    const app = await failing.app(part)
    failing.switchOff()
    const response = await app.inject({
      url: path,
      headers: { authorization: `Bearer ${service.keys.read}` }
    })
    const answer = { status: response.statusCode, headers: response.headers, body: response.json() }
    checkProblem(t, service, answer, problem(code, path, 'It cannot be reached.'))
    t.equal(response.headers['retry-after'], '5')
  }
})

t.test('an unexpected failure of a job shows nothing of itself either', async (t) => {
  const service = await build(t)
  const provision = async () => {
    throw new Error(secret)
  }
  const provider = { ...service.parts.provider, provision }
  // Its worker is the only one: the other app has been closed.
  await service.app.close()
  const app = await buildApp(service.config, { ...service.parts, provider })
  t.teardown(() => app.close())
  const headers = { authorization: `Bearer ${service.keys.admin}`, prefer: 'wait=60' }
  const response = await app.inject({ method: 'PUT', url: '/v1/cluster', headers })
  t.equal(response.statusCode, 200, response.payload)
  const job = response.json()
  t.equal(job.status, 'failed')
  const {
    instance: _,
    request_id: __,
    ...expected
  } = problem(...(['internal', '', 'Something failed inside the service; its log has the details.'] as const))
  t.strictSame(normalise(service, job.error), expected)
  const left = await rows(service, 'select * from jobs, job_attempts, job_events')
  t.ok(left.length > 0)
  t.notMatch(JSON.stringify(left), 'hunter2', 'neither the job nor its story tells')
})
