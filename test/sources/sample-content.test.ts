import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { generateSample, type SampleSummary } from '../../src/sources/sample.ts'
import { temporaryDirectory } from '../files.ts'

interface Event {
  artist: string | null
  auth: string
  firstName: string | null
  gender: string | null
  itemInSession: number
  lastName: string | null
  length: number | null
  level: string
  location: string | null
  method: string
  page: string
  registration: number | null
  sessionId: number
  song: string | null
  status: number
  ts: number
  userAgent: string | null
  userId: string
}

interface Song {
  artist_id: string
  artist_latitude: number | null
  artist_location: string | number
  artist_longitude: number | null
  artist_name: string | number
  duration: number
  num_songs: number
  song_id: string
  title: string | number
  year: number
}

/** The bytes of every file below a directory, by path. */
function readAll(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
  const files = names.filter((name) => statSync(join(directory, name)).isFile())
  return new Map(files.map((name) => [name, readFileSync(join(directory, name), 'latin1')]))
}

const group = <Item>(items: Item[], keyOf: (item: Item) => string | number) => [
  ...Map.groupBy(items, keyOf).values()
]

const directory = join(temporaryDirectory(t), 'sample')
let summary: SampleSummary
let files: Map<string, string>
let lines: string[]
let events: Event[]
let plays: Event[]
let songs: Song[]

t.before(async () => {
  summary = await generateSample({ directory })
  files = readAll(directory)
  const logs = [...files].filter(([name]) => name.startsWith('log_data'))
  lines = logs.flatMap(([, content]) => content.split('\n'))
  events = lines.map((line) => JSON.parse(line))
  plays = events.filter((event) => event.page === 'NextSong')
  songs = [...files]
    .filter(([name]) => name.startsWith('song_data'))
    .map(([, content]) => JSON.parse(content))
})

t.test('the summary counts what is there', async (t) => {
  t.equal(summary.events, events.length)
  t.equal(summary.plays, plays.length)
  t.equal(summary.users, new Set(plays.map((play) => play.userId)).size)
  t.equal(summary.songs, songs.length)
  t.equal(summary.files, files.size)
  t.equal(
    summary.bytes,
    [...files.values()].reduce((sum, content) => sum + content.length, 0)
  )
  t.ok(events.length > 7_600 && events.length < 8_500, 'about 8,000 events')
  t.equal(summary.users, 96)
  t.equal(songs.length, 1_500)
  const artists = new Set(songs.map((song) => song.artist_id)).size
  t.ok(artists > 1_100 && artists < 1_300, 'about 1,200 artists')
})

