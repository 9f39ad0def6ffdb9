/**
 * npm run bench:http -- [--soak SECONDS]: start-up, idle memory, requests per second against bare Fastify, and a soak of mixed
 * traffic, loads and cancels (default 600 s) that must leave no memory, handle or connection behind.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import Fastify from 'fastify'
import pg from 'pg'
import { freePort, launchPostgres, MIGRATED, urlOf } from '../test/postgres-server.ts'
import { figure, percentile } from './figures.ts'
import { requestRates } from './request-rates.ts'

const { values } = parseArgs({
  options: { soak: { type: 'string', default: '600' }, bare: { type: 'string' } }
})
const KEY = 'benchmark-admin-key-0123456789'
const headers = { authorization: `Bearer ${KEY}` }
const directory = mkdtempSync(join(tmpdir(), 'sparkify-bench-http-'))
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))

/** Starts the service and waits until it is ready; `seconds` is how long that took. */
async function start(dataDir: string, env: Record<string, string> = {}) {
  const port = await freePort()
  const began = performance.now()
  const child = spawn(process.execPath, [new URL('../src/server.ts', import.meta.url).pathname], {
    env: {
      ...process.env,
      ...{ PORT: String(port), DATA_DIR: dataDir, ADMIN_API_KEY: KEY, LOG_LEVEL: 'silent' },
      ...{ RATE_LIMIT_PER_MINUTE: '0', ...env }
    },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const url = `http://127.0.0.1:${port}`
  while (!(await fetch(`${url}/readyz`).catch(() => undefined))?.ok) await sleep(5)
  return {
    ...{ url, pid: child.pid ?? 0, seconds: (performance.now() - began) / 1000 },
    async stop() {
      child.kill('SIGTERM')
      await new Promise((resolve) => child.once('exit', resolve))
      process.off('exit', kill)
    }
  }
}

const residentMiB = (pid: number) =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
const handlesOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).length

async function measureStarts() {
  const data = join(directory, 'embedded')
  const first = await start(data)
  figure('first start to ready, embedded', first.seconds, 's', '<= 2.5')
  await sleep(3000)
  figure('idle memory', residentMiB(first.pid), 'MiB')
  await first.stop()
  const later: number[] = []
  for (let turn = 0; turn < 5; turn += 1) {
    const again = await start(data)
    later.push(again.seconds)
    await again.stop()
  }
  figure('second start to ready, embedded', percentile(later, 0.5), 's', '<= 1')
}

/** The same answers by Fastify alone: a constant, and the rows of one statement. Returns its URL. */
async function startBare(databaseUrl: string) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })
  const app = Fastify()
  app.get('/livez', async () => ({ status: 'ok' }))
  app.get('/jobs', async () => ({
    items: (await pool.query('select * from jobs order by id desc limit 51')).rows
  }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
}

async function measureRates() {
  const server = await launchPostgres()
  const databaseUrl = urlOf(server.port, MIGRATED)
  const service = await start(join(directory, 'rates'), { DATABASE_URL: databaseUrl })
  const later = { type: 'etl', run_after: new Date(Date.now() + 86_400_000).toISOString() }
  for (let turn = 0; turn < 50; turn += 1) {
    await fetch(`${service.url}/v1/jobs`, {
      ...{ method: 'POST', headers: { ...headers, 'content-type': 'application/json' } },
      body: JSON.stringify(later)
    })
  }
  // In a process of its own, as the service is: this one makes the requests.
  const bare = spawn(process.execPath, [import.meta.filename, '--bare', databaseUrl], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const bareUrl = String(await new Promise((resolve) => bare.stdout.once('data', resolve))).trim()
  for (const [name, path, barePath] of [
    ['GET /livez', '/livez', '/livez'],
    ['GET /v1/jobs, 50 of them', '/v1/jobs', '/jobs']
  ] as const) {
    const [ours, theirs] = (await requestRates([
      { url: service.url + path, headers },
      { url: bareUrl + barePath, headers }
    ])) as [number, number]
    figure(name, ours, '/s')
    figure('  by bare Fastify', theirs, '/s')
    figure('  ratio', ours / theirs, 'x', '>= 0.7')
  }
  bare.kill()
  await service.stop()
  await server.stop()
}

/** Everything that callers do, for so many seconds: what is held at the end against what was held after the warm-up. */
async function soak(seconds: number) {
  const service = await start(join(directory, 'soak'))
  const ask = async (method: string, path: string, body?: object, more = {}) => {
    const response = await fetch(service.url + path, {
      ...{ method, headers: { ...headers, ...(body && { 'content-type': 'application/json' }), ...more } },
      ...(body && { body: JSON.stringify(body) })
    })
    const text = await response.text()
    if (response.status >= 500) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 200)}`)
    requests += 1
    return text.startsWith('{') ? JSON.parse(text) : text
  }
  let requests = 0
  await ask('PUT', '/v1/cluster', {}, { prefer: 'wait=30' })
  await ask('POST', '/v1/tables', {}, { prefer: 'wait=30' })
  await ask('POST', '/v1/jobs', { type: 'etl' }, { prefer: 'wait=60' })
  const { items } = await ask('GET', '/v1/analytics')
  let isOver = false
  async function read(turn: number) {
    for (let n = turn; !isOver; n += 1) {
      const { query } = items[n % items.length]
      await ask('GET', `/v1/analytics/${query}/results?format=${n % 2 ? 'csv' : 'json'}`)
      await ask('GET', '/v1/jobs?limit=20')
      if (n % 50 === 0) await ask('GET', `/v1/analytics/${query}/chart`)
      if (n % 50 === 25) await ask('GET', '/metrics')
    }
  }
  async function load() {
    while (!isOver) {
      await ask('POST', '/v1/jobs', { type: 'etl', mode: 'full' }, { prefer: 'wait=60' })
      const { id } = await ask('POST', '/v1/jobs', { type: 'etl', mode: 'full' })
      await sleep(50 + Math.random() * 500)
      await ask('POST', `/v1/jobs/${id}/cancel`, undefined, { prefer: 'wait=30' })
    }
  }
  const work = Promise.all([read(0), read(5), read(10), read(15), load()])
  work.catch((error) => {
    console.error(error)
    process.exit(1)
  })
  const warmUp = Math.min(60, seconds / 3)
  await sleep(warmUp * 1000)
  const before = { memory: residentMiB(service.pid), handles: handlesOf(service.pid) }
  await sleep((seconds - warmUp) * 1000)
  isOver = true
  await work
  await sleep(6000)
  figure('soak', seconds, 's')
  figure('  requests without an error', requests, '')
  figure('  memory after the warm-up', before.memory, 'MiB')
  figure('  memory at the end', residentMiB(service.pid), 'MiB')
  figure('  open files and sockets after the warm-up', before.handles, '')
  figure('  open files and sockets at the end', handlesOf(service.pid), '')
  await service.stop()
}

if (values.bare !== undefined) process.stdout.write(`${await startBare(values.bare)}\n`)
else {
  await measureStarts()
  await measureRates()
  await soak(Number(values.soak))
}
