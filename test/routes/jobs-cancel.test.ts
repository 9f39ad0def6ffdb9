/** Cancelling, retrying and choosing how a job runs, over HTTP and with real loads. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Job } from '../../src/schemas/jobs.ts'
import {
  blockLane,
  checkProblem,
  countJobs,
  invalid,
  normalise,
  problem,
  queuedJob,
  rows
} from '../api-fixture.ts'
import { writeFiles } from '../files.ts'
import { build, type RequestOptions } from '../helper.ts'
import { event, lines, song } from '../records.ts'

const service = await build(t)
await service.prepareWarehouse()
const wait = { prefer: 'wait=60' }
const post = (path: string, options: RequestOptions = {}) =>
  service.request('POST', `/v1/jobs${path}`, { scope: 'operate', ...options })
const start = (body: object = {}, options: RequestOptions = {}) =>
  post('', { body: { type: 'etl', ...body }, ...options })
const params = { mode: 'incremental', max_rejects: 0 }

t.test('a load is stopped in its midst, and the warehouse is as before', async (t) => {
  const events = Array.from({ length: 60_000 }, (_, index) => event({ ts: 1541106000796 + index * 1000 }))
  writeFiles(join(service.config.DATA_DIR, 'sources'), {
    'song_data/a.json': lines(song()),
    'log_data/a.json': lines(event()),
    'log_data/b.json': lines(...events)
  })
  const countRows = async () => {
    const { body } = await service.request('GET', '/v1/tables')
    return body.items.map(({ name, row_count }: { name: string; row_count: number }) => [name, row_count])
  }
  const before = await countRows()
  for (const step of ['stage', 'transform']) {
    const { body } = await start()
    let job: Job
    do {
      job = (await service.request('GET', `/v1/jobs/${body.id}`)).body
      if (job.finished_at !== null) throw new Error(`the job was too fast: ${JSON.stringify(job)}`)
      await sleep(1)
    } while (job.progress?.step !== step)
    const { status, headers, body: cancelled } = await post(`/${body.id}/cancel`, { headers: wait })
    t.equal(status, 200)
    t.equal(headers['preference-applied'], 'wait=60')
    t.match(normalise(service, cancelled), {
      ...queuedJob('etl', params),
      ...{ status: 'cancelled', attempt: 1, worker: 'WORKER', progress: { step }, steps: Array },
      ...{ cancel_requested_at: 'TIME', started_at: 'TIME', finished_at: 'TIME' }
    })
    t.strictSame(
      await rows(service, 'select outcome from job_attempts where job_id = :id', { id: body.id }),
      [{ outcome: 'cancelled' }]
    )
  }
  t.strictSame(await countRows(), before)
  t.match((await service.request('GET', '/v1/loads')).body.items, [])
})

t.test('retry makes a new job of a cancelled one, linked to it', async (t) => {
  const [old] = (await service.request('GET', '/v1/jobs?status=cancelled&limit=1')).body.items
  const unblock = await blockLane(service)
  const headers = { 'idempotency-key': 'again' }
  const { status, headers: answered, body } = await post(`/${old.id}/retry`, { headers })
  t.equal(status, 202)
  t.equal(answered.location, `/v1/jobs/${body.id}`)
  t.not(body.id, old.id)
  t.equal(body.retry_of, old.id)
  t.strictSame(normalise(service, body), {
    ...queuedJob('etl', params),
    ...{ trigger: { kind: 'retry' }, retry_of: 'JOB' }
  })
  t.match(await rows(service, 'select retry_of, status from jobs where id = :id', { id: body.id }), [
    { retry_of: old.id, status: 'queued' }
  ])
  const replayed = await post(`/${old.id}/retry`, { headers })
  t.equal(replayed.headers['idempotency-replayed'], 'true')
  t.strictSame(replayed.body, body)
  const [older] = (await service.request('GET', '/v1/jobs?status=cancelled&limit=2')).body.items.slice(1)
  const reused = await post(`/${older.id}/retry`, { headers })
  t.equal(reused.body.code, 'idempotency_key_reused', 'of another job')
  await unblock()
  t.match(await service.waitForJob(body.id), { status: 'succeeded', result: { load_id: '1' } })
})

t.test('what cannot be retried, or cancelled', async (t) => {
  const unblock = await blockLane(service)
  const { body: queued } = await start()
  const [done] = (await service.request('GET', '/v1/jobs?status=succeeded&type=etl')).body.items
  const before = await countJobs(service)
  const only = 'only one that failed or was cancelled can be retried.'
  for (const [{ id }, path, code, detail] of [
    [
      ...([queued, 'retry', 'job_not_retryable'] as const),
      `The job JOB is queued; ${only} Wait for its end, or cancel it.`
    ],
    [
      ...([done, 'retry', 'job_not_retryable'] as const),
      `The job JOB is succeeded; ${only} To do the same again, start a new job of the type etl.`
    ],
    [
      ...([done, 'cancel', 'job_finished'] as const),
      'The job JOB has ended: succeeded. There is nothing to cancel.'
    ],
    [
      ...([{ id: 'job_0' }, 'retry', 'job_not_found'] as const),
      'No job has the id job_0. GET /v1/jobs lists the jobs.'
    ],
    [
      ...([{ id: 'job_0' }, 'cancel', 'job_not_found'] as const),
      'No job has the id job_0. GET /v1/jobs lists the jobs.'
    ]
  ] as const) {
    const response = await post(`/${id}/${path}`)
    checkProblem(
      t,
      service,
      response,
      problem(code, normalise(service, `/v1/jobs/${id}/${path}`) as string, detail)
    )
  }
  const { status, body } = await post(`/${queued.id}/cancel`)
  t.equal(status, 200, 'one that was never started is cancelled at once')
  t.match(body, { status: 'cancelled', attempt: 0 })
  t.strictSame((await post(`/${queued.id}/cancel`)).body, body)
  t.equal(await countJobs(service), before)
  await unblock()
})

t.test(
  'the scope is that of the type, for cancel and retry too, and a retry is checked like a start',
  async (t) => {
    const unblock = await blockLane(service)
    const { body: drop } = await service.request('DELETE', '/v1/tables?confirm=sparkify')
    const denied = (path: string) =>
      problem(
        'insufficient_scope',
        `/v1/jobs/JOB/${path}`,
        'This needs the scope admin; the key KEY has operate.'
      )
    checkProblem(t, service, await post(`/${drop.id}/cancel`), denied('cancel'))
    t.equal((await post(`/${drop.id}/cancel`, { scope: 'admin' })).body.status, 'cancelled')
    checkProblem(t, service, await post(`/${drop.id}/retry`), denied('retry'))

    const teardown = (
      await rows<{ id: string }>(
        service,
        `
    insert into jobs (id, type, lane, status, params, max_attempts, created_by, trigger, finished_at)
    values ('job_${'1'.repeat(32)}', 'cluster.teardown', 'warehouse', 'failed', '{"final_snapshot": false}', 3, 'key',
      '{"kind": "api"}', now()) returning id`
      )
    )[0]
    const refused = await post(`/${teardown?.id}/retry`, { scope: 'admin' })
    t.equal(refused.status, 409)
    t.equal(refused.body.code, 'jobs_active')
    await unblock()
  }
)

t.test('every attempt is there, with its worker, times and error', async (t) => {
  const id = `job_${'2'.repeat(32)}`
  await rows(
    service,
    `insert into jobs (id, type, lane, status, attempt, max_attempts, created_by, trigger, finished_at)
    values ('${id}', 'etl', 'warehouse', 'failed', 3, 3, 'key', '{"kind": "api"}', now())`
  )
  await rows(
    service,
    `insert into job_attempts (job_id, attempt, worker, finished_at, outcome, error)
    select '${id}', n, 'w-' || n, now(), 'failed', '{"type": "", "title": "", "status": 503, "detail": "", "code": "x"}'
    from generate_series(1, 3) as n`
  )
  const path = `/v1/jobs/${id}/attempts`
  const { status, body } = await service.request('GET', `${path}?limit=2`, { scope: 'read' })
  t.equal(status, 200)
  t.match(normalise(service, body.items[0]), {
    ...{ job_id: 'JOB', attempt: 1, worker: 'w-1', outcome: 'failed', error: { status: 503, code: 'x' } },
    ...{ started_at: 'TIME', finished_at: 'TIME' }
  })
  const rest = await service.request('GET', `${path}?cursor=${body.next_cursor}`, { scope: 'read' })
  t.match(rest.body, { items: [{ attempt: 3 }], next_cursor: null })
  const far = Buffer.from('999999999999999').toString('base64url')
  t.match((await service.request('GET', `${path}?cursor=${far}`)).body, { items: [] })
})

t.test('fifty requests with one key at once make one job and have one answer', async (t) => {
  const unblock = await blockLane(service)
  const before = await countJobs(service)
  const headers = { 'idempotency-key': 'fifty' }
  const answers = await Promise.all(Array.from({ length: 50 }, () => start({ mode: 'full' }, { headers })))
  t.strictSame(new Set(answers.map(({ status }) => status)), new Set([202]))
  t.equal(new Set(answers.map(({ body }) => JSON.stringify(body))).size, 1)
  t.equal(answers.filter((answer) => answer.headers['idempotency-replayed'] === undefined).length, 1)
  t.equal(await countJobs(service), before + 1)
  const reused = await start({ mode: 'full', priority: 'high' }, { headers })
  t.equal(reused.body.code, 'idempotency_key_reused', 'how it is to run is part of the request')
  await post(`/${answers[0]?.body.id}/cancel`)
  await unblock()
})

t.test('on_conflict', async (t) => {
  const unblock = await blockLane(service)
  const first = (await start({ max_rejects: 5 })).body
  const before = await countJobs(service)
  const same = await start({ max_rejects: 5, on_conflict: 'return', priority: 'high' })
  t.equal(same.status, 202)
  t.strictSame(same.body, first)
  checkProblem(
    t,
    service,
    await start({ max_rejects: 5, on_conflict: 'reject' }),
    problem(
      'job_conflict',
      '/v1/jobs',
      'JOB does the same and is queued. Wait for it, or choose another on_conflict: return answers it, queue puts a new job behind it.'
    )
  )
  t.equal(await countJobs(service), before)
  const others = [
    await start({ max_rejects: 5, on_conflict: 'queue' }),
    await start({ max_rejects: 6, on_conflict: 'reject' })
  ]
  for (const { status, body } of others) t.not(status === 202 && body.id, first.id)
  const twins = await Promise.all(
    Array.from({ length: 8 }, () => start({ max_rejects: 7, on_conflict: 'reject' }))
  )
  t.strictSame(twins.map(({ status }) => status).sort(), [202, ...Array(7).fill(409)], 'one of eight at once')
  for (const { body } of [{ body: first }, ...others, ...twins]) if (body.id) await post(`/${body.id}/cancel`)
  t.equal(
    (await start({ max_rejects: 5, on_conflict: 'reject' })).status,
    202,
    'a cancelled one is in nobody’s way'
  )
  await unblock()
})

t.test('how a job is to run is in the table, and a retry takes it over', async (t) => {
  const unblock = await blockLane(service)
  const chosen = {
    ...{ priority: 'low', queue_timeout_seconds: 600, timeout_seconds: 60 },
    step_timeouts: { stage: 30 }
  }
  const { status, body } = await start({ ...chosen, run_after: '2100-01-01T02:00:00+01:00' })
  t.equal(status, 202)
  t.match(body, {
    ...chosen,
    run_after: '2100-01-01T01:00:00.000Z',
    deadline: '2100-01-01T01:10:00.000Z',
    params
  })
  t.match(
    await rows(service, 'select priority, timeout_seconds, step_timeouts from jobs where id = :id', {
      id: body.id
    }),
    [{ priority: -1, timeout_seconds: 60, step_timeouts: { stage: 30 } }]
  )
  await post(`/${body.id}/cancel`)
  const again = (await post(`/${body.id}/retry`)).body
  t.match(again, chosen)
  t.equal(again.run_after, again.created_at)
  await post(`/${again.id}/cancel`)
  for (const [wrong, pointer, code, message] of [
    [
      { priority: 'urgent' },
      '/priority',
      'enum',
      'must be equal to one of the allowed values: low, normal, high'
    ],
    [
      { on_conflict: 'wait' },
      '/on_conflict',
      'enum',
      'must be equal to one of the allowed values: queue, return, reject'
    ],
    [{ timeout_seconds: 0 }, '/timeout_seconds', 'minimum', 'must be >= 1'],
    [{ queue_timeout_seconds: 604_801 }, '/queue_timeout_seconds', 'maximum', 'must be <= 604800'],
    [
      { step_timeouts: { lunch: 5 } },
      '/step_timeouts/lunch',
      'additionalProperties',
      'is an unknown property'
    ],
    [{ run_after: '2026-13-01T00:00:00Z' }, '/run_after', 'format', 'must match format "date-time"']
  ] as const) {
    const { status, body } = await start(wrong)
    t.equal(status, 400)
    t.match(body.errors[0], invalid('/v1/jobs', pointer, code, message).errors?.[0])
  }
  await unblock()
})
