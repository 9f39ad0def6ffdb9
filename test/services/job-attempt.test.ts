/** What a job's code reports while it runs, and what becomes of its failures. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type ErrorCode, errorCatalogue, ServiceError } from '../../src/errors.ts'
import type { JobContext } from '../../src/services/job-handler.ts'
import type { JobRow } from '../../src/services/job-row.ts'
import { parseSql, readSql } from '../../src/sql.ts'
import type { Store } from '../../src/store/store.ts'
import { openBothStores } from '../helper.ts'
import * as fixture from '../jobs-fixture.ts'

const { enqueue, intercept, readAttempts, readEvents, readJob, readStory, until, untilStatus, work } = fixture
const sql = (source: string) => parseSql('test', source)
const writeProgress = readSql('store/jobs/progress.sql')
const finishJob = readSql('store/jobs/finish.sql')

/** The job after an attempt at it, whatever came of it. */
async function untilTried(store: Store, id: string): Promise<JobRow> {
  await until(async () => (await readAttempts(store, id)).some(({ ended }) => ended))
  return readJob(store, id)
}

/** Makes a job that waits for its next try due now, and tells the workers. */
async function hurry(store: Store, id: string) {
  await store.query(sql('update jobs set run_after = now() where id = :id::text'), { id })
  await store.query(sql("select pg_notify('jobs', '')"))
}

const secondsUntil = ({ run_after, updated_at }: JobRow & { updated_at?: Date }) =>
  (run_after.getTime() - (updated_at?.getTime() ?? 0)) / 1000

