/** Cancelling jobs in every state, and jobs whose time is over: what is told, when it ends, and as what. */
import t, { type Test } from 'tap'
import { ServiceError } from '../../src/errors.ts'
import { createJobCancel } from '../../src/services/job-cancel.ts'
import { createJobs } from '../../src/services/jobs.ts'
import { parseSql, readSql } from '../../src/sql.ts'
import { openBothStores } from '../helper.ts'
import * as fixture from '../jobs-fixture.ts'

const { abandon, actor, enqueue, gate, intercept, readAttempts, readJob, readStory, untilStatus, work } =
  fixture
const sql = (source: string) => parseSql('test', source)
const renewLease = readSql('store/jobs/renew-lease.sql')
const claim = readSql('store/jobs/claim.sql')
const admin = { ...actor, scope: 'admin' } as const

t.jobs = 2
for (const store of await openBothStores(t)) {
  t.test(`cancel on ${store.engine}`, { buffered: true }, async (t) => {
    const jobs = await createJobs(store)
    const { cancel } = createJobCancel(store, jobs)
    t.teardown(() => jobs.close())
    t.beforeEach(async () => {
      await fixture.clear(store)
    })
    /** Sets columns of a job. */
    const set = (id: string, columns: string) =>
      store.query(sql(`update jobs set ${columns} where id = :id::text`), { id })

    t.test('a job that nobody took is cancelled at once', async (t) => {
      await enqueue(store, { id: 'job_1' })
      const job = await cancel('job_1', actor)
      t.match(job, {
        status: 'cancelled',
        cancel_requested_at: /Z$/,
        finished_at: /Z$/,
        attempt: 0,
        error: null
      })
      t.same(await fixture.readEvents(store, 'job_1'), [
        { attempt: 0, type: 'cancelled', message: 'Its end was asked for by key_test' }
      ])
      t.same(await cancel('job_1', actor), job, 'asking again changes nothing')
      await enqueue(store, { id: 'job_2' })
      await work(t, store, async () => ({}))
      await untilStatus(store, 'job_2', 'succeeded')
      t.match(
        await readJob(store, 'job_1'),
        { attempt: 0, status: 'cancelled' },
        'and nobody takes it any more'
      )
    })

    t.test('a running job is cancelling until its work has stopped', async (t) => {
      await enqueue(store, { id: 'job_1' })
      await enqueue(store, { id: 'job_2' })
      const held = gate()
      const stopped = Promise.withResolvers<void>()
      const worker = await work(t, store, async (context) => {
        if (context.id === 'job_2') return {}
        await context.step('work')
        return held.run(context).catch(async (error) => {
          await stopped.promise
          throw error
        })
      })
      await untilStatus(store, 'job_1', 'running')
      await fixture.until(() => held.started.length === 1)
      const asked = await cancel('job_1', actor)
      t.match(asked, { status: 'cancelling', attempt: 1, finished_at: null, cancel_requested_at: /Z$/ })
      await fixture.until(() => held.started[0]?.signal.aborted === true)
      t.match(await readJob(store, 'job_1'), { status: 'cancelling', lease_expires_at: Date })
      t.match(await readJob(store, 'job_2'), { status: 'queued' }, 'its lane is taken until then')
      t.match(await cancel('job_1', actor), {
        status: 'cancelling',
        cancel_requested_at: asked.cancel_requested_at
      })
      stopped.resolve()
      const job = await untilStatus(store, 'job_1', 'cancelled')
      t.match(job, { attempt: 1, result: null, error: null, lease_expires_at: null, worker: worker.name })
      t.match(job.steps, [{ name: 'work', status: 'failed' }])
      t.same(await readStory(store, 'job_1'), ['started 1', 'step 1', 'cancelling 1', 'cancelled 1'])
      t.same(await readAttempts(store, 'job_1'), [
        { attempt: 1, outcome: 'cancelled', code: null, ended: true }
      ])
      await untilStatus(store, 'job_2', 'succeeded')
      t.same(worker.log.lines, [])
    })

    t.test('a job whose work was done by then has succeeded', async (t) => {
      await enqueue(store, { id: 'job_1' })
      const done = Promise.withResolvers<object>()
      await work(t, store, () => done.promise)
      await untilStatus(store, 'job_1', 'running')
      await cancel('job_1', actor)
      done.resolve({ load_id: '7' })
      t.match(await untilStatus(store, 'job_1', 'succeeded', 'cancelled'), {
        ...{ status: 'succeeded', result: { load_id: '7' }, cancel_requested_at: Date }
      })
    })

    t.test('what an interrupted attempt has published counts', async (t) => {
      await enqueue(store, { id: 'job_1' })
      const held = gate()
      await work(t, store, held.run, { published: async (id) => ({ load_id: `of ${id}` }) })
      await fixture.until(() => held.started.length === 1)
      await cancel('job_1', actor)
      t.match(await untilStatus(store, 'job_1', 'succeeded', 'cancelled'), {
        ...{ status: 'succeeded', result: { load_id: 'of job_1' }, attempt: 1 }
      })
    })

    t.test('what its worker left behind is found out by the next', async (t) => {
      await abandon(store, { id: 'job_1', lane: 'a' })
      await abandon(store, { id: 'job_2', lane: 'b', attempt: 3 })
      for (const id of ['job_1', 'job_2']) await cancel(id, actor)
      const runs: string[] = []
      await work(t, store, async ({ id }) => ({ count: runs.push(id) }), {
        published: async (id) => (id === 'job_2' ? { load_id: '2' } : undefined)
      })
      await untilStatus(store, 'job_1', 'cancelled')
      t.match(await untilStatus(store, 'job_2', 'succeeded'), { result: { load_id: '2' } })
      t.same(runs, [], 'nothing of them is run again')
      t.same(await readStory(store, 'job_1'), ['cancelling 1', 'lost 2', 'started 2', 'cancelled 2'])
    })

    t.test('a job between two attempts waits for a worker to look, and then ends', async (t) => {
      await enqueue(store, { id: 'job_1', delay: 3600 })
      await set('job_1', 'attempt = 1, failures = 1')
      t.match(await cancel('job_1', actor), { status: 'cancelling', worker: null, lease_expires_at: null })
      // It goes before all others of its lane, and none of them before it.
      await enqueue(store, { id: 'job_0', priority: 1 })
      const order: string[] = []
      await work(t, store, async ({ id }) => ({ place: order.push(id) }), {
        published: async (id) => void order.push(id)
      })
      t.match(await untilStatus(store, 'job_1', 'cancelled'), { attempt: 2 })
      await untilStatus(store, 'job_0', 'succeeded')
      t.same(order, ['job_1', 'job_0'])
    })

    t.test('a warehouse that is away is asked again, one that is not there has nothing', async (t) => {
      for (const [lane, code] of Object.entries({
        a: 'warehouse_unavailable',
        b: 'cluster_not_found'
      } as const)) {
        await abandon(store, { id: `job_${lane}`, lane, params: { code } })
        await cancel(`job_${lane}`, actor)
      }
      let isAway = true
      await work(t, store, async () => ({}), {
        published: async (id) => {
          if (id === 'job_b') throw new ServiceError('cluster_not_found', 'There is none.')
          if (isAway) throw new ServiceError('warehouse_unavailable', 'It is away.')
          return { load_id: '1' }
        }
      })
      t.match(await untilStatus(store, 'job_b', 'cancelled'), { error: null })
      await fixture.until(async () => (await readJob(store, 'job_a')).lease_expires_at === null)
      t.match(await readJob(store, 'job_a'), { status: 'cancelling', attempt: 2, worker: null })
      isAway = false
      await set('job_a', 'run_after = now()')
      await store.query(sql("select pg_notify('jobs', '')"))
      t.match(await untilStatus(store, 'job_a', 'succeeded'), { attempt: 3, result: { load_id: '1' } })
    })

    t.test('it reaches its worker without a word too, when the lease is renewed', async (t) => {
      await enqueue(store, { id: 'job_1' })
      const held = gate()
      const deaf = { ...store, listen: async () => async () => {} }
      await work(t, deaf, held.run, { leaseSeconds: 3 })
      await fixture.until(() => held.started.length === 1)
      await cancel('job_1', actor)
      t.match(await untilStatus(store, 'job_1', 'cancelled'), { attempt: 1 })
    })

    t.test('it reaches a worker that has not heard yet that it has the job', async (t) => {
      await enqueue(store, { id: 'job_1' })
      const held = gate()
      const slow = intercept(store, claim, async (query) => {
        const rows = await query()
        if (rows.length > 0) await cancel('job_1', actor)
        // The word is there before the answer.
        await new Promise((resolve) => setTimeout(resolve, 100))
        return rows
      })
      let renewals = 0
      const counting = intercept(slow, renewLease, (query) => {
        renewals += 1
        return query()
      })
      await work(t, counting, held.run)
      await untilStatus(store, 'job_1', 'cancelled')
      t.equal(renewals, 0)
    })

    t.test('at a shutdown it is not forgotten', async (t) => {
      await enqueue(store, { id: 'job_1' })
      const held = gate()
      const deaf = { ...store, listen: async () => async () => {} }
      const worker = await work(t, deaf, held.run)
      await fixture.until(() => held.started.length === 1)
      await cancel('job_1', actor)
      await worker.stop()
      t.match(await readJob(store, 'job_1'), { status: 'cancelling', lease_expires_at: null })
      await work(t, store, held.run)
      t.match(await untilStatus(store, 'job_1', 'cancelled'), { attempt: 2 })
      t.equal(held.started.length, 1)
    })

    t.test('what cannot be cancelled', async (t) => {
      await t.rejects(cancel('job_0', actor), { code: 'job_not_found' })
      for (const status of ['succeeded', 'failed']) {
        await enqueue(store, { id: `job_${status}` })
        await set(`job_${status}`, `status = '${status}', finished_at = now()`)
        const message = `The job job_${status} has ended: ${status}. There is nothing to cancel.`
        await t.rejects(cancel(`job_${status}`, actor), { code: 'job_finished', message })
      }
      for (const type of ['cluster.teardown', 'of.the.future']) {
        await enqueue(store, { id: `job_${type}`, type })
        await t.rejects(cancel(`job_${type}`, actor), { code: 'insufficient_scope' })
        t.match(await readJob(store, `job_${type}`), { status: 'queued', cancel_requested_at: null })
        t.match(await cancel(`job_${type}`, admin), { status: 'cancelled' })
      }
    })

    t.test('a job that takes too long is stopped, and fails', async (t) => {
      await timesOut(
        t,
        'timeout_seconds = 1',
        'The job had not ended 1 s after its start, which is its timeout_seconds.'
      )
    })

    t.test('so does one of whose steps takes too long', async (t) => {
      const detail = 'The step work took longer than 1 s, which is its time in step_timeouts.'
      await timesOut(t, `step_timeouts = '{"work": 1, "other": 9}'`, detail)
    })

    async function timesOut(t: Test, columns: string, detail: string) {
      await enqueue(store, { id: 'job_1', max_attempts: 5 })
      await set('job_1', columns)
      const held = gate()
      const stopped = Promise.withResolvers<void>()
      await work(t, store, async (context) => {
        await context.step('work')
        return held.run(context).catch(async (error) => {
          await stopped.promise
          throw error
        })
      })
      t.match(await untilStatus(store, 'job_1', 'cancelling'), { error: { code: 'timed_out', detail } })
      stopped.resolve()
      t.match(await untilStatus(store, 'job_1', 'failed', 'cancelled'), {
        ...{
          status: 'failed',
          attempt: 1,
          cancel_requested_at: null,
          error: { code: 'timed_out', detail, status: 504 }
        }
      })
      t.same(await readStory(store, 'job_1'), ['started 1', 'step 1', 'timed_out 1', 'failed 1'])
      t.match(await readAttempts(store, 'job_1'), [{ outcome: 'failed', code: 'timed_out' }])
    }

    t.test('a timeout in a worker that dies is not forgotten', async (t) => {
      const error = `'{"code": "timed_out", "detail": "The step work took longer.", "status": 504, "title": "", "type": ""}'`
      await abandon(store, { id: 'job_1', lane: 'a' })
      await set('job_1', `status = 'cancelling', error = ${error}`)
      await abandon(store, { id: 'job_2', lane: 'b' })
      await set('job_2', `timeout_seconds = 60, deadline = now() - interval '1 second'`)
      await work(t, store, async () => t.fail('it is not run again') && {})
      t.match(await untilStatus(store, 'job_1', 'failed'), {
        error: { detail: 'The step work took longer.' }
      })
      t.match(await untilStatus(store, 'job_2', 'failed'), {
        error: { detail: 'The job had not ended 60 s after its start, which is its timeout_seconds.' }
      })
    })

    t.test('a job that waits too long for its first start fails', async (t) => {
      await abandon(store, { id: 'job_0', lease: 3600, type: 'of.the.future' })
      await enqueue(store, { id: 'job_1' })
      await set('job_1', "queue_timeout_seconds = 1, deadline = now() + interval '1 second'")
      // That the other attempts have left is looked at first.
      await enqueue(store, { id: 'job_2', delay: 3600, lane: 'b' })
      await set('job_2', "attempt = 1, timeout_seconds = 1, deadline = now() + interval '1 second'")
      await work(t, store, async () => t.fail('it is not run') && {})
      t.match(await untilStatus(store, 'job_1', 'failed'), { error: { code: 'timed_out' }, attempt: 0 })
      t.match(await untilStatus(store, 'job_2', 'failed'), { error: { code: 'timed_out' }, attempt: 2 })
      t.same(await readStory(store, 'job_1'), ['failed 0'])
      t.same(await readStory(store, 'job_2'), ['timed_out 1', 'started 2', 'failed 2'])
    })

    t.test('a job is not tried again beyond its time', async (t) => {
      await enqueue(store, { id: 'job_1' })
      await set('job_1', 'timeout_seconds = 1, failures = 1, max_attempts = 9')
      await work(t, store, async () => {
        throw new ServiceError('warehouse_unavailable', 'It is away.')
      })
      t.match(await untilStatus(store, 'job_1', 'failed'), {
        ...{ attempt: 1, error: { code: 'warehouse_unavailable' } }
      })
    })

    t.test('what the last attempt has published though its connection was lost counts', async (t) => {
      await enqueue(store, { id: 'job_1', max_attempts: 1 })
      const lost = async () => {
        throw new ServiceError('warehouse_unavailable', 'The connection was lost.')
      }
      await work(t, store, lost, { published: async () => ({ load_id: '3' }) })
      t.match(await untilStatus(store, 'job_1', 'succeeded', 'failed'), { result: { load_id: '3' } })
    })
  })
}
