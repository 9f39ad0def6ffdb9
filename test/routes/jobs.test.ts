import { join } from 'node:path'
import t from 'tap'
import type { Job, JobEvent } from '../../src/schemas/jobs.ts'
import {
  blockLane,
  checkProblem,
  countJobs,
  invalid,
  normalise,
  problem,
  queuedJob,
  rows,
  walk
} from '../api-fixture.ts'
import { writeFiles } from '../files.ts'
import { build, type RequestOptions } from '../helper.ts'
import { event, lines, song } from '../records.ts'

const service = await build(t)
const wait = { prefer: 'wait=60' }
const start = (body: unknown, options: RequestOptions = {}) =>
  service.request('POST', '/v1/jobs', { scope: 'operate', body, ...options })

/** The job as it is put into the queue. */
const queued = queuedJob('etl', { mode: 'incremental', max_rejects: 0 })

t.test('without a cluster, and without tables, no job is made', async (t) => {
  const noCluster = 'There is no cluster yet. Create it with PUT /v1/cluster.'
  checkProblem(t, service, await start({ type: 'etl' }), problem('cluster_not_found', '/v1/jobs', noCluster))
  t.equal(await countJobs(service), 0)

  await service.request('PUT', '/v1/cluster', { headers: wait })
  const noTables = 'The tables do not exist yet. Create them with POST /v1/tables.'
  const headers = { 'idempotency-key': 'early' }
  checkProblem(
    t,
    service,
    await start({ type: 'etl' }, { headers }),
    problem('tables_not_created', '/v1/jobs', noTables)
  )
  t.equal(await countJobs(service), 1, 'the one that made the cluster')
  t.strictSame(await rows(service, 'select * from idempotency_keys'), [], 'a refused request keeps no key')

  await service.prepareWarehouse()
})

t.test('POST /v1/jobs answers with the job, which is in the table', async (t) => {
  const unblock = await blockLane(service)
  const { status, headers, body } = await start({ type: 'etl' })
  t.equal(status, 202)
  t.equal(headers.location, `/v1/jobs/${body.id}`)
  t.equal(headers['idempotency-replayed'], undefined)
  t.equal(headers['preference-applied'], undefined)
  t.strictSame(normalise(service, body), queued)

  const row = await rows(
    service,
    'select type, lane, status, priority, params, attempt, created_by, trigger from jobs where id = :id::text',
    { id: body.id }
  )
  const { actor } = { actor: (await service.request('GET', '/v1/whoami', { scope: 'operate' })).body.key_id }
  t.strictSame(row, [
    {
      ...{ type: 'etl', lane: 'warehouse', status: 'queued', priority: 0 },
      ...{ params: { mode: 'incremental', max_rejects: 0 }, attempt: 0, created_by: actor },
      trigger: { kind: 'api' }
    }
  ])
  t.strictSame((await service.request('GET', `/v1/jobs/${body.id}`)).body, body, 'GET shows the same')
  await unblock()
})

t.test('a job that fails says why, in the shape of a problem', async (t) => {
  const { status, headers, body } = await start({ type: 'etl' }, { headers: wait })
  t.equal(status, 200, 'it ended within the time to wait')
  t.equal(headers['preference-applied'], 'wait=60')
  t.equal(headers.location, `/v1/jobs/${body.id}`)
  t.equal(body.status, 'failed')
  t.strictSame(normalise(service, body.error), {
    type: 'urn:sparkify-warehouse:error:source_empty',
    title: 'The source holds no objects',
    status: 422,
    detail:
      'file://DATA_DIR/sources/song_data holds no .json or .json.gz object. Check the directory; nothing was changed.',
    code: 'source_empty'
  })
})

