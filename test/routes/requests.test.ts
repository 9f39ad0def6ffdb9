/** What holds for every request, whatever it asks for: addresses, methods, bodies, request ids, broken HTTP. */
import { once } from 'node:events'
import { type AddressInfo, connect, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { buildApp } from '../../src/app.ts'
import { answerClientError } from '../../src/plugins/client-error.ts'
import { checkProblem, collectRoutes, countJobs, invalid, normalise, problem } from '../api-fixture.ts'
import { build, type TestService } from '../helper.ts'

let service = {} as TestService
const routes = await collectRoutes(async () => {
  service = await build(t)
})
/** Methods by path, as the app has them. */
const methodsAt = Map.groupBy(routes, ({ url }) => url)

t.test('an address that is no endpoint', async (t) => {
  for (const path of ['/v1', '/v2/jobs', '/V1/jobs', '//v1/jobs', '/v1/jobs/job_1/cancel/x', '/docs/x']) {
    checkProblem(
      t,
      service,
      await service.request('GET', `${path}?x=1`),
      problem('route_not_found', path, `GET ${path} is no endpoint. See /docs for what there is.`)
    )
  }
  const path = '/v1/nothing'
  checkProblem(
    t,
    service,
    await service.request('POST', path, { body: 'text', headers: { 'content-type': 'text/plain' } }),
    problem('route_not_found', path, `POST ${path} is no endpoint. See /docs for what there is.`),
    'a body changes nothing about it'
  )
})

const matches = (url: string, path: string) =>
  new RegExp(`^${url.replace(/:\w+/g, '[^/]+').replace(/\*$/, '.*')}$`).test(path)

t.test(
  'every endpoint refuses the methods that it does not take, and names those that it does',
  async (t) => {
    for (const [url, here] of methodsAt) {
      if (url.startsWith('/docs')) continue
      const path = url.replace(/:\w+/, 'x')
      // `/tables/rebuild` could be a table too.
      const others = [...methodsAt].filter(([other]) => matches(other, path)).flatMap(([, routes]) => routes)
      const allowed = [...new Set([...here, ...others].map(({ method }) => method))].sort()
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
        if (allowed.includes(method)) continue
        const response = await service.request(method, path)
        const list = allowed.join(', ')
        t.equal(response.headers.allow, list, `${method} ${path}`)
        t.equal(response.headers['access-control-allow-origin'], undefined, 'no other origin is let in')
        const detail = `${path} takes ${list}; it does not take ${method}.`
        checkProblem(t, service, response, problem('method_not_allowed', path, detail))
      }
    }
    t.equal(await countJobs(service), 0, 'nothing was started')
  }
)

t.test('HEAD answers as GET does, without the body', async (t) => {
  for (const path of ['/v1/cluster', '/v1/jobs', '/v1/analytics', '/v1/whoami', '/livez', '/readyz']) {
    const [get, head] = [await service.request('GET', path), await service.request('HEAD', path)]
    t.equal(head.status, get.status, path)
    t.equal(head.headers['content-type'], get.headers['content-type'])
    t.equal(head.headers['content-length'], get.headers['content-length'])
    t.equal((await service.app.inject({ method: 'HEAD', url: path })).body, '', `${path} has no body`)
  }
})

t.test('every answer has a request id of its own, whatever the client sends', async (t) => {
  const seen = new Set<unknown>()
  for (const [method, path] of [
    ['GET', '/livez'],
    ['HEAD', '/v1/jobs'],
    ['GET', '/v1/jobs'],
    ['GET', '/v1/jobs/none'],
    ['GET', '/nothing'],
    ['GET', '/v1/jobs/%zz'],
    ['PATCH', '/v1/jobs'],
    ['POST', '/v1/jobs'],
    ['GET', '/docs/static/swagger-ui.css']
  ] as const) {
    const headers = { 'x-request-id': 'req_of_the_client', 'request-id': 'req_of_the_client' }
    const { headers: answered } = await service.request(method, path, { headers })
    const id = String(answered['x-request-id'])
    t.match(id, /^req_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, `${method} ${path}`)
    seen.add(id)
  }
  t.equal(seen.size, 9, 'they are all different')
})

t.test('addresses that cannot be', async (t) => {
  const bad = await service.request('GET', '/v1/jobs/%zz')
  const detail = 'The address holds a % that starts no escape.'
  checkProblem(t, service, bad, problem('malformed_request', '/v1/jobs/%zz', detail))

  const long = `/v1/jobs/${'x'.repeat(300)}`
  checkProblem(
    t,
    service,
    await service.request('GET', long),
    problem('invalid_request', long, 'A part of the path is too long for any id or name.')
  )
  for (const [path, pointer, code, message] of [
    [`/v1/jobs/${'x'.repeat(101)}`, 'id', 'maxLength', 'must NOT have more than 100 characters'],
    ['/v1/jobs/', 'id', 'minLength', 'must NOT have fewer than 1 characters'],
    ['/v1/tables/', 'table', 'minLength', 'must NOT have fewer than 1 characters']
  ] as const) {
    checkProblem(t, service, await service.request('GET', path), invalid(path, pointer, code, message))
  }
  const nul = await service.request('GET', '/v1/jobs/a%00b')
  t.equal(nul.status, 400, 'a NUL character')
  t.equal(nul.body.code, 'invalid_request')
  const query = `/v1/jobs?cursor=${'x'.repeat(501)}`
  t.equal((await service.request('GET', query)).status, 400, 'a long parameter')
  t.equal((await service.request('GET', '/v1/jobs?__proto__=1&constructor=2')).status, 400)
})

