/**
 * A worker in a process of its own, which a test stops and starts again. Its jobs do what their `params` say:
 * `block_ms` keeps the event loop busy, else the job goes on until it must stop, and then still tries to write.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type JobType, jobTypes } from '../src/schemas/jobs.ts'
import type { JobContext, JobHandler } from '../src/services/job-handler.ts'
import { startWorker } from '../src/services/job-worker.ts'
import { openPostgres } from '../src/store/postgres.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)

async function run(context: JobContext) {
  await context.step('work')
  const { block_ms } = context.params
  if (typeof block_ms === 'number') {
    // Nothing else runs meanwhile, as if it were busy, and other tests have the processor.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, block_ms)
    return { by: process.pid }
  }
  say('at work')
  while (!context.signal.aborted) {
    context.progress({ rows: 1 })
    await sleep(20)
  }
  await context.event('warning', 'from the grave')
  return { by: process.pid }
}

const [url = '', leaseSeconds] = process.argv.slice(2)
const store = await openPostgres(url)
const handlers = Object.fromEntries(
  Object.keys(jobTypes).map((type) => [type, { steps: { work: 1 }, run }])
) as unknown as Record<JobType, JobHandler>
const log = (_: object, message: string) => say(message)
await startWorker({
  store,
  handlers,
  logger: { info: log, warn: log, error: log },
  leaseSeconds: Number(leaseSeconds)
})
