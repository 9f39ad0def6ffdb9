/** Responses that are repeated ahead of the router: the same to the last header, and only as long as they would be. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Agent, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import headersPlugin from '../../src/plugins/headers.ts'
import metricsPlugin from '../../src/plugins/metrics.ts'
import rateLimit from '../../src/plugins/rate-limit.ts'
import repeats from '../../src/plugins/repeats.ts'
import { createApiKeys } from '../../src/services/api-keys.ts'
import { createIdentity } from '../../src/services/identity.ts'
import { createMetrics } from '../../src/services/metrics.ts'
import { writeFiles } from '../files.ts'
import { build, openTestPostgres } from '../helper.ts'
import { event, lines, song } from '../records.ts'

const momentary = ['date', 'x-request-id', 'ratelimit-remaining', 'ratelimit-reset']

interface Asked {
  status: number
  /** All but those of the moment. */
  headers: string[]
  id: string
  body: string
  isRouted: boolean
  /** Requests that the key has left; none where it has no limit. */
  left: number
}

/** Asks over a socket, with the same bytes for the same arguments, and sees whether the router heard of it. */
async function listen(t: Test, app: FastifyInstance) {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let routed = 0
  const count = (message: unknown) => {
    const { request } = message as { request: FastifyRequest }
    if (request.headers.host === `127.0.0.1:${port}`) routed += 1
  }
  subscribe('tracing:fastify.request.handler:start', count)
  t.teardown(() => {
    unsubscribe('tracing:fastify.request.handler:start', count)
    agent.destroy()
  })

  return async (path: string, headers: Record<string, string>, method = 'GET'): Promise<Asked> => {
    const before = routed
    const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>()
    send({ port, host: '127.0.0.1', path, method, headers, agent }, resolve).once('error', reject).end()
    const response = await promise
    const body = await text(response)
    const pairs = response.rawHeaders.flatMap((name, at, all) =>
      at % 2 === 0 && !momentary.includes(name.toLowerCase()) ? [`${name.toLowerCase()}: ${all[at + 1]}`] : []
    )
    return {
      ...{ status: response.statusCode ?? 0, headers: pairs.sort(), body },
      ...{ id: String(response.headers['x-request-id']), isRouted: routed > before },
      left: Number(response.headers['ratelimit-remaining'])
    }
  }
}

const service = await build(t)
await service.prepareWarehouse()
const ask = await listen(t, service.app)
const authorization = `Bearer ${service.keys.read}`
const path = '/v1/analytics/top-songs/results'

async function load(session: number) {
  writeFiles(join(service.config.DATA_DIR, 'sources'), {
    'song_data/a.json': lines(song({ title: 'Alphä' })),
    [`log_data/${session}.json`]: lines(event({ sessionId: session, song: 'Alphä' }))
  })
  const { body } = await service.request('POST', '/v1/jobs', {
    ...{ body: { type: 'etl' }, headers: { prefer: 'wait=60' } }
  })
  t.equal(body.status, 'succeeded')
}
await load(1)

/** The last answer by the router and the one after it. */
async function askTwice(url: string, headers: Record<string, string>) {
  let routed = await ask(url, headers)
  for (let turn = 0; turn < 50; turn += 1) {
    const next = await ask(url, headers)
    if (!next.isRouted) return { routed, repeated: next }
    routed = next
  }
  throw new Error(`${url} is never repeated`)
}

t.test('a repeated response is the same in all but its id', async (t) => {
  const etag = /^etag: (.*)$/m.exec((await ask(path, { authorization })).headers.join('\n'))?.[1] ?? ''
  for (const [url, more, status] of [
    [path, {}, 200],
    [path, { accept: 'text/csv' }, 200],
    [path, { accept: 'application/x-ndjson', 'accept-language': 'sv' }, 200],
    [path, { 'if-none-match': etag }, 304],
    [`${path}?year=1999&format=ndjson`, {}, 200],
    [`${path}?min_data_version=1`, { prefer: 'wait=5' }, 200],
    ['/v1/analytics/top-songs/chart?theme=dark', {}, 200],
    ['/v1/analytics/top-songs/chart?theme=dark', { 'if-none-match': '*' }, 304]
  ] as const) {
    const { routed, repeated } = await askTwice(url, { authorization, ...more })
    const about = `${url} ${JSON.stringify(more)}`
    t.equal(repeated.status, status, about)
    t.strictSame(
      { ...repeated, id: '', isRouted: true, left: 0 },
      { ...routed, id: '', left: 0 },
      `${about}: as the router had it`
    )
    t.match(repeated.id, /^req_[\w-]{36}$/)
    t.not(repeated.id, routed.id)
    t.ok(repeated.headers.includes('x-cache: hit'))
  }
})

