/**
 * The nightly job of a data team, with the typed client: load what is new, check the receipt, save a report as CSV.
 *
 *     WAREHOUSE_URL=http://127.0.0.1:3000 WAREHOUSE_API_KEY=spk_... node examples/load-and-report.ts report.csv
 *
 * Ends with 1 and says why when anything fails. Run it as often as you like: nothing is loaded twice.
 */
import { writeFileSync } from 'node:fs'
// In a project of yours: from 'sparkify-warehouse-client'.
import { bodyOf, createClient, type Job, waitForJob } from '../client/index.ts'

const [report = 'report.csv'] = process.argv.slice(2)
const client = createClient({
  baseUrl: process.env.WAREHOUSE_URL ?? 'http://127.0.0.1:3000',
  apiKey: process.env.WAREHOUSE_API_KEY ?? ''
})

/** Sees through what has started a job; what was there already has started none. */
async function ensure(request: Promise<{ data?: unknown; response: Response }>): Promise<void> {
  const { data, response } = await request
  if (response.status === 202) await waitForJob(client, (data as Job).id)
}

await ensure(client.PUT('/v1/cluster', { body: {} }))
await ensure(client.POST('/v1/tables', { body: {} }))

const header = { 'Idempotency-Key': `nightly-${new Date().toISOString().slice(0, 10)}` }
const started = await bodyOf(client.POST('/v1/jobs', { params: { header }, body: { type: 'etl' } }))
const job = await waitForJob(client, started.id)

// The version of the data that the load has made, or found: the report is asked for at that version or later.
const { items } = await bodyOf(client.GET('/v1/loads', { params: { query: { limit: 1 } } }))
const version = items[0]?.data_version ?? 0
const query = { format: 'csv', limit: 100, min_data_version: version } as const
const { data } = await client.GET('/v1/analytics/top-songs/results', {
  params: { query, header: { Prefer: 'wait=30' } },
  parseAs: 'text'
})
const csv = String(data)
writeFileSync(report, csv)
console.log(
  `${job.id} succeeded; ${report} has ${csv.trimEnd().split('\n').length - 1} songs at data version ${version}`
)
