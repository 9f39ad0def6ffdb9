/** Leases: kept while a job runs, taken over when its worker is gone, and worth nothing to the one who lost it. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { ServiceError } from '../../src/errors.ts'
import type { JobContext } from '../../src/services/job-handler.ts'
import { parseSql, readSql } from '../../src/sql.ts'
import { openBothStores } from '../helper.ts'
import * as fixture from '../jobs-fixture.ts'

const { abandon, enqueue, gate, intercept, readAttempts, readStory, until, untilStatus, work } = fixture
const sql = (source: string) => parseSql('test', source)
const claim = readSql('store/jobs/claim.sql')
const renewLease = readSql('store/jobs/renew-lease.sql')

const silent = 'though it ends without having heard of it'

/** What an attempt that has lost its job still does; undefined where its renewals have told it to stop. */
const reports: Record<string, ((context: JobContext) => Promise<void>) | undefined> = {
  'once its renewals fail': undefined,
  'though it goes on reporting': async (context) => {
    context.progress({ rows: 1, fraction: 1 })
    await context.event('warning', 'from the grave')
    await context.step('work')
    await sleep(250)
  },
  [silent]: async () => {}
}

t.jobs = 2
for (const store of await openBothStores(t)) {
  t.test(`leases on ${store.engine}`, { buffered: true }, async (t) => {
    t.beforeEach(async () => {
      await fixture.clear(store)
    })

    t.test('a lease is kept for as long as the job runs', async (t) => {
      const long = gate()
      await enqueue(store, { id: 'job_1' })
      const worker = await work(t, store, long.run, { leaseSeconds: 3 })
      await sleep(4500)
      t.equal(long.started.length, 1)
      const { lease_expires_at } = await fixture.readJob(store, 'job_1')
      t.ok(lease_expires_at !== null && lease_expires_at > new Date())
      long.open()
      await untilStatus(store, 'job_1', 'succeeded')
      t.same(await readStory(store, 'job_1'), ['started 1', 'succeeded 1'])
      t.same(worker.log.lines, [])
    })

    t.test('a job whose worker is gone is run again', async (t) => {
      await abandon(store, { id: 'job_1', lease: -0.1 })
      await store.query(
        sql("update jobs set steps = '[{}]', progress = '{}', error = '{}' where id = 'job_1'")
      )
      const seen: unknown[] = []
      const worker = await work(t, store, async ({ id, attempt }) => {
        const { steps, progress } = await fixture.readJob(store, id)
        seen.push({ attempt, steps, progress })
        return {}
      })
      await untilStatus(store, 'job_1', 'succeeded')
      t.same(seen, [{ attempt: 2, steps: [], progress: null }])
      t.same(await fixture.readEvents(store, 'job_1'), [
        { attempt: 2, type: 'lost', message: 'Attempt 1 was lost: gone-1 stopped without a word' },
        { attempt: 2, type: 'started', message: `Attempt 2 of the job started on ${worker.name}` },
        { attempt: 2, type: 'succeeded', message: 'The job succeeded' }
      ])
      t.same(await readAttempts(store, 'job_1'), [
        { attempt: 1, outcome: 'lost', code: null, ended: true },
        { attempt: 2, outcome: 'succeeded', code: null, ended: true }
      ])
    })

    t.test('a job that took every worker down is given up', async (t) => {
      await abandon(store, { id: 'job_1', attempt: 3 })
      await abandon(store, { id: 'job_2', attempt: 2, lane: 'other' })
      const run: string[] = []
      await work(t, store, async ({ id }) => ({ count: run.push(id) }))
      const job = await untilStatus(store, 'job_1', 'failed')
      await untilStatus(store, 'job_2', 'succeeded')
      t.same(run, ['job_2'])
      const detail = 'The job was started 3 times and never came to an end. Its events tell where it stopped.'
      t.same(job.error, {
        ...{
          type: 'urn:sparkify-warehouse:error:attempts_exhausted',
          title: 'The job was interrupted too often'
        },
        ...{ status: 500, detail, code: 'attempts_exhausted' }
      })
      t.match(job, { result: null, lease_expires_at: null, finished_at: Date })
      t.same(await readStory(store, 'job_1'), ['lost 4', 'failed 4'])
      t.same(
        (await readAttempts(store, 'job_1')).map(({ outcome }) => outcome),
        ['lost', 'lost', 'lost'],
        'no fourth attempt was made'
      )
    })

    t.test('a job that took every worker down after it had done its work has succeeded', async (t) => {
      await abandon(store, { id: 'job_1', attempt: 3 })
      const looks: string[] = []
      await work(t, store, async () => ({}), {
        published: async (id) => {
          // The warehouse cannot be reached at first; nothing is said of the job before it is known.
          if (looks.push(id) === 1) throw new ServiceError('warehouse_unavailable', 'away')
          return { load_id: '7' }
        }
      })
      await untilStatus(store, 'job_1', 'queued')
      await store.query(sql('update jobs set run_after = now()'))
      await store.query(sql("select pg_notify('jobs', '')"))
      t.match(await untilStatus(store, 'job_1', 'succeeded'), { result: { load_id: '7' }, error: null })
      t.same(looks, ['job_1', 'job_1'])
      t.same(
        (await readAttempts(store, 'job_1')).map(({ outcome }) => outcome),
        ['lost', 'lost', 'lost']
      )
    })

    t.test('at the start, a lease that still holds is respected where other workers may live', async (t) => {
      await abandon(store, { id: 'job_1', lease: 60 })
      await work(t, store, async () => ({}))
      // An embedded store has no other workers: whoever held a lease is dead.
      if (store.engine === 'pglite') await untilStatus(store, 'job_1', 'succeeded')
      else await sleep(300)
      const { status, attempt } = await fixture.readJob(store, 'job_1')
      t.same(
        { status, attempt },
        store.engine === 'pglite' ? { status: 'succeeded', attempt: 2 } : { status: 'running', attempt: 1 }
      )
    })

    t.test(
      'a worker does not take a job from itself, though its lease could not be renewed in time',
      async (t) => {
        await enqueue(store, { id: 'job_1' })
        const held = gate()
        await work(t, store, held.run)
        await until(() => held.started.length === 1)
        await store.query(sql("update jobs set lease_expires_at = now() - interval '1 second'"))
        await enqueue(store, { id: 'job_2', lane: 'other' })
        await store.query(sql("select pg_notify('jobs', '')"))
        await until(() => held.started.length === 2)
        held.open()
        for (const id of ['job_1', 'job_2'])
          t.match(await untilStatus(store, id, 'succeeded'), { attempt: 1 })
      }
    )

    for (const [how, report] of Object.entries(reports)) {
      t.test(`an attempt that lost its job changes nothing, ${how}`, async (t) => {
        await enqueue(store, { id: 'job_1' })
        const old = Promise.withResolvers<JobContext>()
        const taken = Promise.withResolvers<void>()
        const isTold = report === undefined
        let claims = 0
        // It takes one job and no other: the job is not to come back to it.
        const onlyOnce = intercept(store, claim, async (query) => (++claims === 1 ? query() : []))
        const cutOff = intercept(onlyOnce, renewLease, () =>
          isTold ? Promise.reject(new Error('the store is away')) : new Promise(() => {})
        )
        async function run(context: JobContext) {
          await context.step('work')
          old.resolve(context)
          await taken.promise
          await report?.(context)
          return { by: 'the old attempt' }
        }
        const loser = await work(t, cutOff, run, { leaseSeconds: 1 })
        const hasGivenUp = () => loser.log.lines.some(({ message }) => /^the lease was lost/.test(message))
        const { signal } = await old.promise
        const winner = await work(t, store, async (context) => {
          await context.step('work')
          context.progress({ rows: 2 })
          if (isTold) await Promise.race([once(signal, 'abort'), sleep(5000)])
          taken.resolve()
          await Promise.race([until(hasGivenUp), sleep(5000)])
          return { by: 'the new attempt' }
        })
        const job = await untilStatus(store, 'job_1', 'succeeded', 'failed')
        t.match(job, { status: 'succeeded', attempt: 2, result: { by: 'the new attempt' }, error: null })
        t.match(job.progress, { rows: 2, percent: 100 })
        t.same(await readStory(store, 'job_1'), [
          ...['started 1', 'step 1', 'lost 2', 'started 2', 'step 2', 'succeeded 2']
        ])
        t.same(await readAttempts(store, 'job_1'), [
          { attempt: 1, outcome: 'lost', code: null, ended: true },
          { attempt: 2, outcome: 'succeeded', code: null, ended: true }
        ])
        t.ok(hasGivenUp(), 'it says so in its log')
        t.equal(signal.aborted, report !== reports[silent], 'and its work is stopped as soon as it can know')
        t.same(
          [...loser.log.lines, ...winner.log.lines].filter(({ level }) => level === 'error'),
          []
        )
      })
    }
  })
}
