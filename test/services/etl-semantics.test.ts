/** What one load makes of its records: each rule and each trap of docs/data.md on data small enough to check by eye. */
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { loaded, openEtl } from '../etl-fixture.ts'
import { event, type Json, lines, song } from '../records.ts'

const at = (time: string) => Date.parse(time)

t.test('a play is a NextSong event of a user', async (t) => {
  const etl = await loaded(t, [
    event({ itemInSession: 0 }),
    event({ itemInSession: 1, page: 'Home', song: null, artist: null, length: null }),
    event({ itemInSession: 2, userId: '' }),
    event({ itemInSession: 3, userId: null }),
    event({ itemInSession: 4, userId: undefined }),
    event({ itemInSession: 5, page: 'nextsong' }),
    event({ itemInSession: 6, userId: 7, auth: 'Logged Out' }),
    event({ itemInSession: 7, userId: '0' })
  ])
  t.same(await etl.rows('select songplay_id, user_id from songplays order by songplay_id'), [
    [1, 1],
    [7, 7],
    [8, 0]
  ])
  t.same(
    await etl.rows('select count(*) from staging.events'),
    [[8]],
    'the raw layer has every event, whoever and whatever it is'
  )
  t.same(await etl.rows('select user_id from users order by user_id'), [[0], [1], [7]])
})

t.test('a play has the columns of its event', async (t) => {
  const etl = await loaded(t, [
    event({
      sessionId: 9,
      level: 'paid',
      userId: '39',
      location: 'Oslo',
      userAgent: '"Mozilla/5.0"',
      length: 200.25
    })
  ])
  t.same(await etl.rows('select * from songplays'), [
    [1, '2018-11-01T21:00:00.796Z', 39, 'paid', 'S1', 'A1', 9, 'Oslo', '"Mozilla/5.0"', 200.25]
  ])
  t.same(await etl.rows('select * from users'), [[39, 'Ida', 'Lie', 'F', 'paid']])
  t.same(await etl.rows('select * from songs'), [['S1', 'Alpha', 'A1', 2001, 200.5]])
  t.same(await etl.rows('select * from artists'), [['A1', 'Ann', null, null, null]])
  t.same(await etl.rows('select * from time'), [['2018-11-01T21:00:00.796Z', 21, 1, 44, 11, 2018, 4]])
})

t.test('the identity of an event is session, item, moment and user', async (t) => {
  const etl = await loaded(t, [
    event(),
    event(),
    event({ itemInSession: 1 }),
    event({ sessionId: 2 }),
    event({ ts: 1541106000797 }),
    event({ userId: '2' }),
    event({ userId: '' }),
    event({ userId: '' }),
    event({ itemInSession: 1 })
  ])
  const plays = 'select session_id, start_time, user_id from songplays order by songplay_id'
  t.same(
    await etl.rows(plays),
    [
      [1, '2018-11-01T21:00:00.796Z', 1],
      [1, '2018-11-01T21:00:00.796Z', 1],
      [2, '2018-11-01T21:00:00.796Z', 1],
      [1, '2018-11-01T21:00:00.797Z', 1],
      [1, '2018-11-01T21:00:00.796Z', 2]
    ],
    'two plays that differ in the item only are two, exact repetitions are one'
  )
  t.same(await etl.rows('select count(*), count(distinct event_id), count(userid) from staging.events'), [
    [6, 6, 5]
  ])
  t.same(
    await etl.rows('select start_time from time order by start_time'),
    [['2018-11-01T21:00:00.796Z'], ['2018-11-01T21:00:00.797Z']],
    'a moment is one row of the calendar, to the millisecond'
  )
  t.same(await etl.rows('select events_read, events_loaded, events_duplicates from ops.loads'), [[9, 6, 3]])
})

t.test('a user is as in the latest play, whatever the order of the lines', async (t) => {
  const play = (
    userId: number,
    ts: number,
    sessionId: number,
    itemInSession: number,
    level: string,
    more: Json = {}
  ) => event({ userId, ts, sessionId, itemInSession, level, ...more })
  const etl = await loaded(t, [
    // Ends free after paid; the lines are out of order.
    play(1, 30, 1, 2, 'free'),
    play(1, 10, 1, 0, 'free'),
    play(1, 20, 1, 1, 'paid'),
    // Ties at the last moment: the session decides, then the item, as numbers.
    play(2, 20, 10, 0, 'paid'),
    play(2, 20, 9, 9, 'free'),
    play(3, 20, 1, 2, 'free'),
    play(3, 20, 1, 10, 'paid'),
    // The moment counts before the session.
    play(4, 20, 1, 1, 'free'),
    play(4, 10, 2, 2, 'paid'),
    // An event that is no play changes nobody.
    play(5, 10, 1, 0, 'free'),
    play(5, 20, 1, 1, 'paid', { page: 'Home' }),
    // Name and location change, a value goes away.
    play(6, 10, 1, 0, 'free', { lastName: 'Moe', gender: 'M', location: 'Oslo' }),
    play(6, 20, 1, 1, 'free', { lastName: 'Lie', firstName: 'Eva', gender: null, location: 'Bergen' }),
    // Who never plays is no user.
    play(7, 10, 1, 0, 'paid', { page: 'Upgrade' })
  ])
  t.same(await etl.rows('select * from users order by user_id'), [
    [1, 'Ida', 'Lie', 'F', 'free'],
    [2, 'Ida', 'Lie', 'F', 'paid'],
    [3, 'Ida', 'Lie', 'F', 'paid'],
    [4, 'Ida', 'Lie', 'F', 'free'],
    [5, 'Ida', 'Lie', 'F', 'free'],
    [6, 'Eva', 'Lie', null, 'free']
  ])
  t.same(
    await etl.rows(
      'select level, location from songplays where user_id in (1, 6) order by user_id, start_time'
    ),
    [
      ['free', 'Oslo'],
      ['paid', 'Oslo'],
      ['free', 'Oslo'],
      ['free', 'Oslo'],
      ['free', 'Bergen']
    ],
    'a play keeps the level and the location of its own moment'
  )
})

