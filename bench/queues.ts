/** The job table and its peers, each in a database of its own, behind one interface: no-op jobs go in and are run. */
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import { PgBoss } from 'pg-boss'
import { type JobType, jobTypes } from '../src/schemas/jobs.ts'
import type { JobHandler } from '../src/services/job-handler.ts'
import { startWorker } from '../src/services/job-worker.ts'
import { createJobs } from '../src/services/jobs.ts'
import { migrate } from '../src/store/migrate.ts'
import { openPostgres } from '../src/store/postgres.ts'
import { actor, enqueue } from '../test/jobs-fixture.ts'

/** Jobs that one worker runs at the same time; the service has no more. */
const CONCURRENCY = 4

export interface Queue {
  name: string
  /** Puts one job in, as the product's users do. */
  add(): Promise<void>
  /** Starts workers; each job calls `onRun` and ends. The returned function stops them. */
  work(workers: number, onRun: () => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

const silent = { info() {}, warn() {}, error() {} }

/** `one-lane`: as the service starts them, one at a time. `lanes`: each in a lane of its own, which nothing guards. */
export async function openOurs(url: string, kind: 'one lane' | 'lanes'): Promise<Queue> {
  const store = await openPostgres(url)
  await migrate(store)
  const jobs = await createJobs(store)
  let number = 0
  return {
    name: `this service, ${kind}`,
    async add() {
      if (kind === 'one lane') return void (await jobs.start('etl', {}, actor))
      number += 1
      const id = `job_${String(number).padStart(8, '0')}`
      await enqueue(store, { id, lane: id })
    },
    async work(workers, onRun) {
      const handler: JobHandler = {
        steps: {},
        async run() {
          onRun()
          return {}
        }
      }
      const handlers = Object.fromEntries(Object.keys(jobTypes).map((type) => [type, handler])) as Record<
        JobType,
        JobHandler
      >
      const started = await Promise.all(
        Array.from({ length: workers }, () => startWorker({ store, handlers, logger: silent }))
      )
      return async () => void (await Promise.all(started.map((worker) => worker.stop())))
    },
    async close() {
      await jobs.close()
      await store.close()
    }
  }
}

export async function openGraphile(url: string): Promise<Queue> {
  const logger = new Logger(() => () => {})
  const utils = await makeWorkerUtils({ connectionString: url, logger })
  await utils.migrate()
  return {
    name: 'graphile-worker',
    add: async () => void (await utils.addJob('noop', {})),
    async work(workers, onRun) {
      const runners = await Promise.all(
        Array.from({ length: workers }, () =>
          run({
            ...{ connectionString: url, logger, concurrency: CONCURRENCY, noHandleSignals: true },
            taskList: { noop: async () => onRun() }
          })
        )
      )
      return async () => void (await Promise.all(runners.map((runner) => runner.stop())))
    },
    close: async () => void (await utils.release())
  }
}

export async function openPgBoss(url: string): Promise<Queue> {
  const boss = new PgBoss({ connectionString: url, useListenNotify: true })
  boss.on('error', () => {})
  await boss.start()
  await boss.createQueue('noop', { notify: true })
  return {
    name: 'pg-boss',
    add: async () => void (await boss.send('noop', {})),
    async work(workers, onRun) {
      await boss.work(
        'noop',
        // Without batches it waits between two jobs, however many there are.
        { localConcurrency: CONCURRENCY * workers, batchSize: 10, burstWhenBatchFull: true },
        async (jobs) => {
          for (const _ of jobs) onRun()
        }
      )
      return async () => void (await boss.offWork('noop', { wait: true }))
    },
    close: () => boss.stop({ graceful: false })
  }
}
