/** Webhooks over real sockets: a job ends, and a receiver hears of it. */
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { post } from '../../src/plugins/webhook-post.ts'
import { checkCallback, publicLookup, refusalOf } from '../../src/services/webhook-target.ts'
import { createWebhooks } from '../../src/services/webhooks.ts'
import { build, openTestPostgres, type TestService } from '../helper.ts'

const secret = 'a-secret-of-the-webhook-test'

interface Received {
  headers: IncomingMessage['headers']
  body: string
}

/** A receiver that answers with these statuses, the last of them for ever; 0 is a connection that breaks. */
async function startReceiver(t: Test, ...statuses: number[]) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray()
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
    const status = statuses.length > 1 ? statuses.shift() : statuses[0]
    if (status === 0) return request.socket.destroy()
    response.writeHead(status ?? 204, { location: 'http://127.0.0.1:1/' }).end('much to say')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  return { received, host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}/hook?of=sparkify` }
}

const settings = (host: string) => ({
  WEBHOOK_HOSTS: host,
  WEBHOOK_SECRET: secret,
  WEBHOOK_ALLOW_PRIVATE: 'true'
})

/** A load that has ended; it fails, because there is nothing to load. */
async function runJob(t: Test, service: TestService, callback_url: string): Promise<string> {
  const headers = { prefer: 'wait=60' }
  const { body } = await service.request('POST', '/v1/jobs', { headers, body: { type: 'etl', callback_url } })
  t.match(body, { status: 'failed', error: { code: 'source_empty' }, callback_url })
  return body.id
}

/** The deliveries of a job, when the last of them is over. */
async function untilOver(service: TestService, id: string, count = 1) {
  for (;;) {
    const { body } = await service.request('GET', `/v1/jobs/${id}/deliveries`)
    const isOver = body.items.length === count && body.items.at(-1).status !== 'pending'
    if (isOver) return body.items
    await sleep(10)
  }
}

t.test('a job that has ended is told of, signed, and once more when asked', async (t) => {
  const { received, host, url } = await startReceiver(t, 204)
  const service = await build(t, settings(host))
  await service.prepareWarehouse()
  const id = await runJob(t, service, url)
  const [delivery] = await untilOver(service, id)
  t.match(delivery, {
    ...{ id: /^whd_/, job_id: id, url, status: 'delivered', attempts: 1, next_attempt_at: null },
    log: [{ status: 204, error: null }]
  })

  t.equal(received.length, 1)
  const [{ headers, body } = { headers: {}, body: '' }] = received
  t.match(headers, { 'content-type': 'application/json', 'webhook-id': delivery.id })
  const timestamp = Number(headers['webhook-timestamp'])
  t.ok(Math.abs(timestamp - Date.now() / 1000) < 60)
  const expected = createHmac('sha256', secret).update(`${delivery.id}.${timestamp}.${body}`).digest('base64')
  t.equal(headers['webhook-signature'], `v1,${expected}`)
  const { body: job } = await service.request('GET', `/v1/jobs/${id}`)
  t.same(JSON.parse(body), { type: 'job.failed', timestamp: job.finished_at, data: job })

  const again = await service.request('POST', `/v1/jobs/${id}/deliveries/${delivery.id}/redeliver`)
  t.equal(again.status, 200)
  t.match(again.body, { job_id: id, url, status: 'pending', attempts: 0, log: [], finished_at: null })
  const deliveries = await untilOver(service, id, 2)
  t.match(deliveries, [{ id: delivery.id }, { id: again.body.id, status: 'delivered' }])
  t.equal(received.length, 2)

  const none = await service.request('POST', `/v1/jobs/${id}/deliveries/whd_0/redeliver`)
  t.match(none, { status: 404, body: { code: 'delivery_not_found' } })
  for (const [method, path] of [
    ['GET', 'deliveries'],
    ['POST', 'deliveries/whd_0/redeliver']
  ] as const) {
    t.match(await service.request(method, `/v1/jobs/job_0/${path}`), {
      status: 404,
      body: { code: 'job_not_found' }
    })
  }
  t.same((await service.request('GET', '/v1/jobs?type=tables.create')).body.items[0].callback_url, null)
})

t.test('a job that is cancelled before it starts is told of too, on the embedded store', async (t) => {
  const { received, host, url } = await startReceiver(t, 204)
  const service = await build(t, { ...settings(host), DATABASE_URL: '' })
  await service.prepareWarehouse()
  const run_after = new Date(Date.now() + 3_600_000).toISOString()
  const { body } = await service.request('POST', '/v1/jobs', {
    body: { type: 'etl', run_after, callback_url: url }
  })
  await service.request('POST', `/v1/jobs/${body.id}/cancel`)
  t.match(await untilOver(service, body.id), [{ status: 'delivered' }])
  t.match(JSON.parse(received[0]?.body ?? ''), { type: 'job.cancelled', data: { id: body.id } })
})

t.test('what is not accepted is sent again, and given up at last', async (t) => {
  const { received, host, url } = await startReceiver(t, 503, 0, 307)
  const service = await build(t, settings(host))
  await service.prepareWarehouse()
  await service.app.close()
  // Another replica, whose pauses are short.
  const { store } = service.parts
  const jobs = { get: async () => ({ status: 'failed', finished_at: null }) as never }
  const webhooks = createWebhooks(store, jobs, {
    hosts: [host],
    allowPrivate: true,
    post,
    secret,
    pauses: [0, 0]
  })
  t.teardown(() => webhooks.stop())
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  await webhooks.start(log)
  await store.transaction((tx) =>
    tx.script(`
      insert into jobs (id, type, lane, params, max_attempts, run_after, step_timeouts, created_by, trigger, callback_url)
      values ('job_1', 'etl', 'warehouse', '{}', 3, now(), '{}', 'key', '{}', '${url}');
      update jobs set status = 'failed', finished_at = now() where id = 'job_1'`)
  )
  for (;;) {
    const [delivery] = (await webhooks.list('job_1')).items
    if (delivery?.status === 'pending' || delivery === undefined) {
      await sleep(10)
      continue
    }
    t.match(delivery, {
      ...{ status: 'failed', attempts: 3, next_attempt_at: null },
      log: [
        { status: 503, error: 'The answer was 503' },
        { status: null, error: 'socket hang up' },
        { status: 307, error: 'The answer was 307' }
      ]
    })
    break
  }
  t.equal(received.length, 3, 'the redirect was not followed')
  t.equal(new Set(received.map(({ headers }) => headers['webhook-id'])).size, 1)
})

t.test('three senders, and every delivery once', async (t) => {
  const { received, host, url } = await startReceiver(t, 204)
  const store = await openTestPostgres(t)
  const jobs = { get: async () => ({ status: 'succeeded', finished_at: null }) as never }
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const senders = [1, 2, 3].map(() =>
    createWebhooks(store, jobs, { hosts: [host], allowPrivate: true, post, secret })
  )
  await store.transaction((tx) =>
    tx.script(`
      insert into jobs (id, type, lane, params, max_attempts, run_after, step_timeouts, created_by, trigger, callback_url)
      select 'job_' || n, 'etl', 'warehouse', '{}', 3, now(), '{}', 'key', '{}', '${url}' from generate_series(1, 30) n;
      update jobs set status = 'succeeded', finished_at = now()`)
  )
  await Promise.all(senders.map((sender) => sender.start(log)))
  while (received.length < 30) await sleep(10)
  await Promise.all(senders.map((sender) => sender.stop()))
  t.equal(new Set(received.map(({ headers }) => headers['webhook-id'])).size, 30)
  t.equal(received.length, 30)
})

t.test('a URL that is not allowed is refused before a job is made', async (t) => {
  const service = await build(t, {
    ...settings('hooks.example.com, localhost:8443'),
    WEBHOOK_ALLOW_PRIVATE: 'false'
  })
  await service.prepareWarehouse()
  const refused = {
    'https://elsewhere.example.com/':
      /names the host elsewhere.example.com; WEBHOOK_HOSTS allows hooks.example.com, localhost:8443/,
    'https://hooks.example.com:8443/': /names the host hooks.example.com:8443/,
    'http://hooks.example.com/': /must begin with https/,
    'https://user:secret@hooks.example.com/': /must not hold a user or a password/,
    'hooks.example.com': /is not a URL/
  }
  for (const [callback_url, detail] of Object.entries(refused)) {
    const { status, body } = await service.request('POST', '/v1/jobs', {
      body: { type: 'etl', callback_url }
    })
    t.equal(status, 422)
    t.match(body, { code: 'callback_not_allowed', detail })
    t.notMatch(body.detail, 'secret')
  }
  const schedule = {
    name: 'nightly',
    cron: '0 3 * * *',
    job: { type: 'etl', callback_url: 'https://elsewhere.example.com/' }
  }
  t.match(await service.request('POST', '/v1/schedules', { body: schedule }), {
    status: 422,
    body: { code: 'callback_not_allowed' }
  })
  t.same((await service.request('GET', '/v1/jobs?type=etl')).body.items, [])
  t.throws(() => checkCallback('https://a.example.com', { hosts: [], allowPrivate: false }), {
    message: /WEBHOOK_HOSTS names no host/
  })
})

t.test('no address of ours is reached, by name or by number', async (t) => {
  const refused = [
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0'
  ]
  for (const address of [...refused, '::1', 'fe80::1', 'fd00::1', '::ffff:127.0.0.1', '::', '224.0.0.1']) {
    t.ok(refusalOf(address), address)
  }
  for (const address of ['93.184.216.34', '2606:2800:220:1::1']) t.notOk(refusalOf(address), address)

  for (const all of [true, false]) {
    const { promise, resolve } = Promise.withResolvers<Error | null>()
    publicLookup('localhost', { all }, resolve)
    t.match(await promise, { message: /is a loopback address, and no webhook is sent there/ })
  }
  const message = { id: 'whd_1', body: '{}', secret, allowPrivate: false }
  for (const url of [
    'http://127.0.0.1:1/',
    'http://localhost:1/',
    'https://[::1]:1/',
    'http://2130706433:1/'
  ]) {
    await t.rejects(post({ ...message, url }), { message: /no webhook is sent there/ }, url)
  }
})
