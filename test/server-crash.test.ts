/**
 * A load that is killed, at worst twice, or told to stop, and started again by the next process: the job tells
 * what happened, and the star is exactly as if nothing had.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import t from 'tap'
import type { Job, JobEvent } from '../src/schemas/jobs.ts'
import { temporaryDirectory, writeFiles } from './files.ts'
import { build } from './helper.ts'
import { until } from './jobs-fixture.ts'
import { event, lines, song } from './records.ts'
import { type RunningServer, startServer } from './server-fixture.ts'

const files = 4
const eventsPerFile = 15_000
const songs = 100
const total = files * eventsPerFile

/** Every fifth event is no play; half of the titles are songs that are known. */
const isPlay = (index: number) => index % 5 !== 0
const title = (index: number) => index % (2 * songs)
const isMatched = (index: number) => isPlay(index) && title(index) < songs
const count = (condition: (index: number) => boolean) =>
  Array.from({ length: total }, (_, index) => index).filter(condition).length

const makeEvent = (index: number) =>
  event({
    ...{
      page: isPlay(index) ? 'NextSong' : 'Home',
      song: `Title ${title(index)}`,
      artist: `Artist ${title(index) % 10}`
    },
    ...{ sessionId: Math.floor(index / 20), itemInSession: index % 20, userId: String(1 + (index % 1000)) },
    ts: 1541106000796 + index * 1000
  })
const makeSong = (number: number) =>
  song({
    ...{ song_id: `S${number}`, title: `Title ${number}` },
    ...{ artist_id: `A${number % 10}`, artist_name: `Artist ${number % 10}` }
  })

const expected = {
  'analytics.artists': 10,
  'analytics.songplays': count(isPlay),
  'analytics.songs': songs,
  'analytics.time': count(isPlay),
  'analytics.users': new Set(Array.from({ length: 1000 }, (_, index) => index).filter(isPlay)).size,
  'ops.load_lock': 0,
  'ops.loaded_objects': files + songs,
  'ops.rejects': 0,
  'staging.events': total,
  'staging.songs': songs
}

/** What is started for it lives until the last test has ended. */
const root = t
const directory = temporaryDirectory(t)
const sources = join(directory, 'sources')
const env = {
  DATA_DIR: directory,
  SONG_DATA: join(sources, 'song_data'),
  LOG_DATA: join(sources, 'log_data')
}

/** A data directory with cluster and tables, and files to load; returns a key for them. */
async function prepare(): Promise<string> {
  const service = await build(t, env)
  await service.prepareWarehouse()
  await service.app.close()
  await service.parts.close()
  for (let file = 0; file < files; file += 1) {
    const records = Array.from({ length: eventsPerFile }, (_, index) =>
      makeEvent(file * eventsPerFile + index)
    )
    writeFiles(env.LOG_DATA, { [`day-${file}.json`]: lines(...records) })
  }
  writeFiles(
    env.SONG_DATA,
    Object.fromEntries(
      Array.from({ length: songs }, (_, number) => [`s${number}.json`, lines(makeSong(number))])
    )
  )
  return service.keys.operate
}

const key = await prepare()
/** The process that brought the first load to its end. */
let survivor: RunningServer

/** Starts a load. */
async function startLoad(server: RunningServer, mode: 'incremental' | 'full'): Promise<string> {
  const { status, body } = await server.request('POST', '/v1/jobs', key, { body: { type: 'etl', mode } })
  if (status !== 202) throw new Error(JSON.stringify(body))
  return body.id
}

const getJob = async (server: RunningServer, id: string, wait = 0): Promise<Job> =>
  (await server.request('GET', `/v1/jobs/${id}`, key, { headers: { prefer: `wait=${wait}` } })).body

/** Waits until an attempt is in the midst of a step. */
async function untilStep(server: RunningServer, id: string, attempt: number, step: string) {
  for (;;) {
    const job = await getJob(server, id)
    if (job.attempt === attempt && job.progress?.step === step) return
    if (job.finished_at !== null) throw new Error(`the job was too fast: ${JSON.stringify(job)}`)
    await sleep(10)
  }
}

/** The job's story, steps apart, and the steps of each attempt. */
async function readStory(server: RunningServer, id: string) {
  const { body } = await server.request('GET', `/v1/jobs/${id}/events?limit=200`, key)
  const events: JobEvent[] = body.items
  const steps = Map.groupBy(
    events.filter(({ type, message }) => type === 'step' && / of 5\)$/.test(message)),
    ({ attempt }) => attempt
  )
  return {
    story: events.filter(({ type }) => type !== 'step').map(({ type, attempt }) => `${type} ${attempt}`),
    steps: Object.fromEntries(
      [...steps].map(([attempt, of]) => [attempt, of.map(({ message }) => message.split(' ')[0])])
    )
  }
}

