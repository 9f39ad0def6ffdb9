/** What Prometheus is told: of this process, counted as it happens; of the jobs, asked of the store at each scrape. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { readSql } from '../sql.ts'
import { queryOne, type Store } from '../store/store.ts'
import type { JobHandler } from './job-handler.ts'
import type { System } from './system.ts'

const countJobs = readSql('store/metrics/jobs.sql')
const countAttempts = readSql('store/metrics/attempts.sql')
const oldestWaiting = readSql('store/metrics/oldest-waiting.sql')

const PREFIX = 'sparkify_'

/** Requests are counted so many at once: one by one each takes ten times as long, a sixth of the fastest of them. */
const COUNTED_AT_ONCE = 100

/** Memory, event loop, garbage collection: there is one process, however many services are in it. */
let ofProcess: Registry | undefined

function processMetrics(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry()
    collectDefaultMetrics({ register: ofProcess })
  }
  return ofProcess
}

/** How a request ended. */
export interface RequestOutcome {
  /** The operation's id in the OpenAPI document. */
  operation: string
  status: number
  seconds: number
  /** `hit` or `miss` for answers of canned queries. */
  cache?: string | undefined
}

export type Metrics = ReturnType<typeof createMetrics>

export function createMetrics(store: Store, system: Pick<System, 'readiness'>) {
  const registry = new Registry()
  const base = { registers: [registry] }
  const requests = new Histogram({
    ...base,
    name: `${PREFIX}http_request_duration_seconds`,
    help: 'Time from a request to its answer',
    labelNames: ['operation', 'status'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60]
  })
  const answers = new Counter({
    ...base,
    name: `${PREFIX}answers_total`,
    help: 'Answers of canned queries: kept ones (hit), and those that the warehouse was asked for (miss)',
    labelNames: ['cache']
  })
  const records = new Counter({
    ...base,
    name: `${PREFIX}load_records_total`,
    help: 'Records of loads that this process has published',
    labelNames: ['kind', 'outcome']
  })
  /** Requests that are not counted yet. */
  const outcomes: RequestOutcome[] = []
  const up = new Gauge({ ...base, name: `${PREFIX}store_up`, help: '1 while the control store answers' })
  const cluster = new Gauge({
    ...base,
    name: `${PREFIX}cluster_status`,
    help: '1 for the state that the cluster is in',
    labelNames: ['status']
  })
  const jobs = new Gauge({
    ...base,
    name: `${PREFIX}jobs`,
    help: 'Jobs in the job table',
    labelNames: ['type', 'status']
  })
  const waiting = new Gauge({
    ...base,
    name: `${PREFIX}oldest_waiting_job_seconds`,
    help: 'How long the job that waits longest could have been running'
  })
  const attempts = new Gauge({
    ...base,
    name: `${PREFIX}job_attempts`,
    help: 'Attempts at the jobs in the job table, by how they ended; lost ones lost their lease',
    labelNames: ['outcome']
  })

  function countOutcomes() {
    for (const { operation, status, seconds, cache } of outcomes.splice(0)) {
      requests.observe({ operation, status }, seconds)
      if (cache !== undefined) answers.inc({ cache })
    }
  }

  async function askStore() {
    for (const gauge of [cluster, jobs, attempts]) gauge.reset()
    try {
      const ready = await system.readiness()
      cluster.set({ status: ready.cluster }, 1)
      for (const row of await store.query<{ type: string; status: string; jobs: number }>(countJobs)) {
        jobs.set({ type: row.type, status: row.status }, row.jobs)
      }
      for (const row of await store.query<{ outcome: string; attempts: number }>(countAttempts)) {
        attempts.set({ outcome: row.outcome }, row.attempts)
      }
      waiting.set((await queryOne<{ seconds: number }>(store, oldestWaiting)).seconds)
      up.set(1)
    } catch {
      // That is what there is to tell.
      up.set(0)
    }
  }

  return {
    contentType: registry.contentType,

    request(outcome: RequestOutcome): void {
      outcomes.push(outcome)
      if (outcomes.length === COUNTED_AT_ONCE) countOutcomes()
    },

    /** The same handler, whose published records are counted. */
    countLoads: (handler: JobHandler): JobHandler => ({
      ...handler,
      async run(context) {
        const result = await handler.run(context)
        for (const kind of ['events', 'songs'] as const) {
          const counts = (result as Record<string, Record<string, number> | undefined>)[kind] ?? {}
          for (const outcome of ['loaded', 'duplicates', 'rejected']) {
            records.inc({ kind, outcome }, counts[outcome] ?? 0)
          }
        }
        return result
      }
    }),

    /** Everything, in the text format of Prometheus. */
    async scrape(): Promise<string> {
      await askStore()
      countOutcomes()
      return `${await registry.metrics()}\n${await processMetrics().metrics()}`
    }
  }
}
