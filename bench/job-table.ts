/**
 * `npm run bench:job-table`: what the statements of the job table cost among FINISHED (default 1000000) finished jobs, as
 * against 1000: their plans, the pages that they touch, their time.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Params, parseSql, readSql } from '../src/sql.ts'
import { migrate } from '../src/store/migrate.ts'
import { openPostgres } from '../src/store/postgres.ts'
import { startDurablePostgres } from '../test/durable-postgres.ts'
import { enqueue } from '../test/jobs-fixture.ts'
import { addFinishedJobs, explain } from '../test/retention-fixture.ts'
import { figure } from './figures.ts'

const finished = Number(process.env.FINISHED ?? 1_000_000)
const filters = { status: null, type: null, created_after: null, created_before: null, before_id: null }
const statements: [string, string, Params][] = [
  ['claim', 'jobs/claim', { worker: 'bench', types: ['etl'], running: [], lease_seconds: 30 }],
  ['get', 'jobs/get', { id: 'few_7' }],
  ['list, newest', 'jobs/list', { ...filters, limit: 51 }],
  ['list, by status', 'jobs/list', { ...filters, status: 'failed', limit: 51 }],
  ['list, by type', 'jobs/list', { ...filters, type: 'tables.drop', limit: 51 }],
  ['events of a job', 'job-events/list', { job_id: 'few_7', after_id: null, limit: 51 }],
  ['retention, nothing to do', 'jobs/delete-finished', { status: 'succeeded', days: 3000, limit: 200 }]
]

const directory = mkdtempSync(join(tmpdir(), 'sparkify-bench-'))
const postgres = await startDurablePostgres(directory)
const store = await openPostgres(postgres.url)
await migrate(store)
await enqueue(store, { id: 'job_1' })

async function measure(label: string, withPlans: boolean) {
  await store.query(parseSql('bench/analyze', 'vacuum analyze'))
  for (const [name, file, params] of statements) {
    const statement = readSql(`store/${file}.sql`)
    await explain(store, statement, params)
    const { plan, buffers, milliseconds } = await explain(store, statement, params)
    figure(`${name}, ${label}`, milliseconds, 'ms')
    figure(`${name}, ${label}`, buffers, 'pages of 8 kB')
    if (withPlans) process.stdout.write(`${plan.replace(/^/gm, '    ')}\n`)
  }
}

await addFinishedJobs(store, { prefix: 'few', count: 1000, status: 'succeeded', age: 1 })
await measure('1000 finished jobs', false)
for (let done = 1000; done < finished; done += 100_000) {
  await addFinishedJobs(store, { prefix: `many_${done}`, count: 100_000, status: 'succeeded', age: 2 })
}
await measure(`${finished} finished jobs`, true)

await store.close()
await postgres.stop('SIGINT')
rmSync(directory, { recursive: true, force: true })
process.exit(0)