t.test('what differs in anything goes through the router', async (t) => {
  await askTwice(path, { authorization })
  const others: Record<string, string>[] = [
    { accept: 'text/csv; q=0.5' },
    { 'user-agent': 'else' },
    { else: '1' }
  ]
  for (const more of others) {
    t.ok((await ask(path, { authorization, ...more })).isRouted, JSON.stringify(more))
  }
  t.ok((await ask(`${path}?`, { authorization })).isRouted)
  t.ok((await ask(path, { authorization }, 'HEAD')).isRouted)
  t.equal((await ask(path, {})).status, 401)
  t.equal((await ask(path, { authorization: `${authorization}x` })).status, 401)
  const fresh = { authorization, 'cache-control': 'no-cache' }
  for (let turn = 0; turn < 3; turn += 1) t.ok((await ask(path, fresh)).isRouted, 'asked anew each time')
  for (let turn = 0; turn < 3; turn += 1) t.ok((await ask('/v1/whoami', { authorization })).isRouted)
})

t.test('a load ends it', async (t) => {
  const { repeated } = await askTwice(path, { authorization })
  await load(2)
  const next = await ask(path, { authorization })
  t.ok(next.isRouted)
  t.not(next.body, repeated.body)
  t.equal((await askTwice(path, { authorization })).repeated.body, next.body)
})

t.test('so does the end of a key', async (t) => {
  const apiKeys = createApiKeys(service.parts.store)
  const expires = Date.now() + 800
  const { key } = await apiKeys.create({
    ...{ name: 'short', scope: 'read', expires_at: new Date(expires).toISOString() }
  })
  t.equal((await askTwice(path, { authorization: `Bearer ${key}` })).repeated.status, 200)
  await sleep(expires - Date.now() + 5)
  t.equal((await ask(path, { authorization: `Bearer ${key}` })).status, 401, 'expired')

  const { body } = await service.request('POST', '/v1/api-keys', { body: { name: 'second', scope: 'read' } })
  const second = { authorization: `Bearer ${body.key}` }
  t.equal((await askTwice(path, second)).repeated.status, 200)
  await service.request('DELETE', `/v1/api-keys/${body.id}`)
  t.equal((await ask(path, second)).status, 401, 'revoked')
})

t.test('it is counted', async (t) => {
  const hits = async () => {
    const { body } = await service.request('GET', '/metrics')
    return [
      /^sparkify_answers_total\{cache="hit"\} (\d+)$/m,
      /^sparkify_http_request_duration_seconds_count\{operation="getTopSongsResults",status="200"\} (\d+)$/m
    ].map((pattern) => Number(pattern.exec(body)?.[1]))
  }
  const before = await hits()
  let asked = 0
  // Now and then the router has to look for the key.
  for (let repeated = 0; repeated < 3; asked += 1) {
    if (!(await ask(path, { authorization })).isRouted) repeated += 1
  }
  t.strictSame(
    await hits(),
    before.map((count) => count + asked)
  )
})

t.test('it counts as a request of its key', async (t) => {
  const limited = await build(t, { RATE_LIMIT_PER_MINUTE: '6' })
  await limited.prepareWarehouse()
  const askLimited = await listen(t, limited.app)
  const reader = { authorization: `Bearer ${limited.keys.read}` }
  const answers = []
  for (let turn = 0; turn < 8; turn += 1) answers.push(await askLimited(path, reader))
  t.strictSame(
    answers.map(({ status, left }) => [status, left]),
    [...[5, 4, 3, 2, 1, 0].map((left) => [200, left]), [429, 0], [429, 0]]
  )
  t.ok(
    answers.some(({ status, isRouted }) => status === 200 && !isRouted),
    'some of them were repeated'
  )
  t.match(JSON.parse(answers.at(-1)?.body ?? ''), { code: 'too_many_requests' })
  t.equal((await askLimited(path, { authorization: `Bearer ${limited.keys.operate}` })).status, 200)
})

