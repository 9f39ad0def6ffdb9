/** The load on Redshift, through the whole service: what may go wrong in it, and that every row is there once after all. */
import t, { type Test } from 'tap'
import type { Job } from '../../src/schemas/jobs.ts'
import { parseSql } from '../../src/sql.ts'
import type { Fault } from '../emulators/redshift.ts'
import { event, type Json, lines, song } from '../records.ts'
import { BUCKET, buildOnRedshift, SCRATCH } from '../redshift-fixture.ts'
import { checkRowStream } from '../row-stream.ts'

const service = await buildOnRedshift(t)
const { aws, redshift, request } = service
await service.prepareWarehouse()

const start = async (params: Json = {}, headers: Record<string, string> = { prefer: 'wait=60' }) =>
  (await request('POST', '/v1/jobs', { headers, body: { type: 'etl', ...params } })).body as Job
const storyOf = async ({ id }: Job): Promise<string[]> =>
  (await request('GET', `/v1/jobs/${id}/events?limit=200`)).body.items.map(
    ({ message }: { message: string }) => message
  )
const attemptsOf = async ({ id }: Job) => (await request('GET', `/v1/jobs/${id}/attempts`)).body.items
const countOf = async (table: string) => {
  const { rows } = await service.parts.warehouse.run(
    parseSql('test', `select count(*) as rows from ${table}`)
  )
  return Number(rows[0]?.rows)
}

/** How many days there are; each is one object with two plays. */
let days = 0
/** How many of them were loaded along with another. */
let shared = 0

function addDay() {
  days += 1
  const ts = 1541106000796 + days * 86_400_000
  service.put({
    [`log_data/day-${days}.json`]: lines(
      event({ sessionId: days, ts }),
      event({ sessionId: days, ts, itemInSession: 1 })
    )
  })
}

/** Everything is there, each row once, and the ledger says the same. */
async function checkRows(t: Test) {
  t.same(
    {
      events: await countOf('staging.events'),
      plays: await countOf('analytics.songplays'),
      objects: await countOf('ops.loaded_objects'),
      loads: await countOf('ops.loads')
    },
    { events: 2 * days, plays: 2 * days, objects: days + 1, loads: days - shared }
  )
}

t.test('a first load', async (t) => {
  service.put({ 'song_data/a.json': lines(song()) })
  addDay()
  t.match(await start(), { status: 'succeeded', attempt: 1 })
  await checkRows(t)
})

const copied = () => redshift.statements.filter(({ text }) => /^copy load_events/.test(text)).length

t.test('the transaction begins with the lock, and holds no statement that ends it', async (t) => {
  const texts = redshift.statements.map(({ text }) => text)
  const commit = texts.lastIndexOf('commit')
  const begin = texts.lastIndexOf('begin', commit)
  t.match(texts[begin + 1], /^lock ops\.load_lock/)
  t.notMatch(texts.slice(begin, commit).join('\n'), /\b(truncate|merge|copy|create table(?! \w+ as))\b/i)
  t.same(aws.s3.keys(SCRATCH), [], 'no manifest is left')
})

for (const [name, fault] of Object.entries<Fault>({
  '1023': { type: 'serialization' },
  'a deadlock': { type: 'deadlock' }
})) {
  t.test(`${name}: the whole transaction is run again, without another COPY`, async (t) => {
    addDay()
    const before = copied()
    redshift.inject({ match: /^insert into analytics\.songplays/i, fault, times: 2 })
    const job = await start()
    t.match(job, { status: 'succeeded', attempt: 1 })
    t.equal(copied() - before, 1)
    t.equal((await storyOf(job)).filter((message) => /run again/.test(message)).length, 2)
    await checkRows(t)
  })
}

