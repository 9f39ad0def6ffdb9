/** Which job is taken when, and what becomes of it when the service stops. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { JobContext } from '../../src/services/job-handler.ts'
import { createJobs } from '../../src/services/jobs.ts'
import { parseSql, readSql } from '../../src/sql.ts'
import type { Store } from '../../src/store/store.ts'
import { openBothStores } from '../helper.ts'
import * as fixture from '../jobs-fixture.ts'

const { abandon, enqueue, gate, intercept, readAttempts, readStory, until, untilStatus, work } = fixture
const sql = (source: string) => parseSql('test', source)
const notify = sql("select pg_notify('jobs', :payload::text)")
const claim = readSql('store/jobs/claim.sql')
const nextRun = readSql('store/jobs/next-run.sql')

for (const store of await openBothStores(t)) {
  t.test(`workers on ${store.engine}`, async (t) => {
    t.beforeEach(async () => {
      await fixture.clear(store)
    })

    t.test('a job is run to its end, and tells its story', async (t) => {
      await enqueue(store, { id: 'job_1', params: { mode: 'full' } })
      const contexts: JobContext[] = []
      const worker = await work(t, store, async (context) => {
        contexts.push(context)
        return { load_id: '1', data_version: 1 }
      })
      const job = await untilStatus(store, 'job_1', 'succeeded')
      t.match(contexts, [{ id: 'job_1', attempt: 1, params: { mode: 'full' } }])
      t.match(job, {
        ...{ attempt: 1, worker: worker.name, result: { load_id: '1', data_version: 1 }, error: null },
        ...{ lease_expires_at: null, started_at: Date, finished_at: Date }
      })
      t.ok((job.finished_at ?? 0) >= (job.started_at ?? 1))
      t.same(await readAttempts(store, 'job_1'), [
        { attempt: 1, outcome: 'succeeded', code: null, ended: true }
      ])
      t.same(await fixture.readEvents(store, 'job_1'), [
        { attempt: 1, type: 'started', message: `Attempt 1 of the job started on ${worker.name}` },
        { attempt: 1, type: 'succeeded', message: 'The job succeeded' }
      ])
      t.same(worker.log.lines, [])
    })

    t.test('high priority goes first, then the oldest; what is not due waits', async (t) => {
      for (const [index, priority] of [0, -1, 1, 0].entries()) {
        await enqueue(store, { id: `job_${index + 1}`, priority })
      }
      await enqueue(store, { id: 'job_5', priority: 1, delay: 3600 })
      const order: string[] = []
      await work(t, store, async ({ id }) => ({ place: order.push(id) }))
      await untilStatus(store, 'job_2', 'succeeded')
      t.same(order, ['job_3', 'job_1', 'job_4', 'job_2'])
      await store.query(sql("update jobs set run_after = now() + interval '0.3 seconds' where id = 'job_5'"))
      await store.query(notify, { payload: '' })
      await untilStatus(store, 'job_5', 'succeeded')
      const { started_at, run_after } = await fixture.readJob(store, 'job_5')
      t.ok(started_at !== null && started_at >= run_after)
    })

    t.test('a lane runs one job at a time, and keeps no other lane waiting', async (t) => {
      const busy = gate()
      for (const lane of ['a', 'a', 'b', 'b']) {
        const { jobs } = (
          await store.query<{ jobs: number }>(sql('select count(*) as jobs from jobs'))
        )[0] ?? { jobs: 0 }
        await enqueue(store, { id: `job_${jobs + 1}`, lane })
      }
      let queries = 0
      const counting = intercept(store, nextRun, (query) => {
        queries += 1
        return query()
      })
      await work(t, counting, busy.run)
      await until(() => busy.started.length === 2)
      await sleep(500)
      t.same(busy.started.map(({ id }) => id).sort(), ['job_1', 'job_3'])
      t.ok(
        queries < 10,
        `it does not keep asking for a lane that is busy (${queries} times in half a second)`
      )
      busy.open()
      for (const id of ['job_2', 'job_4']) await untilStatus(store, id, 'succeeded')
    })

    t.test('one worker runs four jobs at once, and takes the next when one ends', async (t) => {
      const busy = gate()
      for (let lane = 1; lane <= 6; lane += 1)
        await enqueue(store, { id: `job_${lane}`, lane: `lane_${lane}` })
      let queries = 0
      const counting = intercept(store, nextRun, (query) => {
        queries += 1
        return query()
      })
      await work(t, counting, busy.run)
      await until(() => busy.started.length === 4)
      await sleep(200)
      t.equal(busy.started.length, 4)
      t.ok(queries < 10, `it does not look for more than it can take (${queries} times)`)
      busy.open()
      await untilStatus(store, 'job_6', 'succeeded')
    })

    t.test('a job of a type that this version does not know is left to others', async (t) => {
      await enqueue(store, { id: 'job_1', type: 'of.the.future', lane: 'warehouse' })
      await abandon(store, { id: 'job_2', type: 'of.the.future', lane: 'other' })
      const { log } = await work(t, store, async () => ({}))
      await enqueue(store, { id: 'job_3' })
      await untilStatus(store, 'job_3', 'succeeded')
      await sleep(50)
      t.match(await fixture.readJob(store, 'job_1'), { status: 'queued', attempt: 0 })
      t.match(await fixture.readJob(store, 'job_2'), { status: 'running', attempt: 1 })
      t.same(log.lines, [])
    })

    t.test('a notification that is not ours does no harm', async (t) => {
      const { log } = await work(t, store, async () => ({}))
      for (const payload of ['hello', '', 'null', '7', '{"status": {}}'])
        await store.query(notify, { payload })
      await enqueue(store, { id: 'job_1' })
      await untilStatus(store, 'job_1', 'succeeded')
      t.same(log.lines, [])
    })

    t.test('a job is running within milliseconds of its start', async (t) => {
      const jobs = await createJobs(store)
      t.teardown(() => jobs.close())
      const claimed = new Map<string, number>()
      await work(t, store, async ({ id }) => ({ at: claimed.set(id, performance.now()) }))
      const latencies: number[] = []
      for (let count = 0; count < 40; count += 1) {
        const asked = performance.now()
        const { job } = await jobs.start('etl', {}, fixture.actor)
        const { status } = await jobs.wait(job.id, 20)
        if (status !== 'succeeded') throw new Error(`the job is ${status}`)
        latencies.push((claimed.get(job.id) ?? Number.NaN) - asked)
      }
      const sorted = latencies.toSorted((a, b) => a - b)
      const [median, worst] = [sorted[20] as number, sorted.at(-1) as number]
      t.comment(
        `pickup latency on ${store.engine}: p50 ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`
      )
      t.ok(median < 1000)
    })

    t.test('a job that comes while the worker settles down to wait is not overlooked', async (t) => {
      // The notification comes a few turns after the last look, and no other comes before the poll.
      for (let turns = 0; turns < 12; turns += 1) {
        const id = `job_${turns}`
        let hint = (_: string) => {}
        let armed = true
        const added = Promise.withResolvers<void>()
        const narrow = intercept(store, nextRun, async (query) => {
          const answer = await query()
          if (!armed) return answer
          armed = false
          await enqueue(store, { id })
          added.resolve()
          let turn = Promise.resolve()
          for (let count = 0; count < turns; count += 1) turn = turn.then(() => {})
          void turn.then(() => hint(''))
          return answer
        })
        const listen: Store['listen'] = async (_, onPayload) => {
          hint = onPayload
          return async () => {}
        }
        const asked = performance.now()
        const worker = await work(t, { ...narrow, listen }, async () => ({}))
        await added.promise
        await untilStatus(store, id, 'succeeded')
        t.ok(performance.now() - asked < 3000, `${turns} turns`)
        await worker.stop()
      }
    })

    t.test('a claim that another worker wins is tried again at once', async (t) => {
      let violations = 0
      const racing = intercept(store, claim, (query) => {
        violations += 1
        return violations > 3 ? query() : Promise.reject(Object.assign(new Error('taken'), { code: '23505' }))
      })
      await enqueue(store, { id: 'job_1' })
      const { log } = await work(t, racing, async () => ({}))
      await untilStatus(store, 'job_1', 'succeeded')
      t.ok(violations > 3)
      t.same(log.lines, [], 'and not worth a word')
    })

    t.test('a shutdown hands running jobs back, which costs no attempt', async (t) => {
      await enqueue(store, { id: 'job_1', max_attempts: 1 })
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        const held = gate()
        const worker = await work(t, store, held.run)
        await until(() => held.started.length === 1)
        await enqueue(store, { id: `job_next_${attempt}` })
        await worker.stop()
        t.match(await fixture.readJob(store, 'job_1'), {
          ...{
            status: 'queued',
            attempt,
            worker: null,
            lease_expires_at: null,
            error: null,
            finished_at: null
          }
        })
        t.match(await fixture.readJob(store, `job_next_${attempt}`), { status: 'queued', attempt: 0 })
        t.same(worker.log.lines, [])
        await store.query(sql('delete from jobs where id = :id::text'), { id: `job_next_${attempt}` })
      }
      await work(t, store, async () => ({}))
      t.match(await untilStatus(store, 'job_1', 'succeeded', 'failed'), { status: 'succeeded', attempt: 4 })
      t.same(await readStory(store, 'job_1'), [
        ...['started 1', 'handed_back 1', 'started 2', 'handed_back 2'],
        ...['started 3', 'handed_back 3', 'started 4', 'succeeded 4']
      ])
      t.same(
        (await readAttempts(store, 'job_1')).map(({ outcome }) => outcome),
        [...['handed_back', 'handed_back', 'handed_back', 'succeeded']]
      )
    })

    t.test('what is handed back is not taken again by the one who stops', async (t) => {
      await enqueue(store, { id: 'job_1' })
      const held = gate()
      const isClaiming = Promise.withResolvers<void>()
      let isSlow = false
      const slow = intercept(store, claim, async (query) => {
        if (isSlow) {
          isSlow = false
          isClaiming.resolve()
          await sleep(200)
        }
        return query()
      })
      const worker = await work(t, slow, held.run)
      await until(() => held.started.length === 1)
      isSlow = true
      await store.query(notify, { payload: '' })
      await isClaiming.promise
      await worker.stop()
      t.match(await fixture.readJob(store, 'job_1'), { status: 'queued', attempt: 1 })
      t.same(await readStory(store, 'job_1'), ['started 1', 'handed_back 1'])
    })

    t.test('a job that cannot stop any more is waited for', async (t) => {
      await enqueue(store, { id: 'job_1' })
      const started = Promise.withResolvers<void>()
      const worker = await work(t, store, async () => {
        started.resolve()
        await sleep(200)
        return { done: true }
      })
      await started.promise
      await worker.stop()
      t.match(await fixture.readJob(store, 'job_1'), { status: 'succeeded', result: { done: true } })
    })
  })
}
