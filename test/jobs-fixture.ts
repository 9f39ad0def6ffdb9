/** What the tests of the job table share: jobs put into the table as they are needed, workers, and the story told. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { JobStatus, JobType } from '../src/schemas/jobs.ts'
import type { Actor } from '../src/services/api-keys.ts'
import type { JobContext, JobHandler } from '../src/services/job-handler.ts'
import type { JobRow } from '../src/services/job-row.ts'
import { startWorker, type Worker } from '../src/services/job-worker.ts'
import type { Logger } from '../src/services/logger.ts'
import { parseSql, type Statement } from '../src/sql.ts'
import { queryOne, type Store } from '../src/store/store.ts'

export const actor: Actor = { key_id: 'key_test', name: 'test', scope: 'operate' }

const insertJob = parseSql(
  'test/insert-job',
  `insert into jobs (id, type, lane, status, priority, params, attempt, failures, max_attempts, run_after, worker,
     lease_expires_at, created_by, trigger)
   values (:id::text, :type::text, :lane::text, :status::text, :priority::smallint, :params::jsonb,
     :attempt::integer, greatest(:attempt::integer - 1, 0), :max_attempts::integer, now() + :delay::double precision * interval '1 second', :worker::text,
     now() + :lease::double precision * interval '1 second', 'key_test', '{"kind": "api"}')`
)
const insertAttempt = parseSql(
  'test/insert-attempt',
  `insert into job_attempts (job_id, attempt, worker, finished_at, outcome)
   values (:id::text, :attempt::integer, :worker::text, case when :outcome::text is not null then now() end, :outcome::text)`
)
const selectJob = parseSql('test/job', 'select * from jobs where id = :id::text')
const selectAttempts = parseSql(
  'test/attempts',
  `select attempt, outcome, error ->> 'code' as code, finished_at is not null as ended from job_attempts
   where job_id = :id::text order by attempt`
)
const selectEvents = parseSql(
  'test/events',
  'select attempt, type, message from job_events where job_id = :id::text order by id'
)
const truncate = parseSql('test/truncate', 'truncate jobs cascade')

export interface NewJob {
  id: string
  type?: string
  lane?: string
  priority?: number
  params?: object
  max_attempts?: number
  /** Seconds until it may be claimed. */
  delay?: number
}

/** Puts a job into the queue; the ids give the order of jobs of one priority. */
export async function enqueue(store: Store, { id, ...job }: NewJob): Promise<void> {
  await store.query(insertJob, {
    ...{ id, type: 'etl', lane: 'warehouse', status: 'queued', priority: 0, params: {}, attempt: 0 },
    ...{ max_attempts: 3, delay: 0, worker: null, lease: null },
    ...job
  })
}

/** Puts a job into the table that a worker which is no more had started, for the last time of `attempt` times. */
export async function abandon(
  store: Store,
  { attempt = 1, lease = -1, ...job }: NewJob & { attempt?: number; lease?: number }
): Promise<void> {
  await store.query(insertJob, {
    ...{
      type: 'etl',
      lane: 'warehouse',
      status: 'running',
      priority: 0,
      params: {},
      max_attempts: 3,
      delay: 0
    },
    ...{ worker: 'gone-1', attempt, lease },
    ...job
  })
  for (let number = 1; number <= attempt; number += 1) {
    const outcome = number < attempt ? 'lost' : null
    await store.query(insertAttempt, { id: job.id, attempt: number, worker: 'gone-1', outcome })
  }
}

export const readJob = (store: Store, id: string) => queryOne<JobRow>(store, selectJob, { id })

export const readAttempts = (store: Store, id: string) => store.query<Attempt>(selectAttempts, { id })

interface Attempt {
  attempt: number
  outcome: string | null
  code: string | null
  ended: boolean
}

/** The types of a job's events with the attempt that each belongs to: `['queued 0', 'started 1']`. */
export async function readStory(store: Store, id: string): Promise<string[]> {
  return (await readEvents(store, id)).map(({ type, attempt }) => `${type} ${attempt}`)
}

export const readEvents = (store: Store, id: string) =>
  store.query<{ attempt: number; type: string; message: string }>(selectEvents, { id })

/** Empties the job table. */
export const clear = (store: Store) => store.query(truncate)

/** Far longer than anything here takes, in ms. */
const PATIENCE = 15_000

/** Waits for something that is bound to happen; throws if it does not. */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${condition}`)
    await sleep(10)
  }
}

/** Waits for a job to have one of the given statuses. */
export async function untilStatus(store: Store, id: string, ...statuses: JobStatus[]): Promise<JobRow> {
  await until(async () => statuses.includes((await readJob(store, id)).status))
  return readJob(store, id)
}

export interface LogLine {
  level: 'info' | 'warn' | 'error'
  details: { err?: unknown; job_id?: string }
  message: string
}

/** A logger that keeps what it is told. */
export function createLog(): Logger & { lines: LogLine[] } {
  const lines: LogLine[] = []
  const at = (level: LogLine['level']) => (details: object, message: string) =>
    void lines.push({ level, details, message })
  return { lines, info: at('info'), warn: at('warn'), error: at('error') }
}

const types: JobType[] = [
  'etl',
  'tables.create',
  'tables.recreate',
  'tables.drop',
  'cluster.provision',
  'cluster.teardown'
]

export interface TestWorker extends Worker {
  log: ReturnType<typeof createLog>
}

/** A worker whose jobs, of whatever type, all do the same; it is stopped when the test ends. */
export async function work(
  t: Test,
  store: Store,
  run: JobHandler['run'],
  { leaseSeconds = 30, ...more }: Partial<JobHandler> & { leaseSeconds?: number } = {}
): Promise<TestWorker> {
  const log = createLog()
  const handlers = Object.fromEntries(
    types.map((type) => [type, { steps: { work: 1 }, run, ...more }])
  ) as Record<JobType, JobHandler>
  const worker = await startWorker({ store, handlers, logger: log, leaseSeconds })
  t.teardown(() => worker.stop())
  return { ...worker, log }
}

/** The store with one statement answered otherwise, in and out of transactions. */
export function intercept(
  store: Store,
  statement: Statement,
  answer: (query: () => Promise<unknown[]>) => Promise<unknown[]>
): Store {
  const on = (from: Pick<Store, 'query'>) =>
    ((asked, params) =>
      asked.name === statement.name
        ? answer(() => from.query(asked, params))
        : from.query(asked, params)) as Store['query']
  return {
    ...store,
    query: on(store),
    repeat(interval, asked, params, onAnswer) {
      if (asked.name !== statement.name) return store.repeat(interval, asked, params, onAnswer)
      const run = () =>
        answer(() => store.query(asked, params)).then(
          (rows) => onAnswer({ rows }),
          (error) => onAnswer({ error })
        )
      const timer = setInterval(run, interval)
      return () => clearInterval(timer)
    },
    transaction: (doIt) => store.transaction((tx) => doIt({ ...tx, query: on(tx) }))
  }
}

/** A handler that ends when it is told to, or when it must. */
export function gate() {
  const open = Promise.withResolvers<void>()
  const started: JobContext[] = []
  async function run(context: JobContext) {
    started.push(context)
    context.signal.throwIfAborted()
    await Promise.race([
      open.promise,
      new Promise((_, reject) => context.signal.addEventListener('abort', reject))
    ])
    return { by: 'gate' }
  }
  return { run, started, open: open.resolve }
}
