/**
 * npm run bench:etl -- [--events N] [--songs N] [--only peers,postgres,curve,increments,files] [--directory D]
 *
 * Loads through the API, against the scripts in bench/etl: what somebody would write who knows the engine, the best by
 * hand, and the usual pipeline on PostgreSQL. Every ratio is of figures of the same run.
 */
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { generate } from './etl/generate.ts'
import { measureCurve, measureIncrements } from './etl/growth.ts'
import { runSeedPipeline } from './etl/seed-pipeline.ts'
import { startService } from './etl/service.ts'
import { measureSmallFiles } from './etl/small-files.ts'
import { figure } from './figures.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '10000000' },
    songs: { type: 'string', default: '100000' },
    only: { type: 'string', default: 'peers,postgres,curve,increments,files' },
    directory: { type: 'string', default: tmpdir() }
  }
})
const size = { events: Number(values.events), songs: Number(values.songs) }
const parts = values.only.split(',')
const directory = mkdtempSync(join(values.directory, 'sparkify-bench-etl-'))
// The server of the peer runs as another user.
chmodSync(directory, 0o755)
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
process.once('SIGINT', () => process.exit(130))

/** Runs a script of bench/etl in a process of its own; undefined when the engine gives up. */
async function runScript(name: string, sources: string) {
  const database = join(directory, `${name}.duckdb`)
  const program = new URL('etl/script.ts', import.meta.url).pathname
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program, name, sources, database])
    return JSON.parse(stdout) as { seconds: number; peakMemory: number }
  } catch (error) {
    const text = String((error as { stderr?: string }).stderr)
    console.error(`${name}: ${/^.*Error.*$/m.exec(text)?.[0] ?? text}`)
    return undefined
  } finally {
    for (const suffix of ['', '.wal', '.tmp']) rmSync(database + suffix, { recursive: true, force: true })
  }
}

async function measurePeers() {
  const sources = join(directory, 'sources')
  const bytes = generate(sources, size)
  figure('events', size.events, `(${(bytes.events / 1e9).toFixed(2)} GB)`)
  figure('song files', size.songs, `(${(bytes.songs / 1e6).toFixed(1)} MB)`)
  const limit = await runScript('parse', sources)
  const service = await startService(sources, join(directory, 'var'))
  const ours = await service.load()
  const peak = service.peakMemory()
  await service.stop()
  const file = statSync(join(directory, 'var', 'warehouse', 'sparkify.duckdb'))
  rmSync(join(directory, 'var'), { recursive: true })
  if (ours.result.events.loaded !== size.events) throw new Error(JSON.stringify(ours.result))
  figure('ours', ours.seconds, 's')
  for (const [step, seconds] of Object.entries(ours.steps)) figure(`  ${step}`, seconds, 's')
  figure('ours, peak memory', peak, 'GiB', '<= 4')
  figure('ours, bytes of the warehouse per event', file.size / size.events, 'B')
  figure('ours, events per second', size.events / ours.seconds, '/s')
  if (limit) {
    figure('events read, typed and stored: the limit', limit.seconds, 's')
    figure('the limit', bytes.events / 1e6 / limit.seconds, 'MB/s')
    figure('staging / the limit', (ours.steps.stage ?? 0) / limit.seconds, 'x')
  }
  for (const [name, target] of [
    ['plain', '<= 0.7'],
    ['tuned', '<= 1.25']
  ] as const) {
    const peer = await runScript(name, sources)
    figure(`${name} script`, peer?.seconds ?? Number.NaN, 's')
    if (peer === undefined) continue
    figure(`${name} script, peak memory`, peer.peakMemory, 'GiB')
    figure(`ours / ${name} script`, ours.seconds / peer.seconds, 'x', target)
  }
  rmSync(sources, { recursive: true })
}

async function measurePostgres() {
  const sources = join(directory, 'million')
  generate(sources, { events: 1_000_000, songs: 100 })
  const seconds = await runSeedPipeline(sources)
  const service = await startService(sources, join(directory, 'million-var'))
  const ours = await service.load()
  await service.stop()
  figure('the usual pipeline on PostgreSQL, 1 million events', seconds, 's')
  figure('ours, 1 million events', ours.seconds, 's')
  figure('the usual pipeline / ours', seconds / ours.seconds, 'x', '>= 4')
  for (const each of ['million', 'million-var']) rmSync(join(directory, each), { recursive: true })
}

if (parts.includes('peers')) await measurePeers()
if (parts.includes('postgres')) await measurePostgres()
if (parts.includes('curve')) await measureCurve(directory, [1e6, 2e6, 5e6, 10e6])
if (parts.includes('files')) await measureSmallFiles(directory, [100_000, 1_000_000])
if (parts.includes('increments')) await measureIncrements(directory, [1e6, 10e6, 50e6])
