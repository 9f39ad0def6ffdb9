/** Old jobs go with all that belongs to them; and the statements of the job table stay fast however many there are. */
import t from 'tap'
import { createRetention } from '../../src/services/retention.ts'
import { parseSql, readSql } from '../../src/sql.ts'
import { queryOne, type Store } from '../../src/store/store.ts'
import { openBothStores, openTestPostgres } from '../helper.ts'
import { addFinishedJobs, explain } from '../retention-fixture.ts'

const days = { succeeded: 30, cancelled: 30, failed: 60 }
const remaining = parseSql('test/remaining', 'select id from jobs order by id')
const rowsOf = async (store: Store, text: string) =>
  Number((await queryOne<{ count: number }>(store, parseSql('test/count', `select count(*) ${text}`))).count)

for (const store of await openBothStores(t)) {
  t.test(`retention on ${store.engine}`, async (t) => {
    const retention = createRetention(store, days)
    t.afterEach(() => store.query(parseSql('test/clear', 'truncate jobs cascade')))

    t.test('deletes by state and age, and leaves what has not ended', async (t) => {
      await addFinishedJobs(store, { prefix: 'old', count: 3, status: 'succeeded', age: 31 })
      await addFinishedJobs(store, { prefix: 'gone', count: 2, status: 'cancelled', age: 31 })
      await addFinishedJobs(store, { prefix: 'bad', count: 2, status: 'failed', age: 31 })
      await addFinishedJobs(store, { prefix: 'worse', count: 1, status: 'failed', age: 61 })
      await addFinishedJobs(store, { prefix: 'new', count: 2, status: 'succeeded', age: 29 })
      const waiting = parseSql(
        'test/waiting',
        `insert into jobs (id, type, lane, max_attempts, created_by, trigger, created_at)
         values ('waits', 'etl', 'warehouse', 3, 'key_test', '{}', now() - interval '400 days')`
      )
      await store.query(waiting)
      t.equal(await retention.deleteOld(), 6)
      const ids = (await store.query<{ id: string }>(remaining)).map(({ id }) => id)
      t.same(ids, ['bad_1', 'bad_2', 'new_1', 'new_2', 'waits'])
      t.equal(await rowsOf(store, 'from job_events'), 8, 'two for each finished job that is left')
      t.equal(await rowsOf(store, 'from job_attempts'), 4)
    })

    t.test('takes more than one batch, and stops between two', async (t) => {
      await addFinishedJobs(store, { prefix: 'old', count: 450, status: 'succeeded', age: 31 })
      const stopped = createRetention(store, days)
      await stopped.stop()
      t.equal(await stopped.deleteOld(), 200)
      t.equal(await retention.deleteOld(), 250)
    })

    t.test('a job that is still to be told of stays; a retry outlives what it is a retry of', async (t) => {
      await addFinishedJobs(store, { prefix: 'old', count: 2, status: 'succeeded', age: 31 })
      await addFinishedJobs(store, { prefix: 'new', count: 1, status: 'succeeded', age: 1 })
      await store.query(parseSql('test/retry', `update jobs set retry_of = 'old_1' where id = 'new_1'`))
      const delivery = parseSql(
        'test/delivery',
        `insert into webhook_deliveries (id, job_id, url) values ('whd_1', 'old_2', 'https://example.com/')`
      )
      await store.query(delivery)
      t.equal(await retention.deleteOld(), 1)
      t.same(await store.query(parseSql('test/left', 'select id, retry_of from jobs order by id')), [
        { id: 'new_1', retry_of: null },
        { id: 'old_2', retry_of: null }
      ])
    })
  })
}

t.test('no statement of the job table reads what has ended', async (t) => {
  const store = await openTestPostgres(t)
  await addFinishedJobs(store, { prefix: 'done', count: 20_000, status: 'succeeded', age: 1 })
  await store.query(parseSql('test/analyze', 'analyze jobs'))
  const filters = { status: null, type: null, created_after: null, created_before: null, before_id: null }
  const statements: [string, object][] = [
    ['jobs/claim', { worker: 'test', types: JSON.stringify(['etl']), running: '[]', lease_seconds: 30 }],
    ['jobs/get', { id: 'done_7' }],
    ['jobs/list', { ...filters, limit: 50 }],
    ['jobs/list', { ...filters, status: 'failed', limit: 50 }],
    ['jobs/delete-finished', { status: 'succeeded', days: 30, limit: 200 }]
  ]
  for (const [name, params] of statements) {
    const { plan, buffers } = await explain(store, readSql(`store/${name}.sql`), { ...params })
    t.notMatch(plan, /Seq Scan on jobs/, `${name} ${JSON.stringify(params)}\n${plan}`)
    t.ok(buffers < 100, `${name} touches ${buffers} pages of 8 kB`)
  }
})