t.test('the calendar at its edges: ISO weeks, Sunday is 0', async (t) => {
  const moments: Record<string, number[]> = {
    // hour, day, week, month, year, weekday
    '1970-01-01T00:00:00.000Z': [0, 1, 1, 1, 1970, 4],
    '2016-01-01T00:00:00.001Z': [0, 1, 53, 1, 2016, 5],
    '2018-11-03T23:59:59.999Z': [23, 3, 44, 11, 2018, 6],
    '2018-11-04T00:00:00.000Z': [0, 4, 44, 11, 2018, 0],
    '2018-11-05T00:00:00.000Z': [0, 5, 45, 11, 2018, 1],
    '2018-11-30T23:59:59.999Z': [23, 30, 48, 11, 2018, 5],
    '2018-12-01T00:00:00.000Z': [0, 1, 48, 12, 2018, 6],
    '2018-12-31T23:59:59.999Z': [23, 31, 1, 12, 2018, 1],
    '2019-01-01T00:00:00.000Z': [0, 1, 1, 1, 2019, 2],
    '2020-02-29T12:34:56.789Z': [12, 29, 9, 2, 2020, 6],
    '2020-12-31T23:00:00.000Z': [23, 31, 53, 12, 2020, 4],
    '2021-01-03T23:59:59.999Z': [23, 3, 53, 1, 2021, 0],
    '2038-01-19T03:14:08.000Z': [3, 19, 3, 1, 2038, 2],
    '9999-12-31T23:59:59.999Z': [23, 31, 52, 12, 9999, 5]
  }
  const etl = await loaded(
    t,
    Object.keys(moments).map((time) => event({ ts: at(time) }))
  )
  t.same(
    await etl.rows('select * from time order by start_time'),
    Object.entries(moments).map(([time, parts]) => [time, ...parts])
  )
  t.same(
    await etl.rows('select start_time from songplays order by start_time'),
    Object.keys(moments).map((time) => [time])
  )
})

t.test('empty strings mean null in three columns only; year 0 stays', async (t) => {
  const etl = await loaded(
    t,
    [
      event({
        userId: '8',
        location: '',
        firstName: '',
        lastName: '',
        level: '',
        userAgent: '',
        artist: '',
        song: ''
      })
    ],
    [song({ artist_location: '', title: '', year: 0 }), song({ song_id: 'S2', year: null })]
  )
  t.same(
    await etl.rows(
      'select location, firstname, lastname, level, useragent, artist, song, userid from staging.events'
    ),
    [[null, '', '', '', '', '', '', 8]]
  )
  t.same(await etl.rows('select location, level, user_agent from songplays'), [[null, '', '']])
  t.same(await etl.rows('select artist_location, title, year from staging.songs order by song_id'), [
    [null, '', 0],
    [null, 'Alpha', null]
  ])
  t.same(await etl.rows('select title, year from songs order by song_id'), [
    ['', 0],
    ['Alpha', null]
  ])
  t.same(await etl.rows('select location from artists'), [[null]])
})

t.test('the raw layer holds values as they came', async (t) => {
  const texts = {
    artist: '<a href="x">Ann</a>\t& "B\\ob"',
    song: "L'été — naïve \u0001\u001f\u2028 😀",
    // UTF-8 taken for Latin-1 twice: stored, not repaired.
    location: 'MalmÃ\u0083Â¶',
    userAgent: '"Mozilla/5.0 (Windows NT 6.1)"',
    firstName: ' Ida  ',
    level: 'null'
  }
  const etl = await openEtl(t)
  etl.write({
    'song_data/a.json': lines(
      song({ title: 112, artist_name: 4.6, duration: 152.92036, artist_latitude: -0.25 })
    ),
    'log_data/a.json': lines(event({ ...texts, unknown: { key: [1] } })).replace(
      '"registration":1540919166796',
      '"registration":1540919166796.0'
    )
  })
  await etl.load()
  t.same(
    await etl.rows(
      'select artist, song, location, useragent, firstname, level, registration from staging.events'
    ),
    [[...Object.values(texts), 1540919166796]]
  )
  t.same(await etl.rows('select title, artist_name, duration, artist_latitude from staging.songs'), [
    ['112', '4.6', 152.92036, -0.25]
  ])
})

t.test('objects in nested directories, plain and gzip, are loaded in the order of their names', async (t) => {
  const etl = await openEtl(t)
  etl.write({
    'song_data/A/A/1.json': JSON.stringify(song(), null, 2),
    'song_data/B/1.json.gz': gzipSync(lines(song({ song_id: 'S2' }))),
    'song_data/README.md': 'no data',
    'log_data/2018/11/2.json': lines(event({ itemInSession: 2 }), event({ itemInSession: 3 })),
    'log_data/2018/11/1.JSON.GZ': gzipSync(lines(event({ itemInSession: 1 })))
  })
  const { story } = await etl.load()
  t.match(story, ['1 files are no data and are ignored', '4 objects to load, 0 loaded before'])
  t.same(await etl.rows('select event_id, iteminsession from staging.events order by event_id'), [
    [1, 1],
    [2, 2],
    [3, 3]
  ])
  t.same(await etl.rows('select song_id from songs order by song_id'), [['S1'], ['S2']])
})