t.test('what passes by itself is tried again by the job', async (t) => {
  const disconnect = (when: 'before' | 'during'): Fault => ({ type: 'disconnect', when })
  const unusable: Fault = {
    type: 'error',
    code: 'XX000',
    message:
      'User arn:aws:redshift:us-west-2:1:dbuser:a/b is not authorized to assume IAM Role arn:aws:iam::1:role/a'
  }
  for (const [match, fault, code, times = 1] of [
    [/^insert into analytics\.users/i, { type: 'serialization' }, 'warehouse_conflict', 4],
    ['copy', disconnect('during'), 'warehouse_unavailable'],
    [/^insert into analytics\.time/i, disconnect('before'), 'warehouse_unavailable'],
    ['commit', disconnect('before'), 'warehouse_unavailable'],
    ['copy', unusable, 'iam_role_not_usable']
  ] as [RegExp | 'copy' | 'commit', Fault, string, number?][]) {
    const name = `${match}: ${code}`
    addDay()
    redshift.inject({ match, fault, times })
    const job = await start()
    t.match(job, { status: 'succeeded', attempt: 2, error: null }, name)
    t.match(await attemptsOf(job), [{ outcome: 'failed', error: { code } }, { outcome: 'succeeded' }], name)
    t.same(redshift.pendingFaults(), [], name)
    await checkRows(t)
  }
})

t.test(
  'a connection lost after the commit happened: the ledger tells, and nothing is loaded again',
  async (t) => {
    addDay()
    redshift.inject({ match: 'commit', fault: { type: 'disconnect', when: 'after' } })
    const job = await start()
    t.match(job, { status: 'succeeded', attempt: 2, result: { events: { read: 2, loaded: 2 } } })
    t.match((await storyOf(job)).join('\n'), /An earlier attempt had published the load/)
    await checkRows(t)
  }
)

t.test('what does not pass by itself fails with its reason, and changes nothing', async (t) => {
  addDay()
  const error = (message: string): Fault => ({ type: 'error', code: 'XX000', message })
  const causes: [Fault, string][] = [
    [{ type: 'timeout' }, 'statement_cancelled'],
    [{ type: 'cancelled' }, 'statement_cancelled'],
    [{ type: 'disk_full' }, 'disk_full'],
    [error('S3ServiceException:Access Denied,Status 403,Error AccessDenied'), 'source_access_denied']
  ]
  days -= 1
  for (const [fault, code] of causes) {
    redshift.inject({ match: 'copy', fault })
    t.match(await start(), { status: 'failed', attempt: 1, error: { code } }, code)
    await checkRows(t)
  }
  days += 1
  t.match(await start(), { status: 'succeeded', attempt: 1 })
  await checkRows(t)
})

t.test('an object that vanishes between the list and COPY: the next attempt lists anew', async (t) => {
  addDay()
  service.put({ 'log_data/gone.json': lines(event({ sessionId: 9999 })) })
  redshift.inject({ match: 'copy', fault: { type: 'delay', ms: 1 } })
  aws.inject({
    operation: 'PutObject',
    fault: { kind: 'hook', before: async () => aws.s3.delete(BUCKET, 'log_data/gone.json') }
  })
  t.match(await start(), { status: 'succeeded', attempt: 2 })
  await checkRows(t)
})

t.test(
  'an object that changes before its rejects are read: the next attempt reads what it is then',
  async (t) => {
    addDay()
    const key = `log_data/day-${days}.json`
    const good = aws.s3.get(BUCKET, key)?.toString() ?? ''
    service.put({ [key]: `${good}\nbad` })
    aws.inject({
      operation: 'GetObject',
      fault: { kind: 'hook', before: async () => service.put({ [key]: good }) }
    })
    t.match(await start({ max_rejects: 1 }), {
      status: 'succeeded',
      attempt: 2,
      result: { events: { rejected: 0 } }
    })
    await checkRows(t)
  }
)

