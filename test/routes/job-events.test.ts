/** The story of jobs over HTTP: in pages, and as streams of server-sent events. */
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { readSql } from '../../src/sql.ts'
import { checkProblem, normalise, problem, rows, walk } from '../api-fixture.ts'
import { build } from '../helper.ts'
import { abandon, until } from '../jobs-fixture.ts'
import { openStream } from '../stream-fixture.ts'

const service = await build(t)
const { store } = service.parts
const insertEvent = readSql('store/job-events/insert.sql')
const finishJob = readSql('store/jobs/finish.sql')
const address = await service.app.listen({ port: 0, host: '127.0.0.1' })

let count = 0
/** A job that another process runs, as far as this one can tell. */
async function runningJob() {
  count += 1
  const id = `job_${String(count).padStart(32, '0')}`
  await abandon(store, { id, lane: id, lease: 3600 })
  const tell = (message: string) =>
    store.query(insertEvent, { job_id: id, attempt: 1, type: 'step', message, data: null })
  const end = () => {
    const final = {
      status: 'succeeded',
      outcome: 'succeeded',
      result: {},
      error: null,
      message: 'end',
      data: null
    }
    return store.query(finishJob, { id, attempt: 1, ...final, progress: null, steps: [] })
  }
  return { id, tell, end, path: `/v1/jobs/${id}/events` }
}

const open = (t: Test, path: string, { key = service.keys.read, ...headers }: Record<string, string> = {}) =>
  openStream(t, address + path, { authorization: `Bearer ${key}`, ...headers })
const messages = (events: { data: { message: string } }[]) => events.map(({ data }) => data.message)

t.test("a job's stream tells everything in order, and ends with the job", async (t) => {
  const job = await runningJob()
  await job.tell('one')
  const stream = await open(t, job.path)
  t.equal(stream.status, 200)
  t.match(stream.headers, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'x-request-id': /^req_/
  })
  const [first] = await stream.take(1)
  t.equal(first?.data.message, 'one', 'what had happened before')
  await job.tell('two\nlines')
  t.strictSame(messages(await stream.take(1)), ['two\nlines'], 'what happens now')
  await job.tell('three')
  await job.end()
  t.strictSame(messages(await stream.take()), ['three', 'end'])

  const { body } = await service.request('GET', job.path)
  const again = await (await open(t, job.path)).take()
  t.strictSame(
    again.map(({ data }) => data),
    body.items,
    'the events are those of the list'
  )
  t.ok(again.every(({ id, data }) => id === String(data.id)))
})

t.test('a reader that comes back after any event misses none and sees none twice', async (t) => {
  const job = await runningJob()
  const told = ['one', 'two', 'three', 'four']
  const seen: string[] = []
  let last: string | undefined
  for (const message of told) {
    await job.tell(message)
    const stream = await open(t, job.path, last === undefined ? {} : { 'last-event-id': last })
    const event = await stream.next()
    seen.push(event?.data.message ?? '')
    last = event?.id
    stream.hangUp()
  }
  await job.end()
  const rest = await (await open(t, job.path, { 'last-event-id': last ?? '' })).take()
  t.strictSame([...seen, ...messages(rest)], [...told, 'end'])
  const over = await open(t, job.path, { 'last-event-id': rest.at(-1)?.id ?? '' })
  t.equal(over.status, 204, 'which tells an EventSource not to come back')
  t.match(over.headers['x-request-id'], /^req_/)
})

t.test('without asking for a stream it is a list, and HEAD opens none', async (t) => {
  const job = await runningJob()
  await job.tell('one')
  for (const accept of ['*/*', 'application/json', 'text/event-stream;q=0']) {
    const { status, headers, body } = await service.request('GET', job.path, { headers: { accept } })
    t.equal(status, 200, accept)
    t.match(headers['content-type'], 'application/json')
    t.strictSame(messages(body.items.map((data: object) => ({ data }))), ['one'])
  }
  for (const path of [job.path, '/v1/job-events']) {
    const head = await service.request('HEAD', path, { headers: { accept: 'text/event-stream' } })
    t.equal(head.status, 200)
    t.match(head.headers['content-type'], 'text/event-stream')
  }
})

