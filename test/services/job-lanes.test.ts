/** Several workers, each with connections of its own, on one PostgreSQL. */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { parseSql, readSql } from '../../src/sql.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import type { Store } from '../../src/store/store.ts'
import {
  abandon,
  clear,
  enqueue,
  readAttempts,
  readJob,
  readStory,
  untilStatus,
  work
} from '../jobs-fixture.ts'
import { createStoreDatabase } from '../postgres.ts'

const sql = (source: string) => parseSql('test', source)
const claim = readSql('store/jobs/claim.sql')
const countUnfinished = sql("select count(*) as jobs from jobs where status <> 'succeeded'")
const overlapping = sql(`
  select a.job_id, b.job_id as with_job_id
  from job_attempts as a
  inner join jobs as job_a on job_a.id = a.job_id
  inner join jobs as job_b on job_b.lane = job_a.lane and job_b.id <> job_a.id
  inner join job_attempts as b on b.job_id = job_b.id
  where a.started_at < b.finished_at and b.started_at < a.finished_at`)

const url = await createStoreDatabase(t)

async function openStore(t: Test): Promise<Store> {
  const store = await openPostgres(url)
  t.teardown(() => store.close())
  return store
}

const store = await openStore(t)
t.beforeEach(async () => {
  await clear(store)
})

/** Random, and the same every time. */
function createRandom(seed: number) {
  let state = seed
  return (below: number) => {
    state = (state * 1103515245 + 12345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
}

t.test('no two jobs of a lane ever run at once, and lanes run side by side', async (t) => {
  const random = createRandom(7)
  const perLane = new Map<string, number>()
  const [mostPerLane, most] = [new Set<number>(), { running: 0, seen: 0 }]
  const runs = new Map<string, number>()
  for (let worker = 1; worker <= 3; worker += 1) {
    await work(t, await openStore(t), async ({ id, params }) => {
      const lane = String(params.lane)
      runs.set(id, (runs.get(id) ?? 0) + 1)
      perLane.set(lane, (perLane.get(lane) ?? 0) + 1)
      mostPerLane.add(perLane.get(lane) as number)
      most.seen = Math.max(most.seen, ++most.running)
      await sleep(random(20))
      most.running -= 1
      perLane.set(lane, (perLane.get(lane) as number) - 1)
      return {}
    })
  }
  await Promise.all(
    Array.from({ length: 30 }, async (_, index) => {
      const lane = `lane_${random(4)}`
      await sleep(random(100))
      await enqueue(store, { id: `job_${String(index).padStart(2, '0')}`, lane, params: { lane } })
    })
  )
  while ((await store.query<{ jobs: number }>(countUnfinished))[0]?.jobs !== 0) await sleep(20)
  t.same([...mostPerLane], [1], 'counted while they ran')
  t.same(await store.query(overlapping), [], 'by the times in the table')
  t.equal(runs.size, 30)
  t.same([...new Set(runs.values())], [1], 'each job ran once')
  t.ok(most.seen > 1, `${most.seen} lanes at once`)
})

t.test(
  'whoever claims while another one does waits for it, and takes nothing of a lane that is busy by then',
  async (t) => {
    await enqueue(store, { id: 'job_1' })
    await enqueue(store, { id: 'job_2' })
    const rival = await openStore(t)
    // Its claim of job_1 is not committed yet, so to everybody else the lane looks free.
    const worker = await rival.transaction(async (tx) => {
      await tx.query(claim, { worker: 'rival-1', types: ['etl'], running: [], lease_seconds: 30 })
      const started = await work(t, await openStore(t), async ({ id }) => ({ id }))
      await sleep(100)
      return started
    })
    await sleep(100)
    t.match(await readJob(store, 'job_2'), { status: 'queued', attempt: 0 })
    t.same(await readAttempts(store, 'job_2'), [])
    const end = sql(
      "update jobs set status = 'succeeded', lease_expires_at = null, finished_at = now() where id = 'job_1'"
    )
    await store.query(end)
    t.match(await untilStatus(store, 'job_2', 'succeeded'), { attempt: 1 })
    t.same(worker.log.lines, [])
  }
)

t.test('several workers take the jobs of a lane in their order', async (t) => {
  const ids = Array.from({ length: 60 }, (_, index) => `job_${String(index).padStart(2, '0')}`)
  for (const id of ids) await enqueue(store, { id })
  const order: string[] = []
  for (let worker = 1; worker <= 3; worker += 1) {
    await work(t, await openStore(t), async ({ id }) => ({ place: order.push(id) }))
  }
  while (order.length < ids.length) await sleep(20)
  t.same(order, ids)
})

t.test('of several workers, one takes over a job whose worker is gone', async (t) => {
  const runs: string[] = []
  for (let count = 1; count <= 5; count += 1) {
    // Their leases run out while the workers watch.
    await abandon(store, { id: `job_${count}`, lane: `lane_${count}`, lease: 0.3 })
  }
  for (let worker = 1; worker <= 3; worker += 1) {
    await work(t, await openStore(t), async ({ id, attempt }) => {
      runs.push(`${id} ${attempt}`)
      await sleep(50)
      return {}
    })
  }
  for (let count = 1; count <= 5; count += 1) {
    const id = `job_${count}`
    await untilStatus(store, id, 'succeeded')
    t.same(await readStory(store, id), ['lost 2', 'started 2', 'succeeded 2'])
    t.same(await readAttempts(store, id), [
      { attempt: 1, outcome: 'lost', code: null, ended: true },
      { attempt: 2, outcome: 'succeeded', code: null, ended: true }
    ])
  }
  t.same(runs.sort(), ['job_1 2', 'job_2 2', 'job_3 2', 'job_4 2', 'job_5 2'])
})
