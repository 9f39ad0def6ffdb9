/**
 * The main job from beginning to end, over HTTP only: start the service, ensure the cluster, create the tables,
 * load a month of listening, ask for the top songs. Then the service stays up to be tried.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { parseArgs, styleText } from 'node:util'
import {
  bodyOf,
  createClient,
  type Job,
  type Load,
  type Progress,
  type WarehouseClient,
  waitForJob
} from '../client/index.ts'
import type { AnalyticsResults } from '../src/schemas/analytics.ts'
import type { EmulatedCloud } from './demo-redshift.ts'
import * as demo from './demo-service.ts'
import { bar, figure, megabytes, renderTable, seconds, startActivity } from './terminal.ts'

const usage = `Usage: npm run demo [-- --exit], npm run demo:redshift [-- --exit]

Starts the service on the embedded engines, loads a month of sample data through the HTTP API and
prints the top songs and artists of 2018. The service then keeps running until Ctrl-C.

  --exit      stop the service at the end
  --redshift  the way of a real deployment, on emulators: provision a cluster in an emulated AWS, and
              load it from the emulated S3
  --help      show this

PORT      port to use (default 3000; another one if it is taken)
DATA_DIR  where to keep everything (default ./var/demo or ./var/demo-redshift, emptied first; a directory of yours is never emptied)
`

/** Between two looks at a job, in ms. */
const pollInterval = 100

/** Why the demo was broken off from outside: Ctrl-C, a closed terminal, a reader that went away. */
class Interruption extends Error {
  readonly signal: NodeJS.Signals

  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal}`)
    this.signal = signal
  }
}

function describe({ step, step_index, step_count, rows, bytes, percent }: Progress): string {
  const amounts = [rows > 0 && `${figure(rows)} rows`, bytes > 0 && megabytes(bytes)].filter(Boolean)
  return [bar(percent), `${step} (${step_index} of ${step_count})`, ...amounts].join('  ')
}

/** Sees a request through that may have started a job, and shows its progress. Undefined when there was nothing to do. */
async function perform(
  client: WarehouseClient,
  label: string,
  request: Promise<{ data?: unknown; response: Response }>,
  outcome: string
): Promise<Job | undefined> {
  const activity = startActivity(label)
  const started = performance.now()
  const { data, response } = await request
  const onLook = ({ progress }: Job) => progress && activity.update(progress.step, describe(progress))
  const { id } = data as Job
  const job =
    response.status === 202 ? await waitForJob(client, id, { onLook, interval: pollInterval }) : undefined
  activity.done(job ? `${outcome} in ${seconds(performance.now() - started)}` : 'there already')
  return job
}

async function drive(client: WarehouseClient): Promise<void> {
  await perform(client, 'Ensure the cluster', client.PUT('/v1/cluster', { body: {} }), 'provisioned')
  await perform(client, 'Create the tables', client.POST('/v1/tables', { body: {} }), 'created')
  const body = { type: 'etl', mode: 'incremental' } as const
  const job = await perform(client, 'Load the data', client.POST('/v1/jobs', { body }), 'loaded')
  const id = String(job?.result?.load_id)
  printReceipt(await bodyOf(client.GET('/v1/loads/{id}', { params: { path: { id } } })))
  const params = { query: { year: 2018, limit: 5 } }
  printAnswer('songs', await bodyOf(client.GET('/v1/analytics/top-songs/results', { params })))
  printAnswer('artists', await bodyOf(client.GET('/v1/analytics/top-artists/results', { params })))
}

function printAnswer(what: string, answer: Pick<AnalyticsResults, 'columns' | 'rows'>): void {
  heading(`Top ${what} of 2018`, `GET /v1/analytics/top-${what}/results?year=2018&limit=5`)
  // Ids would take half the line and tell a reader nothing.
  const columns = answer.columns.filter(({ name }) => !name.endsWith('_id'))
  process.stdout.write(renderTable(columns, answer.rows))
}

function heading(title: string, note: string): void {
  console.log(`\n${styleText('bold', title)}  ${styleText('dim', note)}`)
}

function printReceipt(load: Load): void {
  heading(`Receipt of load ${load.id}`, `data version ${load.data_version}`)
  console.log(`  objects  ${figure(load.objects)} read, ${figure(load.objects_skipped)} known already`)
  for (const kind of ['events', 'songs'] as const) {
    const { read, loaded, duplicates, rejected } = load[kind]
    console.log(
      `  ${kind.padEnd(7)}  ${figure(read)} read = ${figure(loaded)} loaded + ${figure(duplicates)} duplicates` +
        ` + ${figure(rejected)} rejected`
    )
  }
  const tables = Object.entries(load.tables).filter(([name]) => name.startsWith('analytics.'))
  const rows = tables.map(
    ([name, { row_count }]) => `${name.slice('analytics.'.length)} ${figure(row_count)}`
  )
  console.log(`  rows     ${rows.join(', ')}`)
}

function printInvitation(url: string, key: string): void {
  const curl = `curl -s -H 'Authorization: Bearer ${key}'`
  console.log(`
