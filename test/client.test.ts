/** The typed client against the service, over real sockets. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { bodyOf, createClient, JobError, startsJob, WarehouseError, waitForJob } from '../client/index.ts'
import { countJobs } from './api-fixture.ts'
import { build } from './helper.ts'

const service = await build(t, { RATE_LIMIT_PER_MINUTE: '0' })
const baseUrl = await service.app.listen({ port: 0, host: '127.0.0.1' })
const client = createClient({ baseUrl, apiKey: service.keys.admin })

/** Something between the client and the service; `forward` passes a request on and returns what came back. */
async function proxy(
  t: Test,
  answer: (response: ServerResponse, forward: () => Promise<Response>, call: number) => Promise<void>
) {
  let calls = 0
  const server = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const headers = Object.entries(request.headers).filter(
      ([name]) => !/^(host|connection|content-length|transfer-encoding)$/.test(name)
    )
    calls += 1
    const forward = () =>
      fetch(baseUrl + request.url, {
        method: request.method ?? 'GET',
        headers: Object.fromEntries(headers) as Record<string, string>,
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) })
      })
    await answer(response, forward, calls)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('from nothing to an answer', async (t) => {
  await client
    .PUT('/v1/cluster', { body: {} })
    .then(({ data }) => waitForJob(client, (data as { id: string }).id))
  const tables = await bodyOf(client.POST('/v1/tables', { body: {} }))
  const looks: string[] = []
  const created = await waitForJob(client, (tables as { id: string }).id, {
    onLook: ({ status }) => looks.push(status),
    interval: 5
  })
  t.equal(created.status, 'succeeded')
  t.equal(looks.at(-1), 'succeeded')
  const { rows, columns } = await bodyOf(
    client.GET('/v1/analytics/top-songs/results', { params: { query: { year: 2018 } } })
  )
  t.same(rows, [])
  t.ok(columns.some(({ name }) => name === 'plays'))
})

t.test('refusals and failures are errors that say what happened', async (t) => {
  const unknown = client.GET('/v1/jobs/{id}', { params: { path: { id: `job_${'0'.repeat(32)}` } } })
  const refusal: WarehouseError = await unknown.then(
    () => t.fail('not refused'),
    (error) => error
  )
  t.ok(refusal instanceof WarehouseError)
  t.match(refusal, { status: 404, code: 'job_not_found', requestId: /^req_/ })
  t.match(refusal.message, /^GET \/v1\/jobs\/job_0+ answered 404: /)

  const body = { type: 'etl', timeout_seconds: 1, run_after: '2099-01-01T00:00:00Z' } as const
  const { id } = await bodyOf(client.POST('/v1/jobs', { body }))
  await t.rejects(waitForJob(client, id, { signal: AbortSignal.timeout(100) }), { name: 'TimeoutError' })
  await client.POST('/v1/jobs/{id}/cancel', { params: { path: { id } } })
  const failure: JobError = await waitForJob(client, id).then(
    () => t.fail('no error'),
    (error) => error
  )
  t.ok(failure instanceof JobError)
  t.match(failure, { job: { id, status: 'cancelled' }, message: `The job ${id} (etl) cancelled` })

  const stranger = createClient({ baseUrl, apiKey: 'spk_live_0' })
  await t.rejects(stranger.GET('/v1/whoami'), { status: 401, code: 'invalid_api_key' })
})

t.test('a job whose answer was lost is not started twice', async (t) => {
  const before = await countJobs(service)
  const url = await proxy(t, async (response, forward, call) => {
    const answer = await forward()
    if (call === 1) return void response.destroy()
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
  })
  const lossy = createClient({ baseUrl: url, apiKey: service.keys.operate })
  const body = { type: 'etl', run_after: '2099-01-01T00:00:00Z' } as const
  const { id } = await bodyOf(lossy.POST('/v1/jobs', { body }))
  t.match(id, /^job_/)
  t.equal((await countJobs(service)) - before, 1)
})

t.test('what cannot be repeated without harm is not', async (t) => {
  let calls = 0
  const url = await proxy(t, async (response, forward, call) => {
    calls = call
    await forward()
    response.destroy()
  })
  const lossy = createClient({ baseUrl: url, apiKey: service.keys.admin })
  await t.rejects(lossy.POST('/v1/api-keys', { body: { name: 'lost', scope: 'read' } }))
  t.equal(calls, 1)
})

t.test('a busy service is asked again, when it said and as often as wanted', async (t) => {
  let calls = 0
  const url = await proxy(t, async (response, forward, call) => {
    calls = call
    if (call <= 2) return void response.writeHead(503, { 'retry-after': '0' }).end('busy')
    const answer = await forward()
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
  })
  const patient = createClient({ baseUrl: url, apiKey: service.keys.read })
  t.match(await bodyOf(patient.GET('/v1/whoami')), { scope: 'read' })
  t.equal(calls, 3)

  const impatient = createClient({
    baseUrl: await proxy(t, async (response) => void response.writeHead(503).end()),
    apiKey: 'x',
    retries: 0
  })
  await t.rejects(
    impatient.GET('/v1/whoami'),
    { status: 503, code: undefined },
    'not an answer of the service'
  )
})

t.test('the paths that take an idempotency key are those of the document', async (t) => {
  const document = JSON.parse(readFileSync(new URL('../openapi/openapi.json', import.meta.url), 'utf8'))
  const takes = ({ parameters = [] }: { parameters?: { $ref?: string }[] }) =>
    parameters.some(({ $ref }) => $ref?.endsWith('/Idempotency-Key'))
  const paths = Object.entries<object>(document.paths).filter(([, methods]) =>
    Object.values(methods).some(takes)
  )
  t.strictSame([...startsJob].sort(), paths.map(([path]) => path).sort())
})
