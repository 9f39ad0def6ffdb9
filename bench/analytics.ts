/**
 * npm run bench:analytics -- [--plays N]: answers of the canned queries over so many plays (default 10 million), against the same
 * SQL straight in the engine; answers that are kept against a bare route; and 200 clients at once while a load runs.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readBuiltinCatalogue } from '../src/services/analytics-catalogue.ts'
import { createDuckdbWarehouse } from '../src/warehouse/duckdb.ts'
import { generate } from './etl/generate.ts'
import { startService } from './etl/service.ts'
import { figure, percentile } from './figures.ts'
import { requestRates } from './request-rates.ts'

const { values } = parseArgs({ options: { plays: { type: 'string', default: '10000000' } } })
const plays = Number(values.plays)
/** Each query is asked so often, here and straight in the engine. */
const TURNS = 7
const directory = mkdtempSync(join(tmpdir(), 'sparkify-bench-analytics-'))
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
const [sources, data] = [join(directory, 'sources'), join(directory, 'var')]
const catalogue = readBuiltinCatalogue()

// Six of seven events are plays.
generate(sources, { events: Math.ceil((plays * 7) / 6), songs: 20_000 })
let service = await startService(sources, data)
const loaded = await service.load()
figure('plays', plays, `(loaded in ${Math.round(loaded.seconds)} s)`)

/** Seconds for the whole answer. */
async function ask(query: string, headers: Record<string, string> = {}): Promise<number> {
  const began = performance.now()
  const response = await service.fetch(`/v1/analytics/${query}/results`, headers)
  await response.arrayBuffer()
  if (response.status !== 200) throw new Error(`${query}: ${response.status}`)
  return (performance.now() - began) / 1000
}

const first = new Map<string, number>()
for (const { query } of catalogue) first.set(query, await ask(query))
// Opened anew on both sides: what a process has loaded itself, the engine reads more slowly until then.
await service.stop()
service = await startService(sources, data, { isSetUp: true })
// The cache is not asked: what the service adds to the engine's work, with the best turn on both sides.
const anew = new Map<string, number>()
for (const { query } of catalogue) {
  const times: number[] = []
  for (let turn = 0; turn < TURNS; turn += 1) times.push(await ask(query, { 'cache-control': 'no-cache' }))
  anew.set(query, Math.min(...times))
}
const repeated = new Map<string, number>()
for (const { query } of catalogue) repeated.set(query, await ask(query))

const path = '/v1/analytics/plays-by-hour/results'
const answer = await service.fetch(path)
const body = await answer.text()
const bodyFile = join(directory, 'answer.json')
writeFileSync(bodyFile, body)
const bare = spawn(process.execPath, [new URL('bare-answer.ts', import.meta.url).pathname, bodyFile], {
  stdio: ['ignore', 'pipe', 'inherit']
})
const bareUrl = String(await new Promise((resolve) => bare.stdout.once('data', resolve))).trim()
const etag = String(answer.headers.get('etag'))
const [bareRate, keptRate, knownRate] = (await requestRates([
  { url: bareUrl },
  { url: service.url + path, headers: service.headers },
  { url: service.url + path, headers: { ...service.headers, 'if-none-match': etag }, status: 304 }
])) as [number, number, number]
bare.kill()
figure('a bare route', bareRate, '/s')
figure('a kept answer, 200', keptRate, '/s')
figure('  of a bare route', keptRate / bareRate, 'x', '>= 0.8')
figure('a known answer, 304', knownRate, '/s')
figure('  of a bare route', knownRate / bareRate, 'x', '>= 0.8')

// Everybody asks something else, while another day is loaded.
generate(sources, { events: 200_000, songs: 0, first: Math.ceil((plays * 7) / 6) })
const times: number[] = []
let isLoading = true
const loading = service.load().finally(() => {
  isLoading = false
})
await Promise.all(
  Array.from({ length: 200 }, async (_, client) => {
    for (let turn = 0; isLoading || turn < 2; turn += 1) {
      const { query } = catalogue[(client + turn) % catalogue.length] as (typeof catalogue)[number]
      const began = performance.now()
      const response = await service.fetch(`/v1/analytics/${query}/results`)
      await response.arrayBuffer()
      if (response.status !== 200) throw new Error(`${query}: ${response.status}`)
      times.push(performance.now() - began)
    }
  })
)
await loading
figure('200 clients during a load: answers', times.length, '')
figure('  p50', percentile(times, 0.5), 'ms')
figure('  p99', percentile(times, 0.99), 'ms')
await service.stop()

// The same file, opened by this process alone.
const warehouse = createDuckdbWarehouse({
  path: join(data, 'warehouse', 'sparkify.duckdb'),
  tempDirectory: join(directory, 'tmp')
})
for (const { query, statement, parameters } of catalogue) {
  const params = Object.fromEntries(parameters.map(({ name, default: preset }) => [name, preset]))
  const times: number[] = []
  for (let turn = 0; turn < TURNS; turn += 1) {
    const began = performance.now()
    await warehouse.run(statement, params)
    times.push((performance.now() - began) / 1000)
  }
  figure(query, first.get(query) ?? Number.NaN, 's', '<= 1')
  const straight = Math.min(...times)
  figure('  straight in the engine', straight, 's')
  figure('  asked anew / straight', (anew.get(query) ?? Number.NaN) / straight, 'x', '<= 1.2')
  figure('  repeated', (repeated.get(query) ?? Number.NaN) * 1000, 'ms')
}
await warehouse.close()
