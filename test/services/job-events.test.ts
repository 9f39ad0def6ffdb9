/** Following jobs: what commits late is not missed, what fails is told, and waiting asks the store nothing. */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createJobEvents, type StreamedEvent } from '../../src/services/job-events.ts'
import { createJobs } from '../../src/services/jobs.ts'
import { parseSql, readSql } from '../../src/sql.ts'
import { adoptRestored } from '../../src/store/adopt-restored.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { type Queryable, queryOne, type Store } from '../../src/store/store.ts'
import { openTestPglite } from '../helper.ts'
import { abandon, actor, clear, until } from '../jobs-fixture.ts'
import { startPostgres } from '../postgres.ts'

const sql = (source: string) => parseSql('test', source)
const insertEvent = readSql('store/job-events/insert.sql')
const finishJob = readSql('store/jobs/finish.sql')
const never = new AbortController().signal

const tell = (on: Queryable, job_id: string, message: string) =>
  on.query<{ id: number }>(insertEvent, { job_id, attempt: 1, type: 'step', message, data: null })
const finish = (store: Store, id: string) => {
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

/** A transaction that stays open until it is told to commit. */
async function openTransaction(store: Store, work: (tx: Queryable) => Promise<unknown>) {
  const [done, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const ended = store.transaction(async (tx) => {
    await work(tx)
    done.resolve()
    await go.promise
  })
  await Promise.race([done.promise, ended])
  return async () => {
    go.resolve()
    await ended
  }
}

async function take(events: AsyncIterable<StreamedEvent>, count: number): Promise<string[]> {
  const messages: string[] = []
  for await (const { data } of events) if (messages.push(data.message) === count) break
  return messages
}

/** The store, and whether an answer to one of its statements was ever like this. */
function listenIn<Row>(store: Store, name: string, isIt: (row: Row) => boolean) {
  let hasHappened = false
  const query = async <Any>(...asked: Parameters<Store['query']>) => {
    const rows = await store.query<Any>(...asked)
    if (asked[0].name === name && isIt(rows[0] as unknown as Row)) hasHappened = true
    return rows
  }
  return { store: { ...store, query }, happened: () => hasHappened }
}

async function follow(t: Test, store: Store) {
  const jobs = await createJobs(store)
  const jobEvents = await createJobEvents(store, jobs)
  t.teardown(async () => {
    await jobEvents.close()
    await jobs.close()
  })
  return { jobs, jobEvents }
}

const pglite = await openTestPglite(t)
// A server of its own: the feed waits for every transaction that is open anywhere in the server.
const postgres = await openPostgres((await startPostgres(t)).url)
t.teardown(() => postgres.close())
await migrate(postgres)
t.beforeEach(async () => {
  await clear(pglite)
  await clear(postgres)
})

t.test('an event that commits late is neither missed nor sent out of turn', async (t) => {
  const { jobEvents } = await follow(t, postgres)
  for (const id of ['job_1', 'job_2']) await abandon(postgres, { id, lane: id, lease: 60 })
  const live = await jobEvents.followAll({ actor, lastEventId: undefined, signal: never })
  t.teardown(() => live.end())

  const commit = await openTransaction(postgres, (tx) => tell(tx, 'job_1', 'early and slow'))
  await tell(postgres, 'job_2', 'late and quick')
  const seen = take(live.events, 3)
  const { items } = await jobEvents.listAll({ limit: 10 })
  t.same(items, [], 'nothing is shown that something may still come before')
  await commit()
  await tell(postgres, 'job_1', 'last')
  t.same(await seen, ['early and slow', 'late and quick', 'last'])
  const all = (await jobEvents.listAll({ limit: 10 })).items
  t.same(
    all.map(({ message }) => message),
    ['early and slow', 'late and quick', 'last']
  )
})

t.test('what an open transaction held back is sent though it ends without an event of its own', async (t) => {
  const isHeldBack = ({ has_more }: { has_more: boolean }) => has_more
  const { store, happened } = listenIn(postgres, 'store/job-events/feed-bounds.sql', isHeldBack)
  const { jobEvents } = await follow(t, store)
  await abandon(postgres, { id: 'job_1', lease: 60 })
  const live = await jobEvents.followAll({ actor, lastEventId: undefined, signal: never })
  t.teardown(() => live.end())
  const commit = await openTransaction(postgres, (tx) =>
    tx.query(sql("insert into api_keys (id, name, key_hash, scope) values ('a', 'a', 'a', 'read')"))
  )
  const seen = take(live.events, 1)
  await tell(postgres, 'job_1', 'held back')
  await until(happened)
  await commit()
  t.same(await seen, ['held back'])
})

t.test('events of one job wait for each other: a lower id never commits after a higher one', async (t) => {
  await abandon(postgres, { id: 'job_1', lease: 60 })
  const commit = await openTransaction(postgres, (tx) => tell(tx, 'job_1', 'first'))
  let isTold = false
  const second = tell(postgres, 'job_1', 'second').then(([row]) => {
    isTold = true
    return row?.id ?? 0
  })
  await until(
    async () =>
      (await postgres.query(sql("select 1 from pg_stat_activity where wait_event_type = 'Lock'"))).length > 0
  )
  t.equal(isTold, false)
  await commit()
  const first = await queryOne<{ id: number }>(
    postgres,
    sql("select id from job_events where message = 'first'")
  )
  t.ok((await second) > first.id)
})

t.test('an event of an attempt that loses its job meanwhile is refused', async (t) => {
  await abandon(postgres, { id: 'job_1', lease: 60 })
  const commit = await openTransaction(postgres, (tx) =>
    tx.query(sql("update jobs set attempt = 2 where id = 'job_1'"))
  )
  const late = tell(postgres, 'job_1', 'from the grave')
  await until(
    async () =>
      (await postgres.query(sql("select 1 from pg_stat_activity where wait_event_type = 'Lock'"))).length > 0
  )
  await commit()
  t.same(await late, [])
})

t.test('many writers, and readers that come and go: every event once, in order', async (t) => {
  const { jobEvents } = await follow(t, postgres)
  const ids = ['job_1', 'job_2', 'job_3', 'job_4']
  for (const id of ids) await abandon(postgres, { id, lane: id, lease: 60 })
  const PER_JOB = 25
  const write = async (id: string) => {
    for (let index = 0; index < PER_JOB; index += 1) {
      await postgres.transaction(async (tx) => {
        await tell(tx, id, `${id} ${index}`)
        await sleep(index % 5)
      })
    }
    await finish(postgres, id)
  }
  const readAll = async (lastEventId: string) => {
    const seen: string[] = []
    let last = lastEventId
    while (seen.length < ids.length * (PER_JOB + 1)) {
      const stream = await jobEvents.followAll({ actor, lastEventId: last, signal: never })
      let left = 7
      for await (const { id, data } of stream.events) {
        last = id
        seen.push(`${data.job_id} ${data.message}`)
        left -= 1
        if (left === 0 || seen.length === ids.length * (PER_JOB + 1)) break
      }
      stream.end()
    }
    return seen
  }
  const readJob = async (id: string) => {
    const seen: string[] = []
    let last: string | undefined
    for (;;) {
      const stream = await jobEvents.follow(id, { actor, lastEventId: last, signal: never })
      if (stream === undefined) return seen
      let left = 3
      for await (const event of stream.events) {
        last = event.id
        seen.push(event.data.message)
        left -= 1
        if (left === 0) break
      }
      stream.end()
    }
  }
  const writing = Promise.all(ids.map(write))
  const [feed, ...stories] = await Promise.all([readAll('0'), ...ids.map(readJob)])
  await writing
  t.equal(new Set(feed).size, ids.length * (PER_JOB + 1), 'no event twice')
  for (const [index, id] of ids.entries()) {
    const expected = [...Array.from({ length: PER_JOB }, (_, index) => `${id} ${index}`), 'end']
    t.same(stories[index], expected)
    t.same(
      feed?.filter((each) => each.startsWith(`${id} `)),
      expected.map((message) => `${id} ${message}`)
    )
  }
})

t.test('events that were restored from another server are in the feed, before the new ones', async (t) => {
  const { jobEvents } = await follow(t, postgres)
  await abandon(postgres, { id: 'job_1', lease: 60 })
  for (const message of ['one', 'two']) await tell(postgres, 'job_1', message)
  await postgres.query(sql("update job_events set xid = '9000000000000000'"))
  t.same((await jobEvents.listAll({ limit: 10 })).items, [])
  await adoptRestored(postgres)
  await tell(postgres, 'job_1', 'three')
  const { items } = await jobEvents.listAll({ limit: 10 })
  t.same(
    items.map(({ message }) => message),
    ['one', 'two', 'three']
  )
})

for (const store of [pglite, postgres]) {
  t.test(`the feed on ${store.engine} counts transactions, though they gain a digit`, async (t) => {
    const { jobEvents } = await follow(t, store)
    await abandon(store, { id: 'job_1', lease: 60 })
    const early = sql(
      "insert into job_events (job_id, attempt, type, message, xid) values ('job_1', 1, 'step', :message, :xid::text::xid8)"
    )
    const expected = ['8', '9', '10', '11', '99', '100']
    for (const xid of expected) await store.query(early, { message: xid, xid })
    const { items } = await jobEvents.listAll({ limit: 100 })
    t.strictSame(items.map(({ message }) => message).slice(0, expected.length), expected)
    const paged: string[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof jobEvents.listAll>> = await jobEvents.listAll({
        limit: 2,
        ...(cursor !== null && { cursor })
      })
      paged.push(...page.items.map(({ message }) => message))
      cursor = page.next_cursor
    } while (cursor !== null)
    t.strictSame(
      paged,
      items.map(({ message }) => message),
      'nothing is left out between pages'
    )
  })
}

for (const store of [pglite, postgres]) {
  t.test(`waiting on ${store.engine} looks once before the end and once at it`, async (t) => {
    let queries = 0
    const counting: Store = {
      ...store,
      query: async <Row>(...asked: Parameters<Store['query']>) => {
        const found = await store.query<Row>(...asked)
        if (asked[0].name === 'store/jobs/get.sql') queries += 1
        return found
      }
    }
    const { jobs } = await follow(t, counting)
    for (const id of ['job_1', 'job_2']) await abandon(store, { id, lane: id, lease: 60 })
    const waits = Array.from({ length: 20 }, () => jobs.wait('job_1', 60))
    await until(() => queries >= 20)
    // News of how the jobs came to be may still be on its way, and makes those who wait look once more.
    let before = 0
    while (before !== queries) {
      before = queries
      await sleep(200)
    }
    await tell(store, 'job_1', 'an event is no end')
    await finish(store, 'job_2')
    t.equal(queries, before, 'the end of another job wakes nobody')
    await finish(store, 'job_1')
    for (const job of await Promise.all(waits)) t.equal(job.status, 'succeeded')
    t.equal(queries, before + 20)
  })
}