t.jobs = 2
for (const store of await openBothStores(t)) {
  t.test(`attempts on ${store.engine}`, { buffered: true }, async (t) => {
    t.beforeEach(async () => {
      await fixture.clear(store)
    })

    t.test('steps and progress are in the table while the job runs', async (t) => {
      await enqueue(store, { id: 'job_1' })
      const seen: JobRow[] = []
      const look = async () => void seen.push(await readJob(store, 'job_1'))
      await work(
        t,
        store,
        async (context) => {
          await look()
          await context.step('discover')
          await look()
          context.progress({ rows: 10, bytes: 1000, fraction: 0.5 })
          await until(async () => (await readJob(store, 'job_1')).progress?.rows === 10)
          await look()
          await context.step('stage')
          context.progress({ fraction: 0.333 })
          context.progress({ rows: 3, fraction: 7 })
          await until(async () => (await readJob(store, 'job_1')).progress?.rows === 3)
          await look()
          context.progress({ bytes: 9, fraction: -1 })
          return {}
        },
        { steps: { discover: 10, stage: 60, publish: 30 } }
      )
      const job = await untilStatus(store, 'job_1', 'succeeded')
      const at = { step_count: 3, rows: 0, bytes: 0 }
      t.same(
        [...seen, job].map(({ progress }) => progress),
        [
          null,
          { ...at, step: 'discover', step_index: 1, percent: 0 },
          { ...at, step: 'discover', step_index: 1, rows: 10, bytes: 1000, percent: 5 },
          { ...at, step: 'stage', step_index: 2, rows: 3, percent: 70 },
          // The last step was not needed: a job that succeeded is done.
          { ...at, step: 'stage', step_index: 2, rows: 3, bytes: 9, percent: 100 }
        ]
      )
      const running = { status: 'running', finished_at: null }
      const over = { status: 'succeeded', finished_at: /Z$/ }
      t.match(seen[3]?.steps, [
        { name: 'discover', ...over, rows: 10, bytes: 1000, started_at: /Z$/ },
        { name: 'stage', ...running, rows: 3, bytes: 0, started_at: /Z$/ }
      ])
      t.match(job.steps, [
        { name: 'discover', ...over },
        { name: 'stage', ...over, rows: 3, bytes: 9 }
      ])
      t.equal(job.steps.length, 2)
      t.match(await readEvents(store, 'job_1'), [
        { type: 'started' },
        { type: 'step', message: 'discover (1 of 3)' },
        { type: 'step', message: 'stage (2 of 3)' },
        { type: 'succeeded' }
      ])
    })

    t.test('progress is free to report, and written now and then', async (t) => {
      await enqueue(store, { id: 'job_1' })
      let writes = 0
      const counting = intercept(store, writeProgress, (query) => {
        writes += 1
        return query()
      })
      await work(t, counting, async (context) => {
        context.progress({ rows: 1 })
        await context.step('work')
        const end = performance.now() + 500
        for (let rows = 0; performance.now() < end; rows += 1) {
          context.progress({ rows, fraction: 0.5 })
          if (rows % 1000 === 0) await sleep(1)
        }
        context.progress({ rows: 77 })
        return {}
      })
      const { steps, progress } = await untilStatus(store, 'job_1', 'succeeded')
      t.ok(writes >= 1 && writes <= 5, `${writes} writes in half a second`)
      t.match(steps, [{ rows: 77 }], 'and the last is not lost')
      t.match(progress, { rows: 77, percent: 100 })
    })

    t.test('progress that could not be written is made good by the next', async (t) => {
      await enqueue(store, { id: 'job_1' })
      let failures = 0
      const flaky = intercept(store, writeProgress, (query) => {
        if (failures > 0) return query()
        failures += 1
        return Promise.reject(new ServiceError('store_unavailable', 'away for a moment'))
      })
      await work(
        t,
        flaky,
        async (context) => {
          await context.step('one').catch(() => {})
          t.equal(failures, 1)
          context.progress({ rows: 5 })
          await until(async () => (await readJob(store, 'job_1')).progress?.rows === 5)
          await context.step('two')
          return {}
        },
        { steps: { one: 1, two: 1 } }
      )
      const job = await untilTried(store, 'job_1')
      t.match(job, { status: 'succeeded', attempt: 1, steps: [{ name: 'one' }, { name: 'two' }] })
    })

    t.test('a step that the job does not declare is a mistake of ours', async (t) => {
      await enqueue(store, { id: 'job_1', type: 'tables.create' })
      const { log } = await work(t, store, async ({ step }) => ({ nothing: await step('lunch') }))
      t.match(await untilStatus(store, 'job_1', 'failed'), {
        error: { code: 'internal' },
        steps: [],
        progress: null
      })
      t.match(log.lines, [
        { level: 'error', details: { err: { message: 'tables.create declares no step lunch' } } }
      ])
    })

    t.test('a job may tell its story', async (t) => {
      await enqueue(store, { id: 'job_1' })
      await work(t, store, async (context) => {
        await context.event('warning', "it's odd", { names: ['a'] })
        return {}
      })
      await untilStatus(store, 'job_1', 'succeeded')
      t.same(await store.query(sql("select attempt, message, data from job_events where type = 'warning'")), [
        { attempt: 1, message: "it's odd", data: { names: ['a'] } }
      ])
    })

    t.test('a transient failure is tried again, later and later, until the tries are used up', async (t) => {
      await enqueue(store, { id: 'job_1' })
      const { log } = await work(t, store, async ({ attempt, step }) => {
        await step('work')
        throw new ServiceError('warehouse_unavailable', `Try ${attempt} failed.`)
      })
      const problem = (detail: string) => ({
        ...{
          type: 'urn:sparkify-warehouse:error:warehouse_unavailable',
          title: 'The warehouse is not available'
        },
        ...{ status: 503, code: 'warehouse_unavailable', detail }
      })
      for (const [attempt, shortest, longest] of [
        [1, 0.5, 1],
        [2, 1, 2]
      ] as const) {
        await until(async () => {
          const job = await readJob(store, 'job_1')
          return job.status === 'queued' && job.attempt === attempt
        })
        const job = await readJob(store, 'job_1')
        t.match(job, { worker: null, lease_expires_at: null, finished_at: null })
        t.same(job.error, problem(`Try ${attempt} failed.`))
        const pause = secondsUntil(job)
        t.ok(pause >= shortest && pause <= longest, `a pause of ${pause} s after attempt ${attempt}`)
        await hurry(store, 'job_1')
      }
      const job = await untilStatus(store, 'job_1', 'failed')
      t.match(job, {
        attempt: 3,
        result: null,
        steps: [{ name: 'work', status: 'failed', finished_at: /Z$/ }]
      })
      t.same(job.error, problem('Try 3 failed.'))
      t.same(
        await readAttempts(store, 'job_1'),
        [1, 2, 3].map((attempt) => ({
          attempt,
          outcome: 'failed',
          code: 'warehouse_unavailable',
          ended: true
        }))
      )
      t.same(await readStory(store, 'job_1'), [
        ...['started 1', 'step 1', 'retrying 1', 'started 2', 'step 2', 'retrying 2'],
        ...['started 3', 'step 3', 'failed 3']
      ])
      const [retrying] = (await readEvents(store, 'job_1')).filter(({ type }) => type === 'retrying')
      t.match(retrying?.message, /^Try 1 failed\. Next try in (0\.[5-9]|1\.0) s$/)
      t.same(log.lines, [], 'the job has the story; the log need not')
    })

    t.test('what helped in the end clears the error', async (t) => {
      await enqueue(store, { id: 'job_1', max_attempts: 2 })
      await work(t, store, async ({ attempt }) => {
        if (attempt === 1) throw new ServiceError('store_unavailable', 'It was away.')
        return { load_id: '1' }
      })
      await untilStatus(store, 'job_1', 'queued')
      await until(async () => (await readJob(store, 'job_1')).error?.code === 'store_unavailable')
      await hurry(store, 'job_1')
      t.match(await untilStatus(store, 'job_1', 'succeeded'), {
        error: null,
        attempt: 2,
        result: { load_id: '1' }
      })
    })

    t.test('every other failure is final', async (t) => {
      const codes = Object.entries(errorCatalogue).filter(([, { kind }]) => kind !== 'transient')
      for (const [index, [code]] of codes.entries()) {
        await enqueue(store, { id: `job_${index}`, lane: `lane_${index}`, params: { code } })
      }
      const errors = [{ pointer: '/a.json#line=3', code: 'malformed_json', message: 'no JSON' }]
      await work(t, store, async ({ params }) => {
        throw new ServiceError(params.code as ErrorCode, 'What is wrong.', {
          errors,
          cause: new Error('secret')
        })
      })
      for (const [index, [code, { title, status }]] of codes.entries()) {
        const job = await untilTried(store, `job_${index}`)
        t.match(job, { status: 'failed', attempt: 1 }, code)
        t.same(job.error, {
          ...{
            type: `urn:sparkify-warehouse:error:${code}`,
            title,
            status,
            detail: 'What is wrong.',
            code,
            errors
          }
        })
      }
      t.same(await readAttempts(store, 'job_0'), [
        { attempt: 1, outcome: 'failed', code: codes[0]?.[0], ended: true }
      ])
      t.match((await readEvents(store, 'job_0')).at(-1), { type: 'failed', message: 'What is wrong.' })
    })

    t.test('a failure of ours shows nothing of itself, but to the log', async (t) => {
      const thrown = [new TypeError('the password is hunter2'), 'hunter2', undefined, { code: 'hunter2' }]
      for (const index of thrown.keys()) await enqueue(store, { id: `job_${index}`, lane: `lane_${index}` })
      const { log } = await work(t, store, async ({ id, step }: JobContext) => {
        await step('work')
        throw thrown[Number(id.slice(4))]
      })
      for (const index of thrown.keys()) {
        const job = await untilTried(store, `job_${index}`)
        t.same(job.error, {
          ...{ type: 'urn:sparkify-warehouse:error:internal', title: 'The service failed', status: 500 },
          ...{ code: 'internal', detail: 'Something failed inside the service; its log has the details.' }
        })
        const told = JSON.stringify([job, await readEvents(store, job.id), await readAttempts(store, job.id)])
        t.notMatch(told, 'hunter2')
        const line = log.lines.find(({ details }) => details.job_id === job.id)
        t.match(line, { level: 'error', message: 'a job failed' })
        t.equal(line?.details.err, thrown[index])
      }
    })

    t.test('an end that cannot be recorded is left to the lease', async (t) => {
      await enqueue(store, { id: 'job_1' })
      let isAway = true
      const away = intercept(store, finishJob, (query) =>
        isAway ? Promise.reject(new Error('the store is away')) : query()
      )
      const { log } = await work(t, away, async ({ attempt }) => ({ attempt }), { leaseSeconds: 1 })
      await until(() => log.lines.length === 2)
      isAway = false
      t.match(log.lines, [
        { level: 'error', message: 'a job failed' },
        {
          level: 'error',
          message: 'the end of an attempt could not be recorded',
          details: { job_id: 'job_1' }
        }
      ])
      t.match(await readJob(store, 'job_1'), { status: 'running', attempt: 1 })
      t.same(await readStory(store, 'job_1'), ['started 1'], 'nothing of the end is there')
      t.match(await untilStatus(store, 'job_1', 'succeeded'), { attempt: 2, result: { attempt: 2 } })
      t.same(await readStory(store, 'job_1'), ['started 1', 'lost 2', 'started 2', 'succeeded 2'])
    })
  })
}
