/**
 * Small inputs that hold every trap of the real data and those that it never shows: three loads, one after the other.
 * What each record is for stands beside it.
 */
import { gzipSync } from 'node:zlib'
import { event, type Json, lines, song } from './records.ts'

const DAY = 86_400_000
const START = 1541106000796

let item = 0
/** A play of its own: nothing but what is given is like any other's. */
const play = (changes: Json = {}): Json => {
  item += 1
  return event({ sessionId: 100, itemInSession: item, ts: START + item * 1000, ...changes })
}

/** Text that was encoded as UTF-8 twice more. */
const encodedAgain = (text: string) =>
  Buffer.from(Buffer.from(text).toString('latin1'), 'utf8').toString('latin1')

const songs = [
  song(),
  // JSON numbers that are text.
  song({ song_id: 'S2', title: 112, artist_name: 4.6, artist_id: 'A2', artist_location: 90210, year: 0 }),
  // Two songs of one title and artist: the nearer in duration, then the smaller id.
  song({ song_id: 'S4', title: 'Twin', duration: 100, artist_id: 'A1' }),
  song({ song_id: 'S3', title: 'Twin', duration: 100, artist_id: 'A1' }),
  song({ song_id: 'S5', title: 'Twin', duration: 222.5, artist_id: 'A1' }),
  // One artist with several names and places: which one stays, and that matching looks at all of them.
  song({ song_id: 'S6', title: 'Gamma', artist_name: 'Ann & Bob', artist_location: 'Bergen', year: 2005 }),
  song({
    song_id: 'S7',
    title: 'Delta',
    artist_name: 'Ann!',
    artist_latitude: 59.91273,
    artist_longitude: 10.74609
  }),
  song({
    song_id: 'S8',
    title: 'Delta',
    artist_name: 'Ann?',
    artist_latitude: 60.39299,
    artist_longitude: 5.32415,
    year: 1999
  }),
  // Trailing blanks, here and in the play.
  song({ song_id: 'S9', title: 'Blank  ', artist_name: 'Bob ', artist_id: 'A3' }),
  // No year, no place, no duration.
  song({
    song_id: 'S10',
    title: 'Nothing',
    artist_id: 'A4',
    artist_name: 'Nobody',
    artist_location: null,
    year: null,
    duration: null
  }),
  // Tabs, quotes, backslashes, HTML and characters beyond the basic plane.
  song({
    song_id: 'S11',
    title: 'Tab\there "quoted" \\back\\ \u0001',
    artist_id: 'A5',
    artist_name: 'O\'Neil <a href="x">y</a> 😀'
  }),
  song({
    song_id: 'S12',
    title: encodedAgain('Café'),
    artist_id: 'A6',
    artist_name: encodedAgain('Björk'),
    duration: 183.27465
  })
]

const firstDay = [
  // Logged out, and pages that are no plays.
  event({
    userId: '',
    page: 'Home',
    auth: 'Logged Out',
    song: null,
    artist: null,
    length: null,
    firstName: null,
    lastName: null,
    gender: null,
    location: null,
    userAgent: null,
    registration: null,
    sessionId: 99
  }),
  event({ userId: null, page: 'NextSong', sessionId: 98 }),
  event({ page: 'Logout', sessionId: 97, song: null, artist: null, length: null }),
  // Matches by title and artist name, whatever the length.
  play(),
  play({ song: 112, artist: 4.6, location: 90210 }),
  play({ song: 'Twin', length: 100 }),
  play({ song: 'Twin', length: 200 }),
  play({ song: 'Twin', length: null }),
  play({ song: 'Gamma', artist: 'Ann & Bob' }),
  play({ song: 'Gamma', artist: 'Ann' }),
  play({ song: 'Delta', artist: 'Ann?' }),
  play({ song: 'Blank', artist: 'Bob' }),
  play({ song: 'Blank    ', artist: 'Bob   ' }),
  play({ song: 'alpha' }),
  play({
    song: 'Tab\there "quoted" \\back\\ \u0001',
    artist: 'O\'Neil <a href="x">y</a> 😀',
    userAgent: '"Mozilla/5.0 (\\"x\\"; \t)"'
  }),
  play({
    song: encodedAgain('Café'),
    artist: encodedAgain('Björk'),
    length: 183.27465,
    location: encodedAgain('Æbelø')
  }),
  play({ song: '', artist: '' }),
  play({ song: 'Late', artist: 'Comer' }),
  play({ song: null, artist: null }),
  // The same moment for several users, and two plays that differ in itemInSession alone.
  play({ userId: '2', ts: START, firstName: 'Eva', sessionId: 2 }),
  play({ userId: '3', ts: START, firstName: 'Kai', gender: 'M', sessionId: 3 }),
  play({ userId: '3', ts: START, firstName: 'Kai', gender: 'M', sessionId: 3 }),
  // The latest play decides: by time, then session, then item.
  play({ userId: '4', level: 'paid', ts: START + DAY, sessionId: 4, lastName: 'First' }),
  play({ userId: '4', level: 'free', ts: START + DAY, sessionId: 5, lastName: 'Tie' }),
  play({ userId: '4', level: 'paid', ts: START, sessionId: 9, lastName: 'Earlier' }),
  // Written as floats, and empty.
  play({ registration: 1540919166796, length: 277.15873, location: '', userId: 5 })
]