t.test('a body that nobody reads is refused, a type without a body is not', async (t) => {
  for (const [method, path] of [
    ['GET', '/v1/jobs'],
    ['POST', '/v1/cluster/plan'],
    ['DELETE', '/v1/cluster'],
    ['DELETE', '/v1/tables']
  ] as const) {
    const detail = `${method} ${path} takes no body.`
    for (const type of ['application/json', 'text/plain']) {
      const headers = { 'content-type': type }
      const response = await service.request(method, path, { headers, body: { node_type: 'ra3.large' } })
      checkProblem(t, service, response, problem('invalid_request', path, detail), `${detail} (${type})`)
    }
  }
  t.equal(await countJobs(service), 0)
  const headers = { 'content-type': 'application/json' }
  t.equal((await service.request('POST', '/v1/cluster/plan', { headers })).status, 200)
})

/** What the server answers to these bytes. */
async function send(bytes: string): Promise<string> {
  const { port } = service.app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(bytes)
  return text(socket)
}

/** The parts of a raw answer. */
function parse(answer: string) {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  const [statusLine = '', ...headers] = head.split('\r\n')
  return { status: Number(statusLine.split(' ')[1]), headers: headers.join('\n'), body: JSON.parse(body) }
}

t.test('what is not HTTP leaves as a problem too', async (t) => {
  await service.app.listen({ port: 0, host: '127.0.0.1' })
  for (const [bytes, code, detail] of [
    ['NONSENSE\r\n\r\n', 'malformed_request', 'What arrived is not an HTTP request.'],
    // More than is read before the answer.
    ['N'.repeat(8_000_000), 'malformed_request', 'What arrived is not an HTTP request.'],
    [
      `GET /v1/jobs?cursor=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      'headers_too_large',
      'The request line and the headers exceed 16 KiB together.'
    ]
  ] as const) {
    const { status, headers, body } = parse(await send(bytes))
    const { instance: _, ...expected } = problem(code, '', detail)
    t.equal(status, expected.status, code)
    t.match(headers, 'Content-Type: application/problem+json; charset=utf-8')
    t.match(headers, `X-Request-Id: ${body.request_id}`)
    t.strictSame(normalise(service, body), expected)
  }
})

t.test('a request that does not arrive in time is told so, and its connection closed', async (t) => {
  const slow = await build(t)
  await slow.app.listen({ port: 0, host: '127.0.0.1' })
  const { server } = slow.app
  t.equal(server.requestTimeout, 30_000)
  Object.assign(server, { requestTimeout: 300, headersTimeout: 300 })
  const { port } = server.address() as AddressInfo
  const start = `POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${slow.keys.operate}\r\n`
  const body = 'Content-Type: application/json\r\nContent-Length: 9999\r\n\r\n{"'
  for (const head of ['GET /livez HTTP/1.1\r\n', start + body]) {
    const client = connect(port, '127.0.0.1')
    client.write(head)
    const trickle = setInterval(() => client.write('X'), 10)
    t.teardown(() => clearInterval(trickle))
    const { status, body } = parse(await text(client))
    clearInterval(trickle)
    t.equal(status, 408, head)
    t.equal(body.code, 'request_timeout')
  }
})

t.test('while it shuts down it says so, and closes the connection', async (t) => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  const provision = async () => {
    started.resolve()
    await released
  }
  const other = await build(t)
  await other.app.close()
  const provider = { ...other.parts.provider, provision }
  const app = await buildApp(other.config, { ...other.parts, provider })
  t.teardown(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const authorization = `Bearer ${other.keys.admin}`
  await app.inject({ method: 'PUT', url: '/v1/cluster', headers: { authorization } })
  await started.promise

  const socket = connect(port, '127.0.0.1')
  const live = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'
  socket.write(live)
  await once(socket, 'data')
  // The worker waits for its job, and closing waits for the worker.
  const closed = app.close()
  await setImmediate()
  socket.write(live)
  const { status, headers, body } = parse(await text(socket))
  const detail = 'The service is shutting down. Try again soon.'
  t.equal(status, 503)
  t.match(headers, /^connection: close$/im)
  t.match(headers, /^retry-after: 5$/im)
  t.strictSame(normalise(other, body), problem('shutting_down', '/livez', detail))
  release()
  await closed
})

t.test('a client that is gone is answered nothing', async (t) => {
  const socket = new Socket()
  socket.on('error', () => {})
  answerClientError(Object.assign(new Error('gone'), { code: 'ECONNRESET' }), socket, 'req_1')
  t.equal(socket.destroyed, true)
})
