/** Which song a play is of, and which row stands for an artist. */
import t, { type Test } from 'tap'
import type { Value } from '../../src/warehouse/warehouse.ts'
import { loaded, openEtl, receipt } from '../etl-fixture.ts'
import { event, type Json, lines, song } from '../records.ts'

/** The song that each of these plays matches, by the order of the plays. */
async function matches(t: Test, songs: Json[], plays: Json[]): Promise<Value[][]> {
  const events = plays.map((play, itemInSession) => event({ itemInSession, ...play }))
  const etl = await loaded(t, events, songs)
  return etl.rows('select song_id, artist_id from songplays order by songplay_id')
}

t.test('of several songs a play matches the nearest in length, then the smallest song_id', async (t) => {
  const songs = [
    song({ song_id: 'S2', artist_id: 'A2', duration: 200 }),
    song({ song_id: 'S1', artist_id: 'A1', duration: 210 }),
    song({ song_id: 'S3', artist_id: 'A3', duration: 190 }),
    song({ song_id: 'S0', artist_id: 'A0', duration: null })
  ]
  const lengths = [204, 206, 205, 195, 1000, 0]
  t.same(
    await matches(
      t,
      songs,
      lengths.map((length) => ({ length }))
    ),
    [
      ['S2', 'A2'],
      ['S1', 'A1'],
      ['S1', 'A1'],
      ['S2', 'A2'],
      ['S1', 'A1'],
      ['S3', 'A3']
    ]
  )
  t.same(
    await matches(t, songs, [{ length: null }]),
    [['S0', 'A0']],
    'without a length any of them is as near'
  )
  t.same(
    await matches(t, [song({ duration: null })], [{}]),
    [['S1', 'A1']],
    'a song without one is better than none'
  )
})

t.test('title and artist must be equal, trailing blanks apart', async (t) => {
  const songs = [
    song({ song_id: 'S1', title: 'Alpha', artist_name: 'Ann' }),
    song({ song_id: 'S2', title: 'Beta  ', artist_name: 'Bob ' }),
    song({ song_id: 'S3', title: 112, artist_name: 4.6 }),
    song({ song_id: 'S4', title: '', artist_name: 'Silent' })
  ]
  const [none, plays] = [
    [null, null],
    [
      { song: 'Alpha   ', artist: 'Ann ' },
      { song: 'Beta', artist: 'Bob' },
      { song: 'Beta   ', artist: 'Bob  ' },
      { song: '112', artist: '4.6' },
      { song: 112, artist: 4.6 },
      { song: '', artist: 'Silent' },
      { song: 'alpha', artist: 'Ann' },
      { song: ' Alpha', artist: 'Ann' },
      { song: 'Alpha\t', artist: 'Ann' },
      { song: 'Alpha', artist: 'Bob' },
      { song: 'Alpha', artist: null },
      { song: null, artist: 'Ann' }
    ]
  ]
  t.same(await matches(t, songs, plays), [
    ...[['S1'], ['S2'], ['S2'], ['S3'], ['S3'], ['S4']].map(([song_id]) => [song_id, 'A1']),
    ...[none, none, none, none, none, none]
  ])
})

t.test('a play matches the artist of the song, not the one row that is kept of an artist', async (t) => {
  const songs = [
    song({ song_id: 'S1', artist_name: 'Ann', artist_latitude: 1, artist_longitude: 2 }),
    song({ song_id: 'S2', artist_name: 'Ann feat. Bob', title: 'Duet' }),
    song({ song_id: 'S3', artist_name: 'Ann', artist_location: 'Oslo', title: 'Solo' })
  ]
  const plays = [{ song: 'Duet', artist: 'Ann feat. Bob' }, { song: 'Duet', artist: 'Ann' }, {}]
  t.same(
    await matches(t, songs, plays),
    [
      ['S2', 'A1'],
      [null, null],
      ['S1', 'A1']
    ],
    'once each, however many variants the artist has'
  )
})

t.test('of an artist the best documented variant is kept', async (t) => {
  let count = 0
  const variant = (artist_id: string, artist_name: string, more: Json = {}) => {
    count += 1
    return song({ song_id: `S${count}`, artist_id, artist_name, year: 2000, ...more })
  }
  const [coordinates, place] = [
    { artist_latitude: 59.9, artist_longitude: 10.7 },
    { artist_location: 'Oslo' }
  ]
  const etl = await loaded(
    t,
    [event({ page: 'Home' })],
    [
      variant('A1', 'place, later', { ...place, year: 2010 }),
      variant('A1', 'coordinates', coordinates),
      variant('A2', 'coordinates', { ...coordinates, year: 2010 }),
      variant('A2', 'coordinates and place', { ...coordinates, ...place }),
      variant('A3', 'nothing, later', { year: 2010 }),
      variant('A3', 'place', place),
      variant('A4', 'half coordinates', { artist_latitude: 59.9, year: 2010 }),
      variant('A4', 'place', place),
      variant('A5', 'earlier', { ...place, year: 1999 }),
      variant('A5', 'later', place),
      variant('A6', 'unknown year', { year: 0 }),
      variant('A6', 'early year', { year: 1960 }),
      variant('A7', 'no year', { song_id: 'Z2', year: null }),
      variant('A7', 'year 0', { song_id: 'Z1', year: 0 }),
      variant('A8', 'second', { song_id: 'Z4' }),
      variant('A8', 'first', { song_id: 'Z3' }),
      variant('A9', 'at zero', { artist_latitude: 0, artist_longitude: 0 }),
      variant('A9', 'place', place)
    ]
  )
  t.same(await etl.rows('select artist_id, name from artists order by artist_id'), [
    ['A1', 'coordinates'],
    ['A2', 'coordinates and place'],
    ['A3', 'place'],
    ['A4', 'place'],
    ['A5', 'later'],
    ['A6', 'early year'],
    ['A7', 'year 0'],
    ['A8', 'first'],
    ['A9', 'at zero']
  ])
  t.same(
    await etl.rows(
      "select location, latitude, longitude from artists where artist_id in ('A1', 'A2', 'A4') order by artist_id"
    ),
    [
      [null, 59.9, 10.7],
      ['Oslo', 59.9, 10.7],
      ['Oslo', null, null]
    ],
    'one variant as it is, nothing mixed'
  )
})