async function countRows(server: RunningServer) {
  const { body } = await server.request('GET', '/v1/tables', key)
  const tables: { schema: string; name: string; row_count: number }[] = body.items
  return Object.fromEntries(tables.map(({ schema, name, row_count }) => [`${schema}.${name}`, row_count]))
}

const leftovers = () =>
  ['spool', 'tmp']
    .map((name) => join(directory, name))
    .filter((path) => existsSync(path))
    .flatMap((path) => readdirSync(path))

const allSteps = ['discover', 'stage', 'transform', 'check', 'publish']

t.test('killed while it stages, and killed while it transforms, a load is run to its end', async (t) => {
  const first = await startServer(t, env)
  const id = await startLoad(first, 'incremental')
  await untilStep(first, id, 1, 'stage')
  t.same(await first.stop('SIGKILL'), { code: null, signal: 'SIGKILL' })
  t.ok(existsSync(join(directory, 'spool', id)), 'it could not tidy up')

  const second = await startServer(t, env)
  await untilStep(second, id, 2, 'transform')
  t.same(await second.stop('SIGKILL'), { code: null, signal: 'SIGKILL' })

  const third = await startServer(root, env)
  survivor = third
  const job = await getJob(third, id, 60)
  t.match(job, {
    ...{ status: 'succeeded', attempt: 3, error: null, progress: { step: 'publish', percent: 100 } },
    result: {
      load_id: '1',
      events: { read: total, loaded: total, duplicates: 0, rejected: 0 },
      songs: { read: songs, loaded: songs, duplicates: 0, rejected: 0 }
    }
  })
  t.same(await readStory(third, id), {
    story: ['queued 0', 'started 1', 'lost 2', 'started 2', 'lost 3', 'started 3', 'succeeded 3'],
    steps: { 1: ['discover', 'stage'], 2: ['discover', 'stage', 'transform'], 3: allSteps }
  })
  t.same(await countRows(third), { ...expected, 'ops.loads': 1 })
  t.same(leftovers(), [])
})

t.test('told to stop, a load is handed back, and the next process runs it to its end', async (t) => {
  const first = survivor
  const id = await startLoad(first, 'full')
  await untilStep(first, id, 1, 'transform')
  const requests = () => first.output.stdout.split('"msg":"incoming request"').length
  const before = requests()
  const waiting = getJob(first, id, 60)
  await until(() => requests() > before)
  const began = performance.now()
  t.same(await first.stop('SIGTERM'), { code: 0, signal: null })
  t.ok(performance.now() - began < 10_000)
  t.match(await waiting, { id, finished_at: null }, 'who waited for it was answered')
  t.same(leftovers(), [])

  const second = await startServer(t, env)
  t.match(await getJob(second, id, 60), { status: 'succeeded', attempt: 2, result: { load_id: '2' } })
  t.same(await readStory(second, id), {
    story: ['queued 0', 'started 1', 'handed_back 1', 'started 2', 'succeeded 2'],
    steps: { 1: ['discover', 'stage', 'transform'], 2: allSteps }
  })
  t.same(await countRows(second), { ...expected, 'ops.loads': 2 })
  t.same(leftovers(), [])
  t.same(await second.stop('SIGTERM'), { code: 0, signal: null })
})

t.test('nothing was lost, and nothing is there twice', async (t) => {
  const instance = await DuckDBInstance.create(join(directory, 'warehouse', 'sparkify.duckdb'), {
    access_mode: 'READ_ONLY'
  })
  const connection = await instance.connect()
  t.teardown(() => {
    connection.closeSync()
    instance.closeSync()
  })
  const rows = await connection.runAndReadAll(`
    select count(distinct songplay_id), count(distinct start_time), count(song_id), count(distinct user_id)
    from analytics.songplays`)
  t.same(rows.getRows()[0]?.map(Number), [count(isPlay), count(isPlay), count(isMatched), 800])
  const wrong = await connection.runAndReadAll(`
    select count(*) from analytics.songplays as plays
    inner join staging.events as events on events.event_id = plays.songplay_id
    where coalesce(plays.song_id, '') <>
      case when cast(substr(events.song, 7) as integer) < ${songs} then 'S' || substr(events.song, 7) else '' end`)
  t.same(wrong.getRows()[0]?.map(Number), [0], 'every play has its song')
})
