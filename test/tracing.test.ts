/** One trace from the request to the statement, as a collector gets it. */
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { writeFiles } from './files.ts'
import { build, type TestService } from './helper.ts'
import { event, lines, song } from './records.ts'

interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  status: { code?: number; message?: string }
  attributes: { key: string; value: Record<string, unknown> }[]
}

/** What takes traces by OTLP over HTTP, as JSON. */
async function startCollector(t: Test) {
  const spans: Span[] = []
  const resources: string[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    if (request.url === '/v1/traces') {
      resources.push(text)
      for (const resource of JSON.parse(text).resourceSpans) {
        for (const scope of resource.scopeSpans) spans.push(...scope.spans)
      }
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { spans, resources, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const traceId = '0af7651916cd43dd8448eb211c80319c'
const caller = 'b7ad6b7169203331'
const headers = { traceparent: `00-${traceId}-${caller}-01`, prefer: 'wait=60' }

/** Waits for a job that does not begin, and hangs up. */
async function leaveEarly(service: TestService) {
  const body = { type: 'etl', run_after: new Date(Date.now() + 3_600_000).toISOString() }
  const { body: job } = await service.request('POST', '/v1/jobs', { body })
  const url = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const arrived = once(service.app.server, 'request')
  const request = get(`${url}/v1/jobs/${job.id}`, {
    headers: { ...headers, authorization: `Bearer ${service.keys.read}` }
  })
  request.on('error', () => {})
  const [, response] = await arrived
  setTimeout(() => request.destroy(), 100)
  await once(response, 'close')
}

t.test('a trace', async (t) => {
  const collector = await startCollector(t)
  let jobId = ''
  await t.test('of a load and a query', async (t) => {
    const service = await build(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
    writeFiles(service.config.SONG_DATA, { 'songs.json': lines(song()) })
    writeFiles(service.config.LOG_DATA, { 'events.json': lines(event()) })
    await service.prepareWarehouse()
    const { body: job } = await service.request('POST', '/v1/jobs', { headers, body: { type: 'etl' } })
    t.equal(job.status, 'succeeded')
    t.match(job.trigger, { kind: 'api', traceparent: new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`) })
    jobId = job.id
    t.equal((await service.request('GET', '/v1/analytics/top-songs/results', { headers })).status, 200)
    t.equal((await service.request('GET', '/v1/jobs/none', { headers })).status, 404)
    await leaveEarly(service)
  })

  const spans = collector.spans.filter((span) => span.traceId === traceId)
  const named = (name: string) => spans.find((span) => span.name === name)
  const childrenOf = (span: Span | undefined) =>
    spans.filter(({ parentSpanId }) => parentSpanId === span?.spanId).map(({ name }) => name)

  const start = named('POST /v1/jobs')
  t.equal(start?.parentSpanId, caller, 'the request is below what called it')
  const job = named('job etl')
  t.equal(job?.parentSpanId, start?.spanId, 'the job is below the request')
  t.ok(job?.attributes.some(({ key, value }) => key === 'job.id' && value.stringValue === jobId))
  t.strictSame(
    childrenOf(job).filter((name) => name.startsWith('step')),
    ['step discover', 'step stage', 'step transform', 'step check', 'step publish'],
    'its steps are below it'
  )
  t.ok(childrenOf(named('step stage')).includes('statement stage'), 'and their statements below them')
  t.ok(childrenOf(named('step publish')).includes('statement commit'))
  const query = named('GET /v1/analytics/top-songs/results')
  t.ok(
    childrenOf(query).some((name) => name.startsWith('statement analytics/top-songs')),
    `a query is below its request: ${childrenOf(query)}`
  )
  t.ok(
    spans.every(({ status }) => status.code !== 2),
    'a 404 is no failure of the service'
  )
  const statuses = spans
    .filter(({ name }) => name === 'GET /v1/jobs/:id')
    .map(
      ({ attributes }) => attributes.find(({ key }) => key === 'http.response.status_code')?.value.intValue
    )
  t.strictSame(statuses, [404, undefined], 'a request whose caller has left ends without a status')
  t.notMatch(collector.resources.join(), /spk_[A-Za-z0-9_-]{20}/, 'no key is in it')
  t.match(collector.resources.join(), '"service.name"')
})

t.test('without a collector nothing is traced, and the job knows of none', async (t) => {
  const service = await build(t)
  await service.prepareWarehouse()
  const { body } = await service.request('GET', '/v1/jobs?type=tables.create', { headers })
  t.strictSame(body.items[0].trigger, { kind: 'api' })
})

t.test('a collector that is away holds up nothing', async (t) => {
  const service = await build(t, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })
  t.equal((await service.request('GET', '/v1/jobs', { headers })).status, 200)
})
