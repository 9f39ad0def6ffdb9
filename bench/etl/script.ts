/**
 * Runs one of the SQL scripts beside it as a process of its own, as somebody would who has no service:
 * node bench/etl/script.ts NAME SOURCES DATABASE. Prints {"seconds", "peakMemory"} or fails as the engine does.
 */
import { createWriteStream, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { peakOf } from './service.ts'

const [name = '', sources = '', database = ''] = process.argv.slice(2)
const read = (file: string) => readFileSync(new URL(`${file}.sql`, import.meta.url), 'utf8')
const text = name === 'parse' ? read(name) : `${read(name)}\n${read('star')}`
const began = performance.now()

/** What the tuned script needs: opening a hundred thousand files from the engine takes its memory. */
async function concatenate(): Promise<string> {
  const path = join(database, '..', 'songs.ndjson')
  const files = globSync(join(sources, 'song_data', '**', '*.json'))
  async function* lines() {
    let batch: string[] = []
    for (const file of files) {
      batch.push(readFileSync(file, 'utf8'))
      if (batch.length < 1000) continue
      yield `${batch.join('\n')}\n`
      batch = []
    }
    yield batch.join('\n')
  }
  await pipeline(lines(), createWriteStream(path))
  return path
}

const songs = name === 'tuned' ? await concatenate() : join(sources, 'song_data', '**', '*.json')
const values: Record<string, string> = { events: join(sources, 'log_data', '*.json'), songs }
const filled = text.replace(/:'(\w+)'/g, (_, key: string) => `'${values[key] ?? ''}'`)

// A format that older engines do not read, and that is written faster: whoever tunes finds it.
const instance = await DuckDBInstance.create(database, { storage_compatibility_version: 'v1.4.0' })
const connection = await instance.connect()
await connection.run(filled)
await connection.run('checkpoint')
instance.closeSync()
const seconds = (performance.now() - began) / 1000
process.stdout.write(JSON.stringify({ seconds, peakMemory: peakOf(process.pid) }))