const secondDay = [
  // Free after paid, with another name and place.
  play({ userId: '1', level: 'paid', ts: START + 2 * DAY }),
  play({ userId: '1', level: 'free', ts: START + 3 * DAY, lastName: 'Lie-Moe', location: 'Moss' }),
  // Edges of months, years and ISO weeks; before the epoch of nothing: 1970 and far away.
  play({ ts: 1541030399999 }),
  play({ ts: 1541030400000 }),
  play({ ts: 1546300799999 }),
  play({ ts: 1546300800000 }),
  play({ ts: 1609459200000 }),
  play({ ts: 1582934400796 }),
  play({ ts: 0, userId: '6' }),
  play({ ts: 253402300799999, userId: '6' }),
  // Older than what is known of the user.
  play({ userId: '4', level: 'paid', ts: START - DAY, sessionId: 10, lastName: 'Late news' })
]

const duplicates = [firstDay[3], firstDay[19], firstDay[20]] as Json[]
const conflict = { ...(firstDay[5] as Json), length: 101 }

const raw = (text: string) => text
const registrationAsFloat = (text: string) =>
  text.replaceAll('"registration":1540919166796', '"registration":1540919166796.0')

export type Files = Record<string, string | Buffer>

/** Each load's files; those of the loads before it stay where they are. */
export const trapLoads: { files: Files; params: Json }[] = [
  {
    files: {
      'song_data/A/a.json': lines(...songs.slice(0, 5)),
      ...Object.fromEntries(songs.slice(5).map((each, index) => [`song_data/B/${index}.json`, lines(each)])),
      'log_data/2018/11/2018-11-01-events.json': registrationAsFloat(
        lines(...firstDay, ...duplicates.slice(0, 1))
      ),
      'log_data/2018/11/README.md': 'no data'
    },
    params: {}
  },
  {
    files: {
      // A day that grew, a day in gzip, and songs that come after their plays or correct others.
      'log_data/2018/11/2018-11-01-events.json': registrationAsFloat(
        lines(...firstDay, ...duplicates, ...secondDay.slice(0, 2))
      ),
      'log_data/2018/11/2018-11-02-events.json.gz': gzipSync(lines(...secondDay)),
      'song_data/C/late.json': lines(
        song({ song_id: 'S13', title: 'Late', artist_name: 'Comer', artist_id: 'A7' })
      ),
      'song_data/C/corrected.json': lines(
        song({ title: 'Alpha', duration: 201, year: 2002, artist_location: 'Oslo' })
      )
    },
    params: {}
  },
  {
    files: {
      'log_data/2018/11/2018-11-03-conflict.json': lines(conflict),
      'log_data/2018/11/2018-11-03-events.json': [
        lines(play({ ts: START + 4 * DAY })),
        raw('{"artist": "cut off'),
        raw('[1, 2]'),
        lines(play({ ts: 'yesterday' })),
        lines(play({ sessionId: null })),
        lines(play({ ts: -1 })),
        lines(play({ page: '' })),
        lines(play({ song: 'a\0b' })),
        lines(play({ song: 'x'.repeat(5000) })),
        '',
        lines(play({ ts: START + 5 * DAY, userId: '7', song: 'Late', artist: 'Comer' })).slice(0, -20)
      ].join('\n'),
      'song_data/D/wrong.json': lines(song({ song_id: '' }))
    },
    params: { max_rejects: 20 }
  }
]
