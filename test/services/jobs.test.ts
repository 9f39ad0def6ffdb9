import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { ServiceError } from '../../src/errors.ts'
import type { Job } from '../../src/schemas/jobs.ts'
import { createJobEvents } from '../../src/services/job-events.ts'
import { createJobs, type Jobs } from '../../src/services/jobs.ts'
import { parseSql } from '../../src/sql.ts'
import type { Store } from '../../src/store/store.ts'
import { openBothStores } from '../helper.ts'
import { abandon, actor, clear, enqueue, readJob, readStory } from '../jobs-fixture.ts'

const sql = (source: string) => parseSql('test', source)
const end = sql(
  "update jobs set status = 'succeeded', lease_expires_at = null, finished_at = now() where id = :id::text"
)
const run = sql(
  "update jobs set status = 'running', lease_expires_at = now() + interval '1 minute' where id = :id::text"
)
const countJobs = sql('select count(*) as jobs from jobs')

/** A store that passes on what it hears only when it is told to. */
function deaf(store: Store) {
  const listeners: ((payload: string) => void)[] = []
  const hear = (payload: string) => {
    for (const listener of listeners) listener(payload)
  }
  const listen: Store['listen'] = async (_, onPayload) => {
    listeners.push(onPayload)
    return async () => {}
  }
  return { store: { ...store, listen }, hear }
}

const idsOf = ({ items }: { items: { id: string | number }[] }) => items.map(({ id }) => id)

