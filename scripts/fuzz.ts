/**
 * npm run fuzz: generated requests to every operation of the OpenAPI document, valid and not, on a service of its own.
 * REQUESTS (default 10,000) and SEED choose what is sent. Fails for a 5xx, for an answer that the document does not describe,
 * and when the service is not ready afterwards.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPort, lastLogLines, startService, waitUntilReady } from './demo-service.ts'
import { fuzz } from './fuzz/run.ts'

/** Requests between two preparations. */
const ROUND = 200

const requests = Number(process.env.REQUESTS ?? 10_000)
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const document = JSON.parse(readFileSync(new URL('../openapi/openapi.json', import.meta.url), 'utf8'))
const dataDir = mkdtempSync(join(tmpdir(), 'sparkify-fuzz-'))
process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }))

const host = '127.0.0.1'
const service = startService({
  ...{ host, dataDir, port: await findPort(host, 3100) },
  env: { RATE_LIMIT_PER_MINUTE: '0', LOG_LEVEL: 'error' }
})
const never = new AbortController().signal
await waitUntilReady(service, never, () => {})
const admin = readFileSync(join(dataDir, 'admin.key'), 'utf8').trim()

/** Something for the requests to find: they delete it now and then. */
async function prepare() {
  const headers = { authorization: `Bearer ${admin}`, prefer: 'wait=60', 'content-type': 'application/json' }
  const ask = (method: string, path: string, body: object) =>
    fetch(service.url + path, { method, headers, body: JSON.stringify(body) })
  await ask('PUT', '/v1/cluster', {})
  await ask('POST', '/v1/tables', {})
  await ask('POST', '/v1/jobs', { type: 'etl' })
  const created = await ask('POST', '/v1/api-keys', { name: 'reader', scope: 'read' })
  return ((await created.json()) as { key: string }).key
}

const began = performance.now()
const statuses = new Map<number, number>()
const findings: string[] = []
let operations = 0
for (let sent = 0; sent < requests; sent += ROUND) {
  // Most requests get past the key.
  const keys = [admin, admin, admin, admin, await prepare()]
  const round = {
    keys,
    document,
    url: service.url,
    requests: Math.min(ROUND, requests - sent),
    seed: seed + sent
  }
  const report = await fuzz(round)
  for (const [status, count] of report.statuses) statuses.set(status, (statuses.get(status) ?? 0) + count)
  findings.push(...report.findings)
  operations = report.operations
}
const seconds = (performance.now() - began) / 1000
const ready = await fetch(`${service.url}/readyz`)
const errors = readFileSync(service.logFile, 'utf8')
  .split('\n')
  .filter((line) => line.includes('"level":50'))
if (findings.length > 0 || errors.length > 0) console.log(lastLogLines(service, 5))
await service.stop('SIGTERM')

console.log(`seed ${seed}: ${requests} requests to ${operations} operations in ${seconds.toFixed(0)} s`)
for (const [status, count] of [...statuses].sort(([a], [b]) => a - b)) console.log(`  ${status}  ${count}`)
for (const finding of findings.slice(0, 20)) console.log(`- ${finding}`)
if (errors.length > 0) console.log(`- the service logged ${errors.length} errors`)
if (ready.status !== 200) console.log(`- the service is not ready afterwards: ${ready.status}`)
if (findings.length > 0 || errors.length > 0 || ready.status !== 200) process.exitCode = 1
