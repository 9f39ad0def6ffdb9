/**
 * A slice of the real data, with results that were computed without this project: `../shared/real-data`. It carries no
 * licence, so it is read where it lies and never copied into the repository.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { parseSql } from '../src/sql.ts'
import { tableDefinitions } from '../src/warehouse/table-definitions.ts'
import type { Value } from '../src/warehouse/warehouse.ts'
import { temporaryDirectory, writeFiles } from './files.ts'
import { build, type TestService } from './helper.ts'

const directory = resolve(import.meta.dirname, '../../shared/real-data')
const [song_data, log_data] = [join(directory, 'song_data'), join(directory, 'log_data')]
const read = () =>
  JSON.parse(readFileSync(join(directory, 'expected.json'), 'utf8')) as Record<string, unknown>

/** Set it to the seed that a run printed, to load the days in the same order again. */
const seed = Number(process.env.SHUFFLE_SEED ?? Date.now() % 2 ** 31)

async function rowsOf(service: TestService, query: string): Promise<Value[][]> {
  const { rows } = await service.parts.warehouse.run(parseSql('test', query))
  return rows.map((row) => Object.values(row))
}

/** Every figure of expected.json, under its name there. */
async function figures(service: TestService): Promise<Record<string, unknown>> {
  const rows = (query: string) => rowsOf(service, query)
  const one = async (query: string) => (await rows(query))[0]?.[0]
  const byName = async (query: string) => Object.fromEntries(await rows(query))
  const answer = async (query: string) => {
    const { body } = await service.request('GET', `/v1/analytics/${query}/results?year=2018&limit=5`)
    return body.rows as Record<string, Value>[]
  }
  const found: Record<string, unknown> = {
    'analytics.songplays with song_id': await one('select count(song_id) from songplays'),
    'users by level': await byName('select level, count(*) from users group by level'),
    'users by gender': await byName('select gender, count(*) from users group by gender'),
    'plays by level': await byName('select level, count(*) from songplays group by level'),
    'plays by hour': (
      await rows('select count(*) from songplays natural join time group by hour order by hour')
    ).flat(),
    'plays by weekday (0 = Sunday)': (
      await rows('select count(*) from songplays natural join time group by weekday order by weekday')
    ).flat(),
    'plays by ISO week': await byName('select week, count(*) from songplays natural join time group by week'),
    'sessions with plays': await one('select count(distinct session_id) from songplays'),
    'top songs 2018 (title, artist, plays)': (await answer('top-songs')).map(({ title, name, plays }) => [
      ...[title, name, plays]
    ]),
    'top artists 2018 by artist_id': (await answer('top-artists')).map(({ artist_id, plays }) => [
      artist_id,
      plays
    ]),
    'top locations': await rows(
      'select location, count(*) from songplays group by location order by count(*) desc, location limit 5'
    ),
    'seconds played by level (sum of event length)': await byName(
      'select level, round(sum(duration), 5) from songplays group by level'
    )
  }
  const { body } = await service.request('GET', '/v1/tables')
  for (const { schema, name, row_count } of body.items) {
    if (schema !== 'ops') found[`${schema}.${name}`] = row_count
  }
  return found
}

/** The rows of the star, without the surrogate key. */
async function starOf(service: TestService): Promise<Record<string, Value[][]>> {
  const star: Record<string, Value[][]> = {}
  for (const { schema, name, columns } of tableDefinitions) {
    const shown = columns.map((column) => column.name).filter((column) => column !== 'songplay_id')
    if (schema === 'analytics')
      star[name] = await rowsOf(service, `select ${shown.join()} from analytics.${name} order by all`)
  }
  return star
}

async function load(t: Test, service: TestService, params: object) {
  const { body: job } = await service.request('POST', '/v1/jobs', {
    headers: { prefer: 'wait=60' },
    body: { type: 'etl', ...params }
  })
  t.equal(job.status, 'succeeded', JSON.stringify(job.error))
  return (await service.request('GET', `/v1/loads/${job.result.load_id}`)).body
}

function shuffled<Item>(items: Item[]): Item[] {
  let state = seed
  const random = () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  const keyed = items.map((item) => ({ item, key: random() }))
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item)
}

t.test('the real data', async (t) => {
  if (!existsSync(directory)) return t.plan(0, `${directory} is not on this machine`)
  const expected = read()
  const service = await build(t, { SONG_DATA: song_data, LOG_DATA: log_data })
  await service.prepareWarehouse()

  await t.test('every figure is as computed independently', async (t) => {
    const receipt = await load(t, service, {})
    t.match(receipt, {
      ...{ data_version: 1, objects: 1722 },
      events: { read: 1882, loaded: 1882, duplicates: 0, rejected: 0 },
      songs: { read: 1712, loaded: 1712, duplicates: 0, rejected: 0 }
    })
    const found = await figures(service)
    t.same(Object.keys(found).sort(), Object.keys(expected).sort(), 'every figure is compared')
    for (const [name, value] of Object.entries(expected)) t.same(found[name], value, name)
  })

  const star = await starOf(service)

  await t.test('loading it again changes nothing and says so', async (t) => {
    const nothing = { read: 0, loaded: 0, duplicates: 0, rejected: 0 }
    t.match(await load(t, service, {}), {
      ...{ data_version: 1, objects: 0, objects_skipped: 1722, events: nothing, songs: nothing },
      tables: {
        'analytics.songplays': { inserted: 0, updated: 0, row_count: expected['analytics.songplays'] }
      }
    })
    t.same(await starOf(service), star)
    const receipt = await load(t, service, { mode: 'full' })
    t.match(receipt, { data_version: 2, objects: 1722, objects_skipped: 0 })
    t.same(await starOf(service), star, 'nor does a full load')
  })

  await t.test('day by day in a shuffled order, songs last, gives the same star', async (t) => {
    t.comment(`SHUFFLE_SEED=${seed}`)
    const copies = temporaryDirectory(t)
    const daily = await build(t, { SONG_DATA: join(copies, 'songs'), LOG_DATA: join(copies, 'logs') })
    await daily.prepareWarehouse()
    const songs = readdirSync(song_data, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.json')
    )
    const days = readdirSync(log_data, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.json')
    )
    t.equal(days.length, 10)
    const copy = (from: string, to: string, names: string[]) =>
      writeFiles(to, Object.fromEntries(names.map((name) => [name, readFileSync(join(from, name))])))
    const [early, late] = [songs.slice(0, 900), songs.slice(900)]
    copy(song_data, join(copies, 'songs'), early)
    for (const day of shuffled(days)) {
      copy(log_data, join(copies, 'logs'), [day])
      const { events } = await load(t, daily, {})
      t.equal(events.read, events.loaded, basename(day))
    }
    t.not(
      (await figures(daily))['analytics.songplays with song_id'],
      expected['analytics.songplays with song_id']
    )
    copy(song_data, join(copies, 'songs'), late)
    t.match(await load(t, daily, {}), {
      songs: { read: late.length, loaded: late.length },
      events: { read: 0 }
    })
    t.same(await starOf(daily), star)
  })
})