for (const store of await openBothStores(t)) {
  t.test(`jobs on ${store.engine}`, async (t) => {
    const jobs = await createJobs(store)
    const jobEvents = await createJobEvents(store, jobs)
    t.teardown(async () => {
      await jobEvents.close()
      await jobs.close()
    })
    t.beforeEach(async () => {
      await clear(store)
    })
    const start = async (params: object = {}, idempotencyKey?: string, by = actor) =>
      jobs.start('etl', params, by, { idempotencyKey })

    t.test(
      'what keeps a job from starting, and what it waits for where jobs resume the cluster',
      async (t) => {
        const resuming = await createJobs(store, { resumes: true })
        t.teardown(() => resuming.close())
        for (const [code, waits] of [
          ['cluster_paused', true],
          ['warehouse_unavailable', true],
          ['tables_not_created', false]
        ] as const) {
          const options = { check: () => Promise.reject(new ServiceError(code, 'not now')) }
          await t.rejects(jobs.start('etl', {}, actor, options), { code })
          if (!waits) await t.rejects(resuming.start('etl', {}, actor, options), { code })
          else t.match(await resuming.start('etl', {}, actor, options), { job: { status: 'queued' } }, code)
        }
      }
    )

    t.test('start puts a job into the queue', async (t) => {
      const params = { mode: 'full', max_rejects: 5, nested: [{ a: null }] }
      const { job, replayed } = await start(params)
      t.equal(replayed, false)
      const { id, created_at } = job
      t.match(id, /^job_[0-9a-f]{32}$/)
      t.ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000)
      t.same(job, {
        ...{
          id,
          type: 'etl',
          lane: 'warehouse',
          status: 'queued',
          priority: 'normal',
          attempt: 0,
          max_attempts: 3
        },
        ...{ params, progress: null, steps: [], result: null, error: null, created_by: 'key_test' },
        ...{
          trigger: { kind: 'api' },
          retry_of: null,
          callback_url: null,
          worker: null,
          lease_expires_at: null
        },
        ...{
          cancel_requested_at: null,
          run_after: created_at,
          queue_timeout_seconds: null,
          timeout_seconds: null,
          step_timeouts: {},
          deadline: null,
          created_at,
          started_at: null,
          finished_at: null
        },
        links: {
          self: `/v1/jobs/${id}`,
          events: `/v1/jobs/${id}/events`,
          attempts: `/v1/jobs/${id}/attempts`,
          load: null
        }
      })
      t.same(await jobs.get(id), job)
      t.match(await readJob(store, id), { id, status: 'queued', params, attempt: 0, priority: 0 })
      const { items } = await jobEvents.list(id, { limit: 10 })
      t.same(items, [
        {
          ...{
            id: items[0]?.id,
            job_id: id,
            attempt: 0,
            type: 'queued',
            message: 'Asked for by key_test',
            data: null
          },
          created_at: items[0]?.created_at
        }
      ])
    })

    t.test('a job that is not there', async (t) => {
      const missing = {
        code: 'job_not_found',
        message: 'No job has the id job_0. GET /v1/jobs lists the jobs.'
      }
      await t.rejects(jobs.get('job_0'), missing)
      await t.rejects(jobEvents.list('job_0', { limit: 10 }), missing)
      await t.rejects(jobs.wait('job_0', 10), missing)
    })

    t.test('the load of a job is linked', async (t) => {
      const { job } = await start()
      await store.query(
        sql(`update jobs set result = '{"load_id": "7"}', priority = 1 where id = :id::text`),
        {
          id: job.id
        }
      )
      const { links, priority } = await jobs.get(job.id)
      t.equal(links.load, '/v1/loads/7')
      t.equal(priority, 'high')
    })

    t.test('list is paged from the newest on, and pages stay right while jobs are added', async (t) => {
      for (let count = 1; count <= 5; count += 1) await enqueue(store, { id: `job_${count}` })
      const first = await jobs.list({ limit: 2 })
      t.same(idsOf(first), ['job_5', 'job_4'])
      await enqueue(store, { id: 'job_6' })
      const second = await jobs.list({ limit: 2, cursor: first.next_cursor as string })
      t.same(idsOf(second), ['job_3', 'job_2'])
      const third = await jobs.list({ limit: 2, cursor: second.next_cursor as string })
      t.same(idsOf(third), ['job_1'])
      t.equal(third.next_cursor, null)
      t.equal((await jobs.list({ limit: 6 })).next_cursor, null, 'a full last page is the last')
      t.same(await jobs.list({ limit: 2, status: 'failed' }), { items: [], next_cursor: null })
    })

    t.test('list takes filters, one or all', async (t) => {
      const started: Job[] = []
      for (const type of ['etl', 'tables.create', 'etl'] as const) {
        started.push((await jobs.start(type, {}, actor)).job)
        await sleep(5)
      }
      const [one, two, three] = started as [Job, Job, Job]
      await store.query(end, { id: three.id })
      const ids = async (filter: object) => idsOf(await jobs.list({ limit: 10, ...filter }))
      t.same(await ids({ type: 'etl' }), [three.id, one.id])
      t.same(await ids({ status: 'queued' }), [two.id, one.id])
      t.same(await ids({ status: 'queued', type: 'etl' }), [one.id])
      t.same(await ids({ created_after: two.created_at }), [three.id, two.id])
      t.same(await ids({ created_before: two.created_at }), [one.id])
      t.same(await ids({ created_after: two.created_at, created_before: three.created_at }), [two.id])
    })

    t.test('active are the unfinished jobs of a lane, the oldest first', async (t) => {
      await enqueue(store, { id: 'job_2' })
      await abandon(store, { id: 'job_1' })
      await enqueue(store, { id: 'job_3', lane: 'other' })
      await enqueue(store, { id: 'job_4' })
      await store.query(end, { id: 'job_4' })
      t.same(idsOf({ items: await jobs.active('warehouse') }), ['job_1', 'job_2'])
    })

    t.test('events are paged from the oldest on', async (t) => {
      const { job } = await start()
      const other = await start()
      const insert = sql(`insert into job_events (job_id, attempt, type, message, data)
        values (:id::text, 1, 'step', :message::text, '{"rows": [1]}')`)
      for (const message of ['one', 'two', 'three']) await store.query(insert, { id: job.id, message })
      await store.query(insert, { id: other.job.id, message: 'of another job' })
      const messages: string[] = []
      let cursor: string | undefined
      let pages = 0
      do {
        const page = await jobEvents.list(job.id, { limit: 3, ...(cursor && { cursor }) })
        messages.push(...page.items.map(({ message }) => message))
        cursor = page.next_cursor ?? undefined
        pages += 1
      } while (cursor !== undefined)
      t.same(messages, ['Asked for by key_test', 'one', 'two', 'three'])
      t.equal(pages, 2)
      const { items } = await jobEvents.list(job.id, { limit: 10 })
      t.match(items[1], { job_id: job.id, attempt: 1, type: 'step', data: { rows: [1] } })
      t.equal(typeof items[1]?.id, 'number')
      t.match(items[1]?.created_at, /^\d{4}-.*Z$/)
    })

    t.test('a cursor that no page had', async (t) => {
      const { job } = await start()
      const invalid = { code: 'invalid_cursor' }
      const encode = (text: string) => Buffer.from(text).toString('base64url')
      for (const cursor of ['', '***', 'a', encode("x' or 1=1"), encode('a b'), encode('x'.repeat(101))]) {
        await t.rejects(jobs.list({ limit: 2, cursor }), invalid, cursor)
      }
      for (const cursor of ['', encode('job_1'), encode('-1'), encode('1.5'), encode('9'.repeat(16))]) {
        await t.rejects(jobEvents.list(job.id, { limit: 2, cursor }), invalid, cursor)
      }
    })

    t.test('an Idempotency-Key', async (t) => {
      t.test('gives the same request the same job, as it is by then', async (t) => {
        const { job } = await start({ mode: 'full', max_rejects: 1 }, 'key')
        await store.query(run, { id: job.id })
        const again = await start({ max_rejects: 1, mode: 'full' }, 'key')
        t.equal(again.replayed, true)
        t.match(again.job, { id: job.id, status: 'running' })
        t.same(await store.query(countJobs), [{ jobs: 1 }])
        t.same(await readStory(store, job.id), ['queued 0'])
      })

      t.test('is refused for another request, which leaves nothing', async (t) => {
        const { job } = await start({ mode: 'full' }, 'key')
        const reused = {
          code: 'idempotency_key_reused',
          message: `The Idempotency-Key was used for another request, which started ${job.id}. Use a new key for a new request.`
        }
        await t.rejects(start({ mode: 'incremental' }, 'key'), reused)
        await t.rejects(start({ mode: 'full', max_rejects: 0 }, 'key'), reused)
        await t.rejects(
          jobs.start('tables.create', { mode: 'full' }, actor, { idempotencyKey: 'key' }),
          reused
        )
        t.same(await store.query(countJobs), [{ jobs: 1 }])
      })

      t.test('is of one actor, and of one request', async (t) => {
        const mine = await start({}, 'key')
        const others = await start({}, 'key', { ...actor, key_id: 'key_other' })
        const withAnother = await start({}, 'key 2')
        const withNone = await start({})
        const ids = [mine, others, withAnother, withNone, await start({})].map(({ job }) => job.id)
        t.equal(new Set(ids).size, 5)
        t.equal(others.job.created_by, 'key_other')
      })

      t.test('is forgotten after three days', async (t) => {
        const age = sql(
          "update idempotency_keys set created_at = created_at - :hours::integer * interval '1 hour'"
        )
        const { job } = await start({}, 'key')
        await store.query(age, { hours: 71 })
        t.equal((await start({}, 'key')).job.id, job.id)
        await store.query(age, { hours: 2 })
        const after = await start({ mode: 'full' }, 'key')
        t.equal(after.replayed, false)
        t.not(after.job.id, job.id)
        t.same(await store.query(sql('select job_id from idempotency_keys')), [{ job_id: after.job.id }])
      })

      t.test('makes one job of twenty requests at once', async (t) => {
        const started = await Promise.all(Array.from({ length: 20 }, () => start({ mode: 'full' }, 'key')))
        t.equal(new Set(started.map(({ job }) => job.id)).size, 1)
        t.equal(started.filter(({ replayed }) => !replayed).length, 1)
        t.same(await store.query(countJobs), [{ jobs: 1 }])
        t.same(await readStory(store, started[0]?.job.id as string), ['queued 0'])
      })
    })

    t.test('of twenty who want no second job like theirs, one gets it', async (t) => {
      const starting = Array.from({ length: 20 }, () =>
        jobs.start('etl', {}, actor, { on_conflict: 'reject' })
      )
      const outcomes = await Promise.allSettled(starting)
      t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      t.same(await store.query(countJobs), [{ jobs: 1 }])
    })

    t.test('wait', async (t) => {
      // Every wait watches until its own signal, which is made here, aborts; what still listens to one has leaked.
      const signals: AbortSignal[] = []
      const { any } = AbortSignal
      t.intercept(AbortSignal, 'any', {
        value: (sources: AbortSignal[]) => {
          const signal = any.call(AbortSignal, sources)
          signals.push(signal)
          return signal
        }
      })
      const leaks = () => {
        if (signals.length === 0) throw new Error('wait makes its signal in another way now')
        return signals.reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0)
      }
      const isWaiting = async (waiting: Promise<Job>) =>
        (await Promise.race([waiting.then(() => false), sleep(60, true)])) as boolean

      t.test('answers when the job has ended, and not before', async (t) => {
        const { job } = await start()
        const both = [jobs.wait(job.id, 60), jobs.wait(job.id, 60)] as const
        await store.query(run, { id: job.id })
        t.equal(await isWaiting(both[0]), true)
        await store.query(end, { id: job.id })
        for (const ended of await Promise.all(both)) t.match(ended, { id: job.id, status: 'succeeded' })
        t.match(
          await jobs.wait(job.id, 60),
          { status: 'succeeded' },
          'a job that has ended is not waited for'
        )
        t.equal(leaks(), 0)
      })

      t.test('hears of no other job', async (t) => {
        const { job } = await start()
        const other = await start()
        const waiting = jobs.wait(job.id, 60)
        await store.query(end, { id: other.job.id })
        t.equal(await isWaiting(waiting), true)
        await store.query(end, { id: job.id })
        await waiting
      })

      t.test('answers after its time with the job as it is', async (t) => {
        const { job } = await start()
        const began = performance.now()
        t.match(await jobs.wait(job.id, 0.2), { id: job.id, status: 'queued' })
        t.ok(performance.now() - began > 190)
        t.match(await jobs.wait(job.id, 0), { id: job.id, status: 'queued' })
        t.equal(leaks(), 0)
      })

      t.test('answers when nobody waits any more', async (t) => {
        const { job } = await start()
        const client = new AbortController()
        const waiting = jobs.wait(job.id, 60, client.signal)
        t.equal(await isWaiting(waiting), true)
        client.abort()
        t.match(await waiting, { status: 'queued' })
        t.match(await jobs.wait(job.id, 60, client.signal), { status: 'queued' }, 'nor from the start')
        t.equal(leaks(), 0)
      })

      t.test('keeps nothing of a job that is not there', async (t) => {
        await t.rejects(jobs.wait('job_0', 60), { code: 'job_not_found' })
        t.equal(leaks(), 0)
      })

      t.test('looks again when notifications may have been lost, and when there are others', async (t) => {
        const ears = deaf(store)
        const hard: Jobs = await createJobs(ears.store)
        for (const payload of ['', 'a notification of somebody else', 'null', '{}']) {
          const { job } = await start()
          const waiting = hard.wait(job.id, 60)
          t.equal(await isWaiting(waiting), true, 'it has looked')
          await store.query(end, { id: job.id })
          t.equal(await isWaiting(waiting), true, 'it was not told')
          ears.hear(payload)
          t.match(await waiting, { status: 'succeeded' })
        }
        await hard.close()
      })

      t.test('answers when the service closes', async (t) => {
        const { job } = await start()
        const closing = await createJobs(store)
        const waiting = [closing.wait(job.id, 60), closing.wait(job.id, 60)]
        t.equal(await isWaiting(Promise.any(waiting)), true)
        await closing.close()
        t.match(await Promise.all(waiting), [{ status: 'queued' }, { status: 'queued' }])
        t.match(await closing.wait(job.id, 60), { status: 'queued' })
        t.equal(leaks(), 0)
      })
    })
  })
}
