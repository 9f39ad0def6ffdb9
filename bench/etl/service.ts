/** The service under measurement: a process of its own, spoken to over HTTP, and the memory that it took. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../test/postgres-server.ts'

const KEY = 'benchmark-admin-key-0123456789'

export interface MeasuredJob {
  seconds: number
  /** Seconds by step. */
  steps: Record<string, number>
  result: { events: { loaded: number }; songs: { loaded: number } }
}

interface JobBody {
  id: string
  status: string
  finished_at: string | null
  error: object | null
  steps: { name: string; started_at: string; finished_at: string }[]
  result: MeasuredJob['result']
}

export interface MeasuredService {
  url: string
  /** What a request needs to be let in. */
  headers: Record<string, string>
  fetch(path: string, headers?: Record<string, string>): Promise<Response>
  load(params?: object): Promise<MeasuredJob>
  /** The most memory that the process has had, in GiB. */
  peakMemory(): number
  stop(): Promise<void>
}

/** Starts it over the sources in `sources`, with its data in `dataDir`, and creates the tables unless `isSetUp`. */
export async function startService(
  sources: string,
  dataDir: string,
  { isSetUp = false } = {}
): Promise<MeasuredService> {
  const port = await freePort()
  const child = spawn(process.execPath, [new URL('../../src/server.ts', import.meta.url).pathname], {
    env: {
      ...process.env,
      ...{
        PORT: String(port),
        DATA_DIR: dataDir,
        ADMIN_API_KEY: KEY,
        LOG_LEVEL: 'silent',
        RATE_LIMIT_PER_MINUTE: '0'
      },
      ...{ SONG_DATA: join(sources, 'song_data'), LOG_DATA: join(sources, 'log_data') }
    },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const url = `http://127.0.0.1:${port}`
  while ((await fetch(`${url}/livez`).catch(() => undefined)) === undefined) await sleep(50)

  async function run(method: string, path: string, body?: object) {
    const headers = { authorization: `Bearer ${KEY}`, prefer: 'wait=60', 'content-type': 'application/json' }
    const response = await fetch(url + path, {
      ...{ method, headers },
      body: body === undefined ? null : JSON.stringify(body)
    })
    let job = (await response.json()) as JobBody
    while (job.finished_at === null) {
      job = (await (await fetch(`${url}/v1/jobs/${job.id}`, { headers })).json()) as JobBody
    }
    if (job.status !== 'succeeded') throw new Error(JSON.stringify(job.error ?? job))
    return job
  }
  if (!isSetUp) {
    await run('PUT', '/v1/cluster')
    await run('POST', '/v1/tables', {})
  }

  const headers = { authorization: `Bearer ${KEY}` }
  return {
    ...{ url, headers },
    fetch: (path, more = {}) => fetch(url + path, { headers: { ...headers, ...more } }),
    async load(params = {}) {
      const began = performance.now()
      const job = await run('POST', '/v1/jobs', { type: 'etl', ...params })
      const seconds = (performance.now() - began) / 1000
      const { steps } = job
      const duration = (each: (typeof steps)[number]) =>
        (Date.parse(each.finished_at) - Date.parse(each.started_at)) / 1000
      return {
        ...{ seconds, result: job.result },
        steps: Object.fromEntries(steps.map((each) => [each.name, duration(each)]))
      }
    },
    peakMemory: () => peakOf(child.pid ?? 0),
    async stop() {
      process.off('exit', kill)
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  }
}

/** What Linux has seen of a process at most, in GiB. */
export function peakOf(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 2 ** 20
}
