/** The endpoints of jobs: against bare routes over the same database, and while the process loads events. */
import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import { freePort } from '../test/postgres-server.ts'
import { event, lines, song } from '../test/records.ts'
import { figure, percentile } from './figures.ts'

const KEY = 'benchmark-admin-key-0123456789'
const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }
const EVENTS_PER_FILE = 100_000

/** Starts a program of this project and waits until it answers. */
async function startProcess(program: string, args: string[], port: number, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [new URL(program, import.meta.url).pathname, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  process.once('exit', () => child.kill('SIGKILL'))
  const url = `http://127.0.0.1:${port}`
  while ((await fetch(`${url}/livez`).catch(() => undefined)) === undefined) await sleep(50)
  return { url, stop: () => child.kill('SIGKILL') }
}

/** Requests per second over ten seconds with 16 connections, after a warm-up. */
async function measureRate(url: string, body?: object): Promise<number> {
  const options = {
    ...{ url, connections: 16, headers },
    ...(body && { method: 'POST' as const, body: JSON.stringify(body) })
  }
  await autocannon({ ...options, duration: 3 })
  const { requests, non2xx, errors } = await autocannon({ ...options, duration: 10 })
  if (non2xx + errors > 0) throw new Error(`${url}: ${non2xx} answers were no success, ${errors} errors`)
  return requests.average
}

/** Measures against a service on DuckDB whose store is the database at `databaseUrl`. */
export async function measureEndpoints(
  databaseUrl: string,
  directory: string,
  loaded: number
): Promise<void> {
  const sources = { SONG_DATA: join(directory, 'song_data'), LOG_DATA: join(directory, 'log_data') }
  writeEvents(sources.SONG_DATA, sources.LOG_DATA, loaded)
  const [port, barePort] = [await freePort(), await freePort()]
  const service = await startProcess('../src/server.ts', [], port, {
    ...sources,
    ...{ DATABASE_URL: databaseUrl, ADMIN_API_KEY: KEY, LOG_LEVEL: 'silent', RATE_LIMIT_PER_MINUTE: '0' },
    ...{ PORT: String(port), DATA_DIR: join(directory, 'var') }
  })
  const bare = await startProcess('bare-routes.ts', [databaseUrl, String(barePort)], barePort)
  const request = async (method: string, path: string, body?: object, wait = 0) => {
    const response = await fetch(`${service.url}${path}`, {
      ...{ method, headers: { ...headers, prefer: `wait=${wait}` } },
      body: body === undefined ? null : JSON.stringify(body)
    })
    return (await response.json()) as { id: string; finished_at: string | null; status: string }
  }
  await request('PUT', '/v1/cluster', {}, 60)
  const { id } = await request('POST', '/v1/tables', {}, 60)

  const get = await measureRate(`${service.url}/v1/jobs/${id}`)
  const bareGet = await measureRate(`${bare.url}/jobs/${id}`)
  figure('GET /v1/jobs/{id}', get, 'requests/s')
  figure('GET of the bare route', bareGet, 'requests/s')
  figure('GET, ratio', get / bareGet, '', '>= 0.8')

  await measureWhileLoading(request, loaded)

  // Not to be run: thousands of loads would be on the way during the measurement.
  const later = { type: 'etl', run_after: new Date(Date.now() + 86_400_000).toISOString() }
  const post = await measureRate(`${service.url}/v1/jobs`, later)
  const barePost = await measureRate(`${bare.url}/jobs`, later)
  figure('POST /v1/jobs', post, 'requests/s')
  figure('POST of the bare route', barePost, 'requests/s')
  figure('POST, ratio', post / barePost, '')
  service.stop()
  bare.stop()
}

type Request = (
  method: string,
  path: string,
  body?: object
) => Promise<{ id: string; finished_at: string | null; status: string }>

/** A request every 20 ms, whether the one before it was answered or not. */
async function measureWhileLoading(request: Request, loaded: number): Promise<void> {
  const began = performance.now()
  const { id } = await request('POST', '/v1/jobs', { type: 'etl' })
  const latencies: number[] = []
  let status: string | undefined
  while (status === undefined) {
    const sent = performance.now()
    void request('GET', `/v1/jobs/${id}`).then((job) => {
      latencies.push(performance.now() - sent)
      if (job.finished_at !== null) status = job.status
    })
    await sleep(20)
  }
  if (status !== 'succeeded') throw new Error(`the load is ${status}`)
  figure('events loaded meanwhile', loaded, 'events')
  figure('load', (performance.now() - began) / 1000, 's')
  figure('GET while loading p50', percentile(latencies, 0.5), 'ms')
  figure('GET while loading p99', percentile(latencies, 0.99), 'ms', '<= 50')
  figure('GET while loading, longest', percentile(latencies, 1), 'ms')
}

function writeEvents(songData: string, logData: string, count: number): void {
  mkdirSync(songData, { recursive: true })
  mkdirSync(logData, { recursive: true })
  writeFileSync(join(songData, 'song.json'), lines(song()))
  for (let from = 0; from < count; from += EVENTS_PER_FILE) {
    const file = join(logData, `${String(from).padStart(9, '0')}.json`)
    for (let part = from; part < Math.min(count, from + EVENTS_PER_FILE); part += 10_000) {
      const records = Array.from({ length: Math.min(10_000, count - part) }, (_, index) => {
        const number = part + index
        return event({
          ...{
            sessionId: Math.floor(number / 20),
            itemInSession: number % 20,
            userId: String(number % 100_000)
          },
          ts: 1541106000796 + number * 500
        })
      })
      appendFileSync(file, `${lines(...records)}\n`)
    }
  }
}
