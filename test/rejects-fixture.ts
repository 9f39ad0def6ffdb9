/** Loads with rejects, through HTTP: what they must leave behind whether they fail or pass. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Test } from 'tap'
import type { Job } from '../src/schemas/jobs.ts'
import type { Load, LoadedObject, RejectRecord } from '../src/schemas/loads.ts'
import { writeFiles } from './files.ts'
import type { TestService } from './helper.ts'
import { type Json, lines, song } from './records.ts'

type Files = Record<string, string | Buffer>

/** Sources of one test: directories of their own below the service's. */
export interface Sources {
  urlOf(name: string): string
  write(files: Files): void
  load(params?: Json): Promise<Outcome>
}

export interface Outcome {
  job: Job
  rejects: RejectRecord[]
  /** What was published, if anything was. */
  load?: Load
  objects: LoadedObject[]
}

export function sourcesOf(service: TestService, name: string): Sources {
  const song_data = join(service.config.SONG_DATA, name)
  const log_data = join(service.config.LOG_DATA, name)
  for (const directory of [song_data, log_data]) mkdirSync(directory)
  // Where the test is about the other source.
  writeFiles(song_data, { 'one.json': lines(song({ song_id: name })) })
  writeFiles(log_data, { 'none.json': '' })
  const pathOf = (file: string) => join(file.startsWith('song') ? song_data : log_data, file)
  const items = async (url: string) => (await service.request('GET', url)).body.items
  return {
    urlOf: (file) => pathToFileURL(pathOf(file)).href,
    write: (files) => {
      for (const [file, content] of Object.entries(files)) writeFiles('/', { [pathOf(file)]: content })
    },
    async load(params) {
      const { body: job } = await service.request('POST', '/v1/jobs', {
        headers: { prefer: 'wait=60' },
        body: { type: 'etl', song_data, log_data, ...params }
      })
      const rejects = await items(`/v1/rejects?job_id=${job.id}&limit=200`)
      if (job.status !== 'succeeded') return { job, rejects, objects: [] }
      const id = job.result.load_id
      const load = (await service.request('GET', `/v1/loads/${id}`)).body
      return { job, rejects, load, objects: await items(`/v1/loads/${id}/objects?limit=200`) }
    }
  }
}

/** What is published at all: a failed load must not change it. */
async function published(service: TestService): Promise<unknown> {
  const { items } = (await service.request('GET', '/v1/tables')).body
  const counts = items.map((table: { name: string; row_count: number }) => [table.name, table.row_count])
  return counts.filter(([name]: [string]) => name !== 'rejects')
}

/** The load fails with one reject less than there are, leaving nothing but the rejects, and passes with as many. */
export async function failsThenPasses(
  t: Test,
  service: TestService,
  sources: Sources,
  count: number
): Promise<Outcome> {
  const before = await published(service)
  const failed = await sources.load({ max_rejects: count - 1 })
  t.equal(failed.job.status, 'failed')
  t.match(failed.job.error, {
    code: 'too_many_rejects',
    status: 422,
    detail: new RegExp(
      `^${count} records were rejected and max_rejects is ${count - 1}, .*job_id=${failed.job.id};`
    )
  })
  t.equal(failed.job.error?.errors?.length, Math.min(20, count))
  t.same(await published(service), before, 'nothing is published')
  t.equal(failed.rejects.length, count)
  t.ok(failed.rejects.every(({ load_id, job_id }) => load_id === null && job_id === failed.job.id))

  const passed = await sources.load({ max_rejects: count })
  t.equal(passed.job.status, 'succeeded')
  const about = ({ id, job_id, load_id, rejected_at, ...reject }: RejectRecord) => reject
  t.same(passed.rejects.map(about), failed.rejects.map(about), 'the same rejects')
  t.ok(passed.rejects.every(({ load_id }) => load_id === passed.load?.id))
  addsUp(t, passed)
  return passed
}

/** read = loaded + duplicates + rejected, for each object and in total; rejects are where they are counted. */
function addsUp(t: Test, { load, objects, rejects }: Outcome) {
  for (const kind of ['events', 'songs'] as const) {
    const sum = { read: 0, loaded: 0, duplicates: 0, rejected: 0 }
    for (const { url, records } of objects.filter((object) => object.kind === kind)) {
      t.equal(records.read, records.loaded + records.duplicates + records.rejected, `${url} adds up`)
      t.equal(records.rejected, rejects.filter((reject) => reject.url === url).length)
      for (const name of ['read', 'loaded', 'duplicates', 'rejected'] as const) sum[name] += records[name]
    }
    t.same(load?.[kind], sum, `${kind} are the sum of their objects`)
  }
}

export const placeOf = ({ url, line_number, code, column, raw }: RejectRecord) => [
  url,
  line_number,
  code,
  column,
  raw
]

/** `base` as text with one value replaced by other JSON, or left out. */
export function lineWith(base: Json, key: string, json?: string): string {
  const { [key]: _, ...rest } = base
  const text = JSON.stringify(rest)
  return json === undefined ? text : `${text.slice(0, -1)},"${key}":${json}}`
}

export const text = (bytes: number) => JSON.stringify('x'.repeat(bytes))

/** Makes an object so large that the engine reads it itself, beside the small ones; it holds 10,000 lines. */
export const blankMegabyte = `${' '.repeat(99)}\n`.repeat(10_000)
