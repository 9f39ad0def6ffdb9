/** What further loads make of what is there: late, corrected, repeated and grown input, full loads, second attempts. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { tableDefinitions } from '../../src/warehouse/table-definitions.ts'
import type { Value } from '../../src/warehouse/warehouse.ts'
import { type EtlFixture, openEtl, receipt } from '../etl-fixture.ts'
import { event, type Json, lines, song } from '../records.ts'

/** Every row of the tables of these schemas, by table; `except` leaves a column out. */
async function contents(
  etl: EtlFixture,
  schemas: string[],
  except?: string
): Promise<Record<string, Value[][]>> {
  const found: Record<string, Value[][]> = {}
  for (const { schema, name, columns } of tableDefinitions) {
    if (!schemas.includes(schema)) continue
    const shown = columns.map((column) => column.name).filter((column) => column !== except)
    found[name] = await etl.rows(`select ${shown.join(', ')} from ${schema}.${name} order by all`)
  }
  return found
}

t.test('a late load does not overwrite a newer level', async (t) => {
  const etl = await openEtl(t)
  const levels: [string, Value][] = []
  const load = async (name: string, play: Json) => {
    etl.write({ 'song_data/1.json': lines(song()), [`log_data/${name}.json`]: lines(event(play)) })
    await etl.load()
    const [[level] = []] = await etl.rows('select level from users')
    levels.push([name, level ?? null])
  }
  await load('a first', { ts: 20, sessionId: 5, itemInSession: 5, level: 'free' })
  await load('b earlier', { ts: 10, sessionId: 9, itemInSession: 9, level: 'paid' })
  await load('c tie, smaller session', { ts: 20, sessionId: 4, itemInSession: 9, level: 'paid' })
  await load('d tie, smaller item', { ts: 20, sessionId: 5, itemInSession: 4, level: 'paid' })
  await load('e tie, greater item', { ts: 20, sessionId: 5, itemInSession: 10, level: 'paid' })
  await load('f tie, greater session', { ts: 20, sessionId: 10, itemInSession: 0, level: 'trial' })
  await load('g later, no play', { ts: 40, sessionId: 1, itemInSession: 1, level: 'paid', page: 'Home' })
  await load('h later', { ts: 30, sessionId: 1, itemInSession: 0, level: 'free' })
  t.same(levels, [
    ['a first', 'free'],
    ['b earlier', 'free'],
    ['c tie, smaller session', 'free'],
    ['d tie, smaller item', 'free'],
    ['e tie, greater item', 'paid'],
    ['f tie, greater session', 'trial'],
    ['g later, no play', 'trial'],
    ['h later', 'free']
  ])
})

t.test('nothing new changes nothing and says so', async (t) => {
  const etl = await openEtl(t)
  etl.write({
    'song_data/1.json': lines(song()),
    'log_data/1.json': lines(event(), event({ itemInSession: 1 }))
  })
  await etl.load()
  const before = await contents(etl, ['staging', 'analytics'])
  const { result, story } = await etl.load()
  t.same(await contents(etl, ['staging', 'analytics']), before)
  t.same(result, {
    load_id: '2',
    data_version: 1,
    events: { read: 0, loaded: 0, duplicates: 0, rejected: 0 },
    songs: { read: 0, loaded: 0, duplicates: 0, rejected: 0 }
  })
  t.same(story, ['0 objects to load, 2 loaded before'])
  const unchanged = (row_count: number) => ({ inserted: 0, updated: 0, row_count })
  t.same(await receipt(etl), {
    ...{ data_version: 1, objects: 0, objects_skipped: 2, events: [0, 0, 0], songs: [0, 0, 0] },
    tables: {
      'analytics.songplays': unchanged(2),
      'analytics.users': unchanged(1),
      'analytics.songs': unchanged(1),
      'analytics.artists': unchanged(1),
      'analytics.time': unchanged(1)
    }
  })

  // The same content in other objects.
  etl.write({
    'song_data/2.json': lines(song()),
    'log_data/2.json': lines(event({ itemInSession: 1 }), event())
  })
  await etl.load()
  t.same(await contents(etl, ['staging', 'analytics']), before)
  t.match(await receipt(etl), {
    data_version: 1,
    objects: 2,
    objects_skipped: 2,
    events: [2, 0, 2],
    songs: [1, 0, 1]
  })
})