const plays = 'select session_id, song_id, artist_id from songplays order by start_time, session_id'

t.test('a song that arrives after its plays is matched to them then', async (t) => {
  const etl = await openEtl(t)
  etl.write({
    'song_data/1.json': lines(song({ title: 'Other', song_id: 'S0', artist_id: 'A0', artist_name: 'Other' })),
    'log_data/1.json': lines(
      event({ sessionId: 1 }),
      event({ sessionId: 2, song: 'Beta' }),
      event({ sessionId: 3, page: 'Home' })
    )
  })
  await etl.load()
  t.same(await etl.rows(plays), [
    [1, null, null],
    [2, null, null]
  ])
  etl.write({
    'song_data/2.json': lines(song({ song_id: 'S2', title: 'Alpha ', artist_id: 'A2', duration: 999 }))
  })
  await etl.load()
  t.same(await etl.rows(plays), [
    [1, 'S2', 'A2'],
    [2, null, null]
  ])
  t.match(await receipt(etl), {
    events: [0, 0, 0],
    songs: [1, 1, 0],
    tables: { 'analytics.songplays': { inserted: 0, updated: 1, row_count: 2 } }
  })

  etl.write({ 'song_data/3.json': lines(song({ song_id: 'S3', artist_id: 'A3', duration: 200.5 })) })
  await etl.load()
  t.same((await etl.rows(plays))[0], [1, 'S3', 'A3'], 'a nearer song takes the play over')
  etl.write({ 'song_data/4.json': lines(song({ song_id: 'S4', artist_id: 'A4', duration: 300 })) })
  await etl.load()
  t.same((await etl.rows(plays))[0], [1, 'S3', 'A3'], 'a farther one does not')
  t.match(await receipt(etl), {
    tables: { 'analytics.songplays': { inserted: 0, updated: 0, row_count: 2 } }
  })
})

t.test('a corrected song replaces its row, and its plays are matched again', async (t) => {
  const etl = await openEtl(t)
  let count = 0
  const correct = async (...changes: Json[]) => {
    count += 1
    etl.write({ [`song_data/${count}.json`]: lines(...changes.map(song)) })
    await etl.load()
    return [
      ...(await etl.rows(plays)),
      ...(await etl.rows('select artist_id, name from artists order by artist_id'))
    ]
  }
  etl.write({ 'log_data/1.json': lines(event()) })
  t.same(await correct({}), [
    [1, 'S1', 'A1'],
    ['A1', 'Ann']
  ])
  t.same(await correct({ artist_id: 'A9' }), [
    [1, 'S1', 'A9'],
    ['A9', 'Ann']
  ])
  t.same(await correct({ title: 'Alfa' }), [
    [1, null, null],
    ['A1', 'Ann']
  ])
  t.same(await correct({ artist_name: 'Anna' }), [
    [1, null, null],
    ['A1', 'Anna']
  ])
  t.same(await correct({ artist_id: 'A2' }), [
    [1, 'S1', 'A2'],
    ['A2', 'Ann']
  ])
  t.same(await correct({ song_id: 'S2', artist_id: 'A3', duration: 200 }), [
    [1, 'S1', 'A2'],
    ['A2', 'Ann'],
    ['A3', 'Ann']
  ])
  t.same(await correct({ artist_id: 'A2', duration: 100 }), [
    [1, 'S2', 'A3'],
    ['A2', 'Ann'],
    ['A3', 'Ann']
  ])
  t.same(await etl.rows('select song_id, duration from songs order by song_id'), [
    ['S1', 100],
    ['S2', 200]
  ])
  t.same(
    await correct(
      { song_id: 'S2', title: 'x' },
      { song_id: 'S2', title: 'y' },
      { song_id: 'S2', title: 'x' }
    ),
    [
      [1, 'S1', 'A2'],
      ['A1', 'Ann'],
      ['A2', 'Ann']
    ],
    'of several versions in one load the last one counts'
  )
  t.same(await etl.rows("select title from staging.songs where song_id = 'S2'"), [['x']])
  t.match(await receipt(etl), {
    songs: [3, 1, 2],
    tables: { 'analytics.songs': { inserted: 0, updated: 1, row_count: 2 } }
  })
  t.same(await etl.rows('select count(*) from songplays'), [[1]])
})