t.test('what cannot be followed', async (t) => {
  const job = await runningJob()
  const headers = { accept: 'text/event-stream' }
  const none = 'No job has the id job_0. GET /v1/jobs lists the jobs.'
  checkProblem(
    t,
    service,
    await service.request('GET', '/v1/jobs/job_0/events', { headers }),
    problem('job_not_found', '/v1/jobs/job_0/events', none)
  )
  const detail = 'Last-Event-ID is not the id of an event of this job. Start without it.'
  for (const id of ['x', '-1', '1.5', '7-7']) {
    const response = await service.request('GET', job.path, { headers: { ...headers, 'last-event-id': id } })
    checkProblem(t, service, response, problem('invalid_cursor', '/v1/jobs/JOB/events', detail), id)
  }
  const unknown =
    'The position is none that this feed had. Start without it, or with Last-Event-ID: 0 from the beginning.'
  for (const id of ['x', '42', '7-', '99999999999999999-1', '1-1-1']) {
    const response = await service.request('GET', '/v1/job-events', {
      headers: { ...headers, 'last-event-id': id }
    })
    checkProblem(t, service, response, problem('invalid_cursor', '/v1/job-events', unknown), id)
  }
})

t.test('a quiet stream sends heartbeats', async (t) => {
  const job = await runningJob()
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const stream = await open(t, job.path)
  t.equal(stream.status, 200, 'it is open before anything happens')
  const rest = stream.take()
  mock.timers.tick(15_000)
  await until(() => stream.comments.length === 1)
  mock.timers.tick(30_000)
  await until(() => stream.comments.length === 3)
  t.strictSame(new Set(stream.comments), new Set([': heartbeat']))
  await job.end()
  t.strictSame(messages(await rest), ['end'])
})

t.test('a key has so many streams and no more; a reader that leaves frees its place', async (t) => {
  const job = await runningJob()
  const streams = []
  for (let index = 0; index < 16; index += 1) {
    streams.push(await open(t, index % 2 === 0 ? job.path : '/v1/job-events'))
  }
  const headers = { accept: 'text/event-stream' }
  const ask = () => service.request('GET', job.path, { scope: 'read', headers })
  const refused = await ask()
  const detail = 'The key KEY has 16 streams open, which is the limit. Close one of them.'
  checkProblem(t, service, refused, problem('too_many_streams', '/v1/jobs/JOB/events', detail))
  t.equal((await open(t, job.path, { key: service.keys.admin })).status, 200, 'another key has its own')
  streams[0]?.hangUp()
  streams[1]?.hangUp()
  await until(async () => {
    const stream = await open(t, job.path)
    return stream.status === 200
  })
  for (const stream of streams) stream.hangUp()
  await job.end()
  for (let index = 0; index < 20; index += 1) {
    t.equal((await (await open(t, job.path)).take()).length, 1, 'an ended stream frees its place too')
  }
})

t.test('the feed over all jobs goes on from now, from the beginning, or after what was seen', async (t) => {
  const [one, two] = [await runningJob(), await runningJob()]
  await one.tell('before')
  // A transaction of any database of the server holds the feed back while it is open.
  const passed = 'select from job_events having max(xid) < pg_snapshot_xmin(pg_current_snapshot())'
  await until(async () => (await rows(service, passed)).length > 0)
  const live = await open(t, '/v1/job-events')
  await one.tell('a')
  await two.tell('b')
  await one.end()
  const seen = await live.take(3)
  t.strictSame(messages(seen), ['a', 'b', 'end'], 'it does not end with a job')
  await two.tell('c')
  t.strictSame(messages(await live.take(1)), ['c'])

  const resumed = await open(t, '/v1/job-events', { 'last-event-id': seen[0]?.id ?? '' })
  t.strictSame(messages(await resumed.take(3)), ['b', 'end', 'c'])

  const { items, pages } = await walk(t, service, '/v1/job-events?limit=7')
  t.ok(pages > 1)
  const [{ events } = { events: 0 }] = await rows<{ events: number }>(
    service,
    'select count(*) as events from job_events'
  )
  t.equal(items.length, events)
  t.match(normalise(service, items.at(-1)), { message: 'c', type: 'step', job_id: 'JOB', created_at: 'TIME' })
  const all = await (await open(t, '/v1/job-events', { 'last-event-id': '0' })).take(events)
  t.strictSame(
    all.map(({ data }) => data),
    items,
    'the stream from the beginning is the list'
  )
})

t.test('a stream ends when the service stops', async (t) => {
  const job = await runningJob()
  const streams = [await open(t, job.path), await open(t, '/v1/job-events')]
  const ends = Promise.all(streams.map((stream) => stream.take()))
  await service.app.close()
  t.strictSame(await ends, [[], []])
})
