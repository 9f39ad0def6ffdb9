/** The ETL job over a warehouse and sources of its own, without HTTP and without a job table. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { loadConfig } from '../src/config.ts'
import { createEtl } from '../src/services/etl.ts'
import type { JobContext } from '../src/services/job-handler.ts'
import { openLocalSource } from '../src/sources/local.ts'
import { parseSql } from '../src/sql.ts'
import { createDuckdbWarehouse, type DuckdbWarehouse } from '../src/warehouse/duckdb.ts'
import { tableDefinitions } from '../src/warehouse/table-definitions.ts'
import type { Value } from '../src/warehouse/warehouse.ts'
import { temporaryDirectory, writeFiles } from './files.ts'
import { type Json, lines, song } from './records.ts'

export interface LoadOptions {
  /** The job's id; a new one by default. */
  id?: string
  params?: Json
  signal?: AbortSignal
  onStep?: (name: string) => void
}

export interface LoadOutcome {
  result: Json
  /** Messages of the job's story. */
  story: string[]
}

export interface EtlFixture {
  warehouse: DuckdbWarehouse
  /** Holds `song_data`, `log_data` and the spool. */
  directory: string
  /** Writes files below the two sources: `song_data/...` and `log_data/...`. */
  write(files: Record<string, string | Buffer>): void
  /** Runs the job as the worker would. */
  load(options?: LoadOptions): Promise<LoadOutcome>
  /** The rows of a query as lists of values. */
  rows(query: string): Promise<Value[][]>
}

let jobs = 0

/** A job's context that records its story and nothing else. */
export function fakeContext(options: LoadOptions, story: string[]): JobContext {
  jobs += 1
  return {
    id: options.id ?? `job_${jobs}`,
    attempt: 1,
    params: { mode: 'incremental', max_rejects: 0, ...options.params },
    signal: options.signal ?? new AbortController().signal,
    step: async (name) => options.onStep?.(name),
    progress: () => {},
    event: async (_type, message) => void story.push(message)
  }
}

/** A warehouse with its tables, two empty sources, and the job between them; gone when the test ends. */
export async function openEtl(t: Test, options: { env?: Record<string, string> } = {}): Promise<EtlFixture> {
  const directory = temporaryDirectory(t)
  const [SONG_DATA, LOG_DATA] = [join(directory, 'song_data'), join(directory, 'log_data')]
  for (const source of [SONG_DATA, LOG_DATA]) mkdirSync(source)
  const warehouse = createDuckdbWarehouse({
    path: join(directory, 'test.duckdb'),
    tempDirectory: join(directory, 'temp')
  })
  t.teardown(() => warehouse.close())
  await warehouse.create()
  await warehouse.write(async (session) => {
    for (const { create } of tableDefinitions) await session.run(create)
  })
  const config = { ...loadConfig({ ...options.env, DATA_DIR: directory }), SONG_DATA, LOG_DATA }
  const openSource = (location: string) => openLocalSource(location, [directory])
  const { handler } = createEtl({
    warehouse,
    config,
    openSource,
    webhooks: { hosts: [], allowPrivate: false }
  })
  return {
    warehouse,
    directory,
    write: (files) => writeFiles(directory, files),
    async load(options = {}) {
      const story: string[] = []
      const result = (await handler.run(fakeContext(options, story))) as Json
      return { result, story }
    },
    async rows(query) {
      const { rows } = await warehouse.run(parseSql('test', query))
      return rows.map((row) => Object.values(row))
    }
  }
}

/** A warehouse after one load of these events and songs. */
export async function loaded(t: Test, events: Json[], songs: Json[] = [song()]): Promise<EtlFixture> {
  const etl = await openEtl(t)
  etl.write({ 'song_data/songs.json': lines(...songs), 'log_data/events.json': lines(...events) })
  await etl.load()
  return etl
}

/** The receipt of the latest load. */
export async function receipt(etl: EtlFixture): Promise<Json> {
  const [row] = await etl.rows(
    `select data_version, objects, objects_skipped, events_read, events_loaded, events_duplicates, songs_read,
      songs_loaded, songs_duplicates, receipt from ops.loads order by load_id desc limit 1`
  )
  const [data_version, objects, objects_skipped, ...counts] = row ?? []
  const { tables } = JSON.parse(String(counts.pop()))
  return {
    data_version,
    objects,
    objects_skipped,
    events: counts.slice(0, 3),
    songs: counts.slice(3),
    tables
  }
}
