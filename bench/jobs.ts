/**
 * `npm run bench:jobs`: the job table against graphile-worker and pg-boss, on one PostgreSQL that syncs every commit; then
 * the endpoints against bare routes, and a job's answers while the same process loads events.
 *
 * QUEUED (default 1000) jobs go through each queue; LOADED (default 5000000) events are loaded.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDurablePostgres } from '../test/durable-postgres.ts'
import { urlOf } from '../test/postgres-server.ts'
import { figure, percentile, rate } from './figures.ts'
import { measureEndpoints } from './jobs-http.ts'
import { openGraphile, openOurs, openPgBoss, type Queue } from './queues.ts'

const queued = Number(process.env.QUEUED ?? 1000)
const loaded = Number(process.env.LOADED ?? 5_000_000)

const directory = mkdtempSync(join(tmpdir(), 'sparkify-bench-'))
const postgres = await startDurablePostgres(directory)
let databases = 0

async function createDatabase(): Promise<string> {
  databases += 1
  await postgres.query(`create database bench_${databases}`)
  return urlOf(Number(new URL(postgres.url).port), `bench_${databases}`)
}

/** From the call that adds a job to its start, one job at a time and the queue at rest before it, in ms. */
async function measurePickup(queue: Queue): Promise<number[]> {
  let onRun = () => {}
  const stop = await queue.work(1, () => onRun())
  const latencies: number[] = []
  for (let number = 0; number < 220; number += 1) {
    const running = new Promise<void>((resolve) => {
      onRun = resolve
    })
    const began = performance.now()
    await Promise.all([queue.add(), running])
    // The first ones warm up.
    if (number >= 20) latencies.push(performance.now() - began)
    // Until the end of the job is recorded.
    await sleep(10)
  }
  await stop()
  return latencies
}

/** Jobs per second that workers end, all jobs being there before. */
async function measureCompletion(queue: Queue, workers: number): Promise<number> {
  let left = queued
  const { promise: done, resolve } = Promise.withResolvers<void>()
  const began = performance.now()
  const stop = await queue.work(workers, () => {
    left -= 1
    if (left === 0) resolve()
  })
  await done
  // A stop waits until the last ends are recorded.
  await stop()
  return (queued * 1000) / (performance.now() - began)
}

const openers = [
  (url: string) => openGraphile(url),
  (url: string) => openPgBoss(url),
  (url: string) => openOurs(url, 'lanes'),
  (url: string) => openOurs(url, 'one lane')
]
for (const open of openers) {
  const queue = await open(await createDatabase())
  const latencies = await measurePickup(queue)
  figure(`pickup p50, ${queue.name}`, percentile(latencies, 0.5), 'ms')
  figure(`pickup p99, ${queue.name}`, percentile(latencies, 0.99), 'ms')
  for (const workers of [1, 3]) {
    figure(`enqueue, ${queue.name}`, await rate(queued, 8, queue.add), 'jobs/s')
    figure(
      `completion with ${workers} workers, ${queue.name}`,
      await measureCompletion(queue, workers),
      'jobs/s'
    )
  }
  await queue.close()
}
await measureEndpoints(await createDatabase(), directory, loaded)

await postgres.stop('SIGINT')
rmSync(directory, { recursive: true, force: true })
process.exit(0)