t.test('the files are laid out as the real ones', async (t) => {
  for (const [name, content] of files) {
    const song = /^song_data\/([A-Z])\/([A-Z])\/([A-Z])\/TR\1\2\3[A-Z]{2}12[0-9A-F]{9}\.json$/
    if (!song.test(name)) t.match(name, /^log_data\/2018\/11\/2018-11-\d\d-events\.json$/)
    if (content.endsWith('\n')) t.fail(`${name} ends in a newline`)
    if (/[^\x20-\x7e\n]/.test(content)) t.fail(`${name} is not plain ASCII`)
    if (/(?<!\\)\//.test(content)) t.fail(`${name} has a slash that is not escaped`)
  }
  t.equal([...files.keys()].filter((name) => name.startsWith('log_data')).length, 30)
  t.equal(new Set(songs.map((song) => song.song_id)).size, songs.length)
  t.ok(songs.every((song) => /^SO[A-Z]{5}12A[0-9A-F]{8}$/.test(song.song_id)))
  t.ok(songs.every((song) => /^AR[A-Z0-9]{5}[0-9A-F]{4}[0-9A-F]{7}$/.test(song.artist_id)))
})

t.test('lines have the real keys in the real order', async (t) => {
  const event =
    'artist,auth,firstName,gender,itemInSession,lastName,length,level,location,method,page,registration,' +
    'sessionId,song,status,ts,userAgent,userId'
  const song =
    'artist_id,artist_latitude,artist_location,artist_longitude,artist_name,duration,num_songs,song_id,title,year'
  t.same([...new Set(events.map((each) => Object.keys(each).join()))], [event])
  t.same([...new Set(songs.map((each) => Object.keys(each).join()))], [song])
  t.ok(lines.every((line) => /"registration":(null|\d{13}\.0),/.test(line)))
  t.ok(lines.every((line) => /"length":(null|\d+\.\d+),/.test(line)))
  t.ok(songs.every((each) => each.duration > 0 && !Number.isInteger(each.duration)))
})

t.test('every event is one of its own, on its day, in the order of time', async (t) => {
  const identities = events.map((event) =>
    [event.sessionId, event.itemInSession, event.ts, event.userId].join()
  )
  t.equal(new Set(identities).size, events.length)
  for (const [name, content] of files) {
    if (!name.startsWith('log_data')) continue
    const times = content.split('\n').map((line) => (JSON.parse(line) as Event).ts)
    t.ok(times.every((ts) => name.includes(new Date(ts).toISOString().slice(0, 10))))
    t.same(
      times,
      times.toSorted((a, b) => a - b)
    )
  }
  const sessions = group(events, (event) => event.sessionId)
  t.same(
    sessions.filter((session) => session.some((event, index) => event.itemInSession !== index)),
    []
  )
  const usersOf = (session: Event[]) =>
    new Set(session.map((event) => event.userId).filter((id) => id !== ''))
  t.same(
    sessions.filter((session) => usersOf(session).size > 1),
    []
  )
})

t.test('listening has the rhythm and the mix of the real month', async (t) => {
  const share = (count: number, of: number) => count / of
  t.ok(Math.abs(share(plays.length, events.length) - 0.85) < 0.03)
  const hours = Map.groupBy(plays, (play) => new Date(play.ts).getUTCHours())
  t.ok((hours.get(16)?.length ?? 0) > 4 * (hours.get(3)?.length ?? 0), 'busy afternoons, quiet nights')
  const weekdays = Map.groupBy(plays, (play) => new Date(play.ts).getUTCDay())
  t.ok((weekdays.get(5)?.length ?? 0) > 1.3 * (weekdays.get(6)?.length ?? 0), 'Fridays over Saturdays')
  t.same(
    [...new Set(events.map((event) => event.page))].sort(),
    [
      'About',
      'Downgrade',
      'Error',
      'Help',
      'Home',
      'Login',
      'Logout',
      'NextSong',
      'Save Settings',
      'Settings',
      'Submit Downgrade',
      'Submit Upgrade',
      'Upgrade'
    ].sort()
  )
})

t.test('a third of the plays or more match the catalogue, and the charts have favourites', async (t) => {
  const key = (title: unknown, artist: unknown) => `${String(title).trimEnd()}\n${String(artist).trimEnd()}`
  const catalogue = Map.groupBy(songs, (song) => key(song.title, song.artist_name))
  const matched = plays.filter((play) => catalogue.has(key(play.song, play.artist)))
  const share = matched.length / plays.length
  t.ok(share > 0.3 && share < 0.4, `${share} of the plays match`)
  const exact = matched.filter((play) =>
    catalogue.get(key(play.song, play.artist))?.some((song) => song.duration === play.length)
  )
  t.ok(
    exact.length > 0.8 * matched.length && exact.length < matched.length,
    'most lengths are equal, not all'
  )
  const counts = group(matched, (play) => key(play.song, play.artist)).map((same) => same.length)
  const [first = 0, second = 0, ...rest] = counts.sort((a, b) => b - a)
  t.ok(first > second && second > 5 * (rest[100] ?? 0), 'a few favourites and a long tail')
  t.ok(counts.length > 500)
})

t.test('the traps of the events are in it', async (t) => {
  const some = (what: string, holds: (event: Event) => boolean, from = plays) => t.ok(from.some(holds), what)
  const nobody = events.filter((event) => event.userId === '')
  t.ok(nobody.length > 150 && nobody.every((event) => event.auth === 'Logged Out'))
  for (const field of ['firstName', 'lastName', 'gender', 'location', 'registration', 'userAgent'] as const) {
    t.ok(nobody.every((event) => event[field] === null))
  }
  t.ok(
    events.every((event) => typeof event.userId === 'string'),
    'userId is text'
  )
  t.ok(
    events.every((event) => event.ts % 1000 === 796),
    'ts is in milliseconds'
  )
  t.ok(
    group(plays, (play) => play.ts).some((same) => new Set(same.map((play) => play.userId)).size > 1),
    'different users play at the same ts'
  )
  some('user agents in literal quotes', (play) => /^".*"$/.test(play.userAgent ?? ''))
  some('user agents without', (play) => /^Mozilla/.test(play.userAgent ?? ''))
  some('text in UTF-8 encoded twice more', (play) =>
    /\u00c3\u0083\u00c2[\u0080-\u00bf]/.test(`${play.artist}${play.song}`)
  )
  some('numeric titles', (play) => play.song === '47' || play.song === '7.5')
  some('numeric artists', (play) => play.artist === '606')
  some('control characters', (play) => play.song?.includes('\u0019') ?? false)
  some('tabs', (play) => play.song?.includes('\t') ?? false)
  some('quotes', (play) => play.song?.includes('"') ?? false)
  some('trailing blanks', (play) => play.song?.endsWith(' ') ?? false)
  some('long names', (play) => Buffer.byteLength(play.artist ?? '') > 177)
  some('sessions past midnight', (event) => event.itemInSession > 0 && new Date(event.ts).getUTCHours() === 0)
  const moves = group(plays, (play) => play.userId).map((own) =>
    [...new Set(own.map((play, index) => (play.level === own[index - 1]?.level ? '' : play.level)))].filter(
      (level) => level !== ''
    )
  )
  t.ok(
    moves.some((levels) => levels.join() === 'free,paid'),
    'some upgrade'
  )
  t.ok(
    moves.some((levels) => levels.join() === 'paid,free'),
    'some downgrade'
  )
})

t.test('the traps of the songs are in it', async (t) => {
  const some = (what: string, holds: (song: Song) => boolean) => t.ok(songs.some(holds), what)
  for (const field of ['title', 'artist_name', 'artist_location'] as const) {
    some(`${field} as a JSON number`, (song) => typeof song[field] === 'number')
  }
  some('year 0', (song) => song.year === 0)
  some('no location', (song) => song.artist_location === '')
  some('no coordinates', (song) => song.artist_latitude === null && song.artist_longitude === null)
  some('coordinates', (song) => song.artist_latitude !== null && song.artist_longitude !== null)
  some('HTML anchors', (song) => /<a href="/.test(String(song.artist_location)))
  some('tabs', (song) => String(song.artist_location).includes('\t'))
  some('control characters', (song) => String(song.title).includes('\u0019'))
  some('quotes', (song) => String(song.title).includes('"'))
  some('backslashes', (song) => String(song.title).includes('\\'))
  some('trailing blanks', (song) => String(song.title).endsWith(' '))
  some('text beyond ASCII', (song) => /[\u00e0-\u9fff]/.test(String(song.artist_name)))
  some('text that was damaged before', (song) => String(song.title).includes('\ufffd'))
  some('long names', (song) => Buffer.byteLength(String(song.artist_name)) > 177)
  const variants = (field: keyof Song) =>
    group(songs, (song) => song.artist_id).some((own) => new Set(own.map((song) => song[field])).size > 1)
  for (const field of ['artist_name', 'artist_location', 'artist_latitude'] as const) {
    t.ok(variants(field), `one artist_id with several values of ${field}`)
  }
})

t.test(
  'some songs share title and artist name, and are told apart by duration, then by song_id',
  async (t) => {
    const shared = group(songs, (song) => `${song.title}\n${song.artist_name}`).filter(
      (same) => same.length > 1
    )
    t.equal(shared.length, 3)
    t.ok(shared.some((same) => new Set(same.map((song) => song.duration)).size > 1))
    t.ok(shared.some((same) => new Set(same.map((song) => song.duration)).size === 1))
    t.ok(shared.some((same) => new Set(same.map((song) => song.artist_id)).size === 1))
    t.ok(shared.some((same) => new Set(same.map((song) => song.artist_id)).size > 1))
    for (const same of shared) {
      const played = plays.filter(
        (play) => play.song === same[0]?.title && play.artist === same[0]?.artist_name
      )
      for (const song of same) t.ok(played.some((play) => play.length === song.duration))
    }
  }
)