t.test('a manifest that leaves an object out: nothing is loaded by it', async (t) => {
  addDay()
  addDay()
  shared += 1
  redshift.inject({ match: /^copy load_events/, fault: { type: 'delay', ms: 500 } })
  const { id } = await start({}, {})
  while (redshift.pendingFaults().length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const [key = ''] = aws.s3.keys(SCRATCH).filter((key) => key.endsWith('events.manifest'))
  const { entries } = JSON.parse(aws.s3.get(SCRATCH, key)?.toString() ?? '')
  aws.s3.put(SCRATCH, key, JSON.stringify({ entries: entries.slice(1) }))
  const job = await service.waitForJob(id)
  t.match(job, { status: 'succeeded', attempt: 2 })
  t.match((await attemptsOf(job))[0], { error: { code: 'object_changed' } })
  await checkRows(t)
})

t.test('more rejects than one statement looks up: each is found in its line', async (t) => {
  addDay()
  const key = `log_data/day-${days}.json`
  const wrong = Array.from({ length: 1005 }, (_, item) => event({ userId: '-1', itemInSession: 10 + item }))
  service.put({ [key]: `${aws.s3.get(BUCKET, key)}\n${lines(...wrong)}` })
  const job = await start({ max_rejects: 1005 })
  t.match(job, { status: 'succeeded', attempt: 1, result: { events: { loaded: 2, rejected: 1005 } } })
  const { rows } = await service.parts.warehouse.run(
    parseSql(
      'test',
      `select count(distinct line_number) as lines, min(line_number) as first, max(line_number) as last
       from ops.rejects where code = 'out_of_range'`
    )
  )
  t.same(
    rows.map(Object.values).map((row) => row.map(Number)),
    [[1005, 3, 1007]]
  )
  await checkRows(t)
})

t.test('S3 that answers nothing good', async (t) => {
  addDay()
  aws.inject({ operation: 'ListObjectsV2', fault: { kind: 'access-denied' } })
  t.match(await start(), { status: 'failed', error: { code: 'source_access_denied' } })
  // As often as the SDK itself tries.
  aws.inject({ operation: 'ListObjectsV2', fault: { kind: 'http', status: 503 }, times: 6 })
  const job = await start()
  t.match(job, { status: 'succeeded', attempt: 2 })
  t.match((await attemptsOf(job))[0], { error: { code: 'source_unavailable' } })
  await checkRows(t)
})

t.test('cancelling stops the statement in the cluster', async (t) => {
  addDay()
  redshift.inject({ match: 'copy', fault: { type: 'delay', ms: 60_000 } })
  const { id } = await start({}, {})
  while (redshift.pendingFaults().length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await request('POST', `/v1/jobs/${id}/cancel`)
  t.match((await service.waitForJob(id)).status, 'cancelled')
  t.match(redshift.statements.map(({ text }) => text).join('\n'), /pg_cancel_backend/)
  t.match(await start(), { status: 'succeeded', attempt: 1 })
  await checkRows(t)
})

t.test(
  'more rejects than allowed: nothing is published, and they are shown with place and text',
  async (t) => {
    addDay()
    service.put({ 'log_data/wrong.json': `${lines(event({ ts: 'soon' }))}\n{"cut` })
    const job = await start()
    t.match(job, { status: 'failed', attempt: 1, error: { code: 'too_many_rejects' } })
    const { body } = await request('GET', `/v1/rejects?job_id=${job.id}`)
    t.match(body.items, [
      { url: `s3://${BUCKET}/log_data/wrong.json`, line_number: 1, code: 'invalid_type', column: 'ts' },
      { url: `s3://${BUCKET}/log_data/wrong.json`, line_number: 2, code: 'malformed_json', raw: '{"cut' }
    ])
    aws.s3.delete(BUCKET, 'log_data/wrong.json')
    t.match(await start(), { status: 'succeeded' })
    await checkRows(t)
  }
)

t.test('GET /v1/tables shows keys, distribution, counts and skew', async (t) => {
  const { body } = await request('GET', '/v1/tables/analytics.songplays')
  t.match(body, {
    row_count: 2 * days,
    distribution: { style: 'key', column: 'song_id' },
    sort_key: ['start_time'],
    skew: Number
  })
})

t.test('rows in parts', (t) => checkRowStream(t, service.parts.warehouse))

t.test('a paused cluster is no reason to try again', async (t) => {
  aws.setClusterStatus('sparkify', 'paused')
  redshift.disconnectAll()
  // A session that is lost may be found out by the statement that it is used for.
  t.match(await request('GET', '/v1/loads'), { status: /^(409|503)$/ })
  t.match((await request('POST', '/v1/jobs', { body: { type: 'etl' } })).body, { code: 'cluster_paused' })
  t.match((await request('GET', '/v1/analytics/top-songs/results')).body, { code: 'cluster_paused' })
  aws.setClusterStatus('sparkify', 'available')
})

t.test('without a place for manifests, COPY reads by prefixes that hold the new objects alone', async (t) => {
  const byPrefix = await buildOnRedshift(t, { MANIFEST_PREFIX: '' })
  await byPrefix.prepareWarehouse()
  const load = async (params: Json = {}) => {
    const from = byPrefix.redshift.statements.length
    const { body } = await byPrefix.request('POST', '/v1/jobs', {
      headers: { prefer: 'wait=60' },
      body: { type: 'etl', ...params }
    })
    const copies = byPrefix.redshift.statements
      .slice(from)
      .flatMap(({ text }) => /^copy [\s\S]*?from '([^']*)'/.exec(text)?.[1] ?? [])
    return { job: body as Job, copies: copies.map((url) => url.replace(`s3://${BUCKET}/`, '')) }
  }
  const day = (item: number) => lines(event({ itemInSession: item }))
  byPrefix.put({
    'song_data/a.json': lines(song()),
    'log_data/2018-11-01.json': day(1),
    'log_data/2018-11-02.json': day(2)
  })
  const first = await load()
  t.match(first.job, { status: 'succeeded', result: { events: { loaded: 2 }, songs: { loaded: 1 } } })
  t.same(first.copies, ['song_data/a.json', 'log_data/2018-11-0'])

  byPrefix.put({ 'log_data/2018-11-03.json': day(3), 'log_data/2018-11-13.json': day(4) })
  const second = await load()
  t.match(second.job, { status: 'succeeded', result: { events: { read: 2, loaded: 2 } } })
  t.same(second.copies, ['log_data/2018-11-03.json', 'log_data/2018-11-13.json'])

  // The name of a new object is the beginning of another's.
  byPrefix.put({ 'log_data/2018-11-05.json.json': day(5) })
  t.match((await load()).job, { status: 'succeeded' })
  byPrefix.put({ 'log_data/2018-11-05.json': day(6) })
  t.match((await load()).job, { status: 'failed', error: { code: 'manifest_needed' } })
  t.match((await load({ mode: 'full' })).job, {
    status: 'succeeded',
    result: { events: { read: 6, loaded: 6 } }
  })

  byPrefix.put({ 'log_data/2018-11-06.json': day(7), 'log_data/2018-11-06.json.md': 'not listed as data' })
  t.match((await load()).job, { status: 'failed', error: { code: 'object_changed' } })
})

t.test('a load sends as many statements, whatever it reads', async (t) => {
  const sent = async (objects: number, events: number) => {
    const from = redshift.statements.length
    for (let index = 0; index < objects; index += 1) {
      days += 1
      const each = Array.from({ length: events }, (_, item) =>
        event({ sessionId: days, itemInSession: item, ts: 1541106000796 + days * 86_400_000 })
      )
      service.put({ [`log_data/day-${days}.json`]: lines(...each) })
    }
    t.match(await start(), { status: 'succeeded', attempt: 1 })
    return redshift.statements.length - from
  }
  const one = await sent(1, 1)
  t.equal(await sent(40, 1), one, '40 objects')
  t.equal(await sent(1, 3000), one, '3,000 events')
  t.comment(`${one} statements`)
})