t.test('a job that succeeds shows its steps, its result and its story', async (t) => {
  writeFiles(join(service.config.DATA_DIR, 'sources'), {
    'song_data/a.json': lines(song()),
    'log_data/a.json': lines(event())
  })
  const { status, body } = await start({ type: 'etl', max_rejects: 3 }, { headers: wait })
  t.equal(status, 200)
  const steps = ['discover', 'stage', 'transform', 'check', 'publish']
  t.match(normalise(service, body), {
    ...queued,
    ...{ status: 'succeeded', attempt: 1, params: { mode: 'incremental', max_rejects: 3 }, worker: 'WORKER' },
    progress: { step: 'publish', step_index: 5, step_count: 5, percent: 100 },
    steps: steps.map((name) => ({ name, status: 'succeeded', started_at: 'TIME', finished_at: 'TIME' })),
    result: {
      load_id: '1',
      data_version: 1,
      events: { read: 1, loaded: 1, duplicates: 0, rejected: 0 },
      songs: { read: 1, loaded: 1, duplicates: 0, rejected: 0 }
    },
    ...{ error: null, started_at: 'TIME', finished_at: 'TIME' },
    links: { ...queued.links, load: '/v1/loads/1' }
  })
  t.strictSame(Object.keys(body), Object.keys(queued))

  const story = await service.request('GET', `/v1/jobs/${body.id}/events`, { scope: 'read' })
  t.equal(story.status, 200)
  const types = story.body.items.map(({ type }: JobEvent) => type)
  t.strictSame([types[0], types[1], types.at(-1)], ['queued', 'started', 'succeeded'])
  t.strictSame(normalise(service, story.body.items[0]), {
    ...{ id: 0, job_id: 'JOB', attempt: 0, type: 'queued', message: 'Asked for by KEY', data: null },
    created_at: 'TIME'
  })
  t.strictSame(await rows(service, 'select outcome from job_attempts where job_id = :id', { id: body.id }), [
    { outcome: 'succeeded' }
  ])
})

t.test('Prefer: wait=N waits so long and no longer', async (t) => {
  const unblock = await blockLane(service)
  const { status, headers, body } = await start({ type: 'etl' }, { headers: { prefer: 'wait=1' } })
  t.equal(status, 202, 'the job has not ended')
  t.equal(headers['preference-applied'], 'wait=1')
  t.equal(body.status, 'queued')
  const path = `/v1/jobs/${body.id}`
  const patient = await service.request('GET', path, { headers: { prefer: 'respond-async, wait="1"' } })
  t.equal(patient.status, 200)
  t.equal(patient.body.status, 'queued')
  for (const prefer of ['wait=soon', 'wait=-1', 'return=minimal', 'wait=0']) {
    const response = await start({ type: 'etl' }, { headers: { prefer } })
    t.equal(response.status, 202, prefer)
    t.equal(response.headers['preference-applied'], undefined, `${prefer} is not applied`)
  }
  const ended = service.request('GET', path, { headers: wait })
  await unblock()
  t.equal((await ended).body.status, 'succeeded', 'it is told as soon as the job ends')
  checkProblem(
    t,
    service,
    await service.request('GET', path, { headers: { prefer: 'x'.repeat(201) } }),
    invalid('/v1/jobs/JOB', 'prefer', 'maxLength', 'must NOT have more than 200 characters')
  )
})

t.test('GET /v1/jobs filters', async (t) => {
  const list = async (query: string) => {
    const { status, body } = await service.request('GET', `/v1/jobs?${query}`, { scope: 'read' })
    t.equal(status, 200, query)
    return body.items as Job[]
  }
  // What still runs would change between two lists.
  for (const { id } of await list('limit=200')) await service.waitForJob(id)
  const all = await list('limit=200')
  t.strictSame(
    all.map(({ id }) => id),
    all
      .map(({ id }) => id)
      .sort()
      .reverse(),
    'newest first'
  )
  t.ok((await list('type=tables.create')).every(({ type }) => type === 'tables.create'))
  t.equal((await list('type=tables.create')).length, 1)
  t.equal((await list('type=tables.drop')).length, 0)
  t.ok((await list('status=failed')).every(({ status }) => status === 'failed'))
  t.ok((await list('status=failed')).length > 0)
  t.equal((await list('limit=2')).length, 2, 'text in a query string becomes a number')
  const pivot = all[2]?.created_at ?? ''
  const offset = encodeURIComponent(pivot.replace('Z', '+00:00'))
  const younger = all.filter(({ created_at }) => created_at >= pivot)
  t.strictSame(await list(`created_after=${pivot}&limit=200`), younger)
  t.strictSame(await list(`created_after=${offset}&limit=200`), younger)
  t.strictSame(await list(`created_before=${pivot}&limit=200`), all.slice(younger.length))
})