t.test('without a limit nothing is said of one', async (t) => {
  const free = await build(t, { RATE_LIMIT_PER_MINUTE: '0' })
  await free.prepareWarehouse()
  const askFree = await listen(t, free.app)
  const answers = []
  for (let turn = 0; turn < 5; turn += 1) {
    answers.push(await askFree(path, { authorization: `Bearer ${free.keys.read}` }))
  }
  t.notOk(answers.at(-1)?.isRouted)
  t.notMatch(answers.at(-1)?.headers.join(), /ratelimit/)
  t.strictSame(answers.at(-1)?.headers, answers[1]?.headers)
})

t.test('where requests are traced, none is repeated', async (t) => {
  const traced = await build(t, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })
  await traced.prepareWarehouse()
  const askTraced = await listen(t, traced.app)
  for (let turn = 0; turn < 4; turn += 1) {
    const { status, isRouted } = await askTraced(path, { authorization: `Bearer ${traced.keys.read}` })
    t.match({ status, isRouted }, { status: 200, isRouted: true })
  }
})

t.test('the log, the state and the end of the service', async (t) => {
  const store = await openTestPostgres(t)
  const apiKeys = createApiKeys(store)
  const { key } = await apiKeys.create({ name: 'reader', scope: 'read' })
  const written: string[] = []
  const app = Fastify({
    genReqId: () => 'req_router',
    forceCloseConnections: 'idle',
    logger: { stream: { write: (line: string) => void written.push(line) } }
  })
  t.teardown(() => app.close())
  const metrics = createMetrics(store, { readiness: () => Promise.reject(new Error('not asked')) })
  const identity = createIdentity(apiKeys)
  let state: string | undefined = 'first'
  await app.register(headersPlugin)
  await app.register(metricsPlugin, { metrics, identity, access: 'off' })
  await app.register(rateLimit, { perMinute: 0 })
  await app.register(repeats, {
    ...{ isRepeating: true, identity, metrics, state: { known: () => state } },
    newRequestId: () => 'req_repeat'
  })
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  app.get('/answer', async (request, reply) => {
    await identity.identify(request.headers.authorization)
    reply.repeatableIn = state
    return 'answer'
  })
  app.get('/broken', async (_, reply) => {
    reply.repeatableIn = state
    throw new Error('after the answer was found')
  })
  app.get('/slow', async () => {
    await held
    return 'slow'
  })
  const askThis = await listen(t, app)
  const headers = { authorization: `Bearer ${key}` }

  t.equal((await askThis('/answer', headers)).id, 'req_router')
  t.equal((await askThis('/answer', headers)).id, 'req_repeat')
  const entries = written.map((line) => JSON.parse(line)).filter(({ reqId }) => reqId !== undefined)
  const shapes = ['req_router', 'req_repeat'].map((id) =>
    entries.flatMap(({ reqId, time: _, responseTime, ...entry }) =>
      reqId === id ? [{ ...entry, responseTime: typeof responseTime }] : []
    )
  )
  t.equal(shapes[0]?.length, 2)
  t.strictSame(shapes[1], shapes[0], 'the log tells the same of both')

  for (let turn = 0; turn < 3; turn += 1) {
    const { status, id } = await askThis('/broken', headers)
    t.match({ status, id }, { status: 500, id: 'req_router' }, 'what failed is tried again')
  }

  state = undefined
  t.equal((await askThis('/answer', headers)).id, 'req_router', 'a commit is under way')
  state = 'second'
  t.equal((await askThis('/answer', headers)).id, 'req_router', 'after it')
  t.equal((await askThis('/answer', headers)).id, 'req_repeat')

  // A request on its way keeps its connection, on which another one follows.
  const slow = askThis('/slow', headers)
  while (!written.some((line) => line.includes('/slow'))) await sleep(5)
  const last = askThis('/answer', headers)
  const closing = app.close()
  await sleep(50)
  release()
  t.equal((await slow).body, 'slow')
  const refused = await last.catch(({ code }) => code)
  t.ok(
    refused === 'ECONNREFUSED' || (refused as Asked).headers?.includes('connection: close'),
    'the router ends it'
  )
  await closing
})