The service keeps running; Ctrl-C stops it.
  API      ${url}/v1
  page     ${url}/
  docs     ${url}/docs
  API key  ${key}

Try:
  ${curl} '${url}/v1/analytics/top-songs/results?year=2018&limit=10'
  ${curl} '${url}/v1/jobs?limit=5'
  ${curl} -H 'Content-Type: application/json' -d '{"type":"etl","mode":"incremental"}' '${url}/v1/jobs'
`)
}

interface Settings extends demo.ServiceOptions {
  exit: boolean
  redshift: boolean
}

/** Reads the command line and the environment; null when only help was asked for. */
async function readSettings(): Promise<Settings | null> {
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({ options: { exit: flag, redshift: flag, help: flag } })
  if (values.help) return null
  const host = process.env.HOST || '127.0.0.1'
  const wanted = Number(process.env.PORT || 3000)
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65535) {
    throw new Error(`PORT is '${process.env.PORT}'; it accepts a whole number from 0 to 65535`)
  }
  const dataDir = resolve(
    process.env.DATA_DIR ||
      join(import.meta.dirname, values.redshift ? '../var/demo-redshift' : '../var/demo')
  )
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  if (!process.env.DATA_DIR) demo.clearDataDir(dataDir)
  const port = await demo.findPort(host, wanted)
  if (port !== wanted && wanted !== 0) console.log(`Port ${wanted} is taken; this demo uses ${port}.\n`)
  return { host, port, dataDir, exit: values.exit, redshift: values.redshift }
}

/** Loaded only where it is wanted: emulators are no part of the service. */
async function openCloud(directory: string): Promise<EmulatedCloud> {
  const activity = startActivity('Emulate the cloud')
  const { startEmulatedCloud } = await import('./demo-redshift.ts')
  const cloud = await startEmulatedCloud(directory)
  activity.done(`AWS at ${cloud.env.AWS_ENDPOINT_URL}, Redshift at port ${cloud.env.REDSHIFT_PORT}`)
  return cloud
}

/** Starts the service, drives it, and ends it; returns the exit code. */
async function run({ exit, redshift, ...options }: Settings): Promise<number> {
  const broken = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => broken.abort(new Interruption(name)))
  }
  process.stdout.on('error', () => broken.abort(new Interruption('SIGPIPE')))

  const cloud = redshift ? await openCloud(options.dataDir) : undefined
  const starting = startActivity('Start the service')
  const service = demo.startService({ ...options, ...(cloud && { env: cloud.env }) })
  void service.ended.then((reason) => broken.abort(new Error(`The service stopped by itself (${reason})`)))
  let finished = false
  try {
    await demo.waitUntilReady(service, broken.signal, () =>
      starting.update('wait', `waiting until it is ready  ${seconds(performance.now())}`)
    )
    starting.done(`ready in ${seconds(performance.now())} at ${service.url}`)
    const key = readFileSync(join(options.dataDir, 'admin.key'), 'utf8').trim()
    const client = createClient({
      baseUrl: service.url,
      apiKey: key,
      fetch: (request) => fetch(request, { signal: broken.signal })
    })
    await drive(client)
    console.log(`\nFrom command to answer: ${seconds(performance.now())}`)
    finished = true
    if (exit) return 0
    printInvitation(service.url, key)
    await new Promise((resolve) => broken.signal.addEventListener('abort', resolve, { once: true }))
    throw broken.signal.reason
  } catch (error) {
    const reason: unknown = broken.signal.aborted ? broken.signal.reason : error
    if (reason instanceof Interruption) return finished ? 0 : 130
    console.error(`\n${reason instanceof Error ? reason.message : reason}`)
    console.error(`\nThe end of ${service.logFile}:\n${demo.lastLogLines(service)}`)
    return 1
  } finally {
    const { reason } = broken.signal
    await service.stop(reason instanceof Interruption && reason.signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM')
    await cloud?.close()
  }
}

try {
  const settings = await readSettings()
  if (settings) process.exitCode = await run(settings)
  else process.stdout.write(usage)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