t.test('GET /v1/jobs refuses what it does not understand', async (t) => {
  for (const query of [
    'limit=0',
    'limit=201',
    'limit=-1',
    'limit=ten',
    'limit=1.5',
    'limit=1e1',
    'limit=0x10',
    'limit=%205',
    'limit=',
    'limit=1&limit=2',
    'status=done',
    'status=',
    'type=sql',
    'created_after=yesterday',
    'created_after=2026-01-01',
    'created_after=0000-01-01T00:00:00Z',
    'created_before=2026-01-01T00:00:00%2B23:59',
    'cursor=a&cursor=b',
    'order=asc',
    'Limit=5',
    'limit[]=5'
  ]) {
    const { status, body } = await service.request('GET', `/v1/jobs?${query}`)
    t.equal(status, 400, query)
    t.equal(body.code, 'invalid_request', query)
    t.equal(body.errors[0].pointer, decodeURIComponent(query.split('=')[0] ?? ''), query)
  }
  const detail = 'cursor is not a value that next_cursor had. Start without it.'
  for (const cursor of ['%00', '***', Buffer.from("'; drop table jobs --").toString('base64url')]) {
    const response = await service.request('GET', `/v1/jobs?cursor=${cursor}`)
    checkProblem(t, service, response, problem('invalid_cursor', '/v1/jobs', detail), cursor)
  }
})

t.test('pages have no gap and no repetition while jobs arrive', async (t) => {
  const unblock = await blockLane(service)
  const ids: string[] = []
  for (let count = 0; count < 8; count += 1) ids.unshift((await start({ type: 'etl' })).body.id)
  const late: string[] = []
  const { items, pages } = await walk(t, service, '/v1/jobs?limit=3&status=queued&type=etl', async () => {
    late.push((await start({ type: 'etl' })).body.id)
  })
  t.strictSame(
    items.map(({ id }) => id),
    ids
  )
  t.equal(pages, 3)
  const { items: now } = await walk(t, service, '/v1/jobs?limit=200&status=queued&type=etl')
  t.strictSame(
    now.map(({ id }) => id),
    [...late.reverse(), ...ids],
    'the late ones are on a new first page'
  )
  await unblock()
})

t.test('a job that is not there', async (t) => {
  for (const path of ['/v1/jobs/job_0', '/v1/jobs/job_0/events', '/v1/jobs/%27%20or%201=1', '/v1/jobs/ünï']) {
    const response = await service.request('GET', path, { headers: wait })
    const id = decodeURIComponent(path.split('/')[3] ?? '')
    const detail = `No job has the id ${id}. GET /v1/jobs lists the jobs.`
    checkProblem(t, service, response, problem('job_not_found', response.body.instance, detail), path)
  }
})

t.test('the story of a job comes in pages too', async (t) => {
  const [job] = (await service.request('GET', '/v1/jobs?status=succeeded&type=etl&limit=1')).body.items
  const path = `/v1/jobs/${job.id}/events`
  const whole = await service.request('GET', path)
  const { items, pages } = await walk(t, service, `${path}?limit=2`)
  t.strictSame(items, whole.body.items)
  t.equal(pages, Math.ceil(items.length / 2))
  t.ok(pages > 3)
  const wrong = await service.request('GET', `${path}?cursor=${Buffer.from('job_1').toString('base64url')}`)
  const detail = 'cursor is not a value that next_cursor had. Start without it.'
  checkProblem(t, service, wrong, problem('invalid_cursor', '/v1/jobs/JOB/events', detail))
  t.equal((await service.request('GET', `${path}?type=step`)).status, 400)
})