t.test('a file that grew is loaded again, and only what is new of it is kept', async (t) => {
  const etl = await openEtl(t)
  const path = join(etl.directory, 'log_data', '1.json')
  const [second, third] = [lines(event({ itemInSession: 1 })), lines(event({ itemInSession: 2 }))]
  etl.write({
    'song_data/1.json': lines(song()),
    'log_data/1.json': `${lines(event())}\n${second.slice(0, 50)}`
  })
  await t.rejects(etl.load(), { code: 'too_many_rejects' }, 'the last line is not complete yet')
  await etl.load({ params: { max_rejects: 1 } })
  t.match(await receipt(etl), { data_version: 1, events: [2, 1, 0] })
  appendFileSync(path, second.slice(50))
  await etl.load()
  t.match(await receipt(etl), { data_version: 2, objects: 1, objects_skipped: 1, events: [2, 1, 1] })
  appendFileSync(path, `\n${third}\n`)
  await etl.load()
  t.match(await receipt(etl), { data_version: 3, events: [3, 1, 2] })
  const loaded = 'select iteminsession, load_id from staging.events order by iteminsession'
  t.same(await etl.rows(loaded), [
    [0, 1],
    [1, 2],
    [2, 3]
  ])
  t.same(
    await etl.rows('select count(*), count(distinct etag), count(distinct url) from ops.loaded_objects'),
    [[4, 4, 2]]
  )
})

t.test('a full load replaces everything in one go', async (t) => {
  const etl = await openEtl(t)
  etl.write({
    'song_data/1.json': lines(song(), song({ song_id: 'S2', title: 'Beta', artist_id: 'A2' })),
    'log_data/1.json': lines(event(), event({ itemInSession: 1, song: 'Beta', ts: 1541106000797 })),
    'log_data/2.json': lines(event({ userId: '2' })),
    'other_songs/1.json': lines(song({ song_id: 'S3' })),
    'other_log/1.json': lines(event({ userId: '3' })),
    'bad_log/1.json': 'bad'
  })
  await etl.load()
  const full = (params: Json = {}) => etl.load({ params: { mode: 'full', ...params } })
  const other = { song_data: join(etl.directory, 'other_songs'), log_data: join(etl.directory, 'other_log') }

  const before = await contents(etl, ['analytics', 'staging'], 'load_id')
  await full()
  t.same(
    await contents(etl, ['analytics', 'staging'], 'load_id'),
    before,
    'unchanged data give the same rows'
  )
  t.match(await receipt(etl), {
    data_version: 2,
    objects: 3,
    objects_skipped: 0,
    events: [3, 3, 0],
    songs: [2, 2, 0]
  })

  await t.rejects(full({ log_data: join(etl.directory, 'bad_log') }), { code: 'too_many_rejects' })
  t.same(
    await contents(etl, ['analytics', 'staging'], 'load_id'),
    before,
    'a full load that fails replaces nothing'
  )

  await full(other)
  t.same(await etl.rows('select user_id, song_id from songplays'), [[3, 'S3']])
  for (const table of ['users', 'songs', 'artists', 'time', 'staging.events', 'staging.songs']) {
    t.same(await etl.rows(`select count(*) from ${table}`), [[1]], table)
  }
  t.same(await etl.rows('select load_id, mode from ops.loads order by load_id'), [
    [1, 'incremental'],
    [2, 'full'],
    [3, 'full']
  ])
  t.same(await etl.rows('select distinct load_id from ops.loaded_objects'), [[3]])
  t.match(await receipt(etl), { data_version: 3, tables: { 'analytics.songplays': { row_count: 1 } } })

  await etl.load()
  t.match(await receipt(etl), { data_version: 4, objects: 3 }, 'what the full load left out is new again')
  t.same(await etl.rows('select count(*) from songplays'), [[4]])
})

t.test('a second attempt at a job that has committed loads nothing', async (t) => {
  const etl = await openEtl(t)
  etl.write({ 'song_data/1.json': lines(song()), 'log_data/1.json': lines(event()) })
  const first = await etl.load({ id: 'job_a' })
  etl.write({ 'log_data/2.json': lines(event({ itemInSession: 1 })) })
  const steps: string[] = []
  const again = await etl.load({ id: 'job_a', onStep: (name) => steps.push(name) })
  t.same(again.result, first.result)
  t.same(again.story, ['An earlier attempt had published the load; nothing is loaded again'])
  t.same(steps, ['discover'])
  t.same(await etl.rows('select job_id from ops.loads'), [['job_a']])
  t.same(await etl.rows('select count(*) from songplays'), [[1]])
  await etl.load({ id: 'job_b', params: { mode: 'full' } })
  await etl.load({ id: 'job_b', params: { mode: 'full' } })
  t.same(await etl.rows('select job_id from ops.loads order by load_id'), [['job_a'], ['job_b']])
})

t.test('the steps of a load, in order', async (t) => {
  const etl = await openEtl(t)
  etl.write({ 'song_data/1.json': lines(song()), 'log_data/1.json': lines(event()) })
  const steps: string[] = []
  await etl.load({ onStep: (name) => steps.push(name) })
  t.same(steps, ['discover', 'stage', 'transform', 'check', 'publish'])
})
