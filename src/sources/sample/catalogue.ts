/** The songs of the sample: those in the catalogue, and those that are only ever heard. */
import { curiosities, strayPlays } from './curiosities.ts'
import { encodeTwiceMore, escapeJson, jsonText } from './json.ts'
import type { Random } from './random.ts'
import type { Song } from './song.ts'
import * as words from './words.ts'

/** What an event says of the song it plays; artist and title are JSON already. */
export interface Track {
  artist: string
  title: string
  length: number
}

export interface Catalogue {
  songs: Song[]
  /** The track ids of `songs`, which name their files. */
  trackIds: string[]
  /** The tracks of `songs`, in the same order: the most popular first. */
  tracks: Track[]
  /** Tracks that no song of the catalogue matches; the most popular first. */
  strays: Track[]
}

type Artist = Pick<
  Song,
  'artist_id' | 'artist_latitude' | 'artist_location' | 'artist_longitude' | 'artist_name'
>

/** Enough songs for every curiosity and some ordinary ones. */
export const fewestSongs = 40
const ordinaryAtTheTop = 10
// Beyond this the long tail only costs memory.
const mostStrays = 50_000

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** Invents `count` songs (at least `fewestSongs`) and twice as many tracks outside the catalogue. */
export function createCatalogue(random: Random, count: number): Catalogue {
  const names = createNames(random)
  const artists: Artist[] = []
  const songs: Song[] = []
  const tracks: Track[] = []
  const known = new Set<string>()
  const oddAt = placeCuriosities(count)
  for (let index = 0; index < count; index++) {
    const odd = oddAt.get(index)
    const artist = odd ? createArtist(random, names, index) : chooseArtist(random, names, artists, index)
    const song = { ...createSong(random, artist, index), ...odd?.song }
    // A second song of the same name would be an ambiguity that nobody chose.
    if (!odd && known.has(keyOf(song))) song.title = `${song.title} No. ${index}`
    known.add(keyOf(song))
    songs.push(song)
    tracks.push(toTrack(String(song.artist_name), odd?.heard ?? String(song.title), song.duration))
  }
  const strays = createStrays(random, names, artists, known, count)
  const trackIds = songs.map((_, index) => createTrackId(random, index, count))
  return { songs, trackIds, tracks, strays }
}

/** The content of a song's file. */
export function songLine(song: Song): string {
  return escapeJson(JSON.stringify(song))
}

/** As in the real data, letters 3 to 5 fill up from AAA, some twenty songs to each combination. */
function createTrackId(random: Random, index: number, count: number): string {
  const folder = index % Math.ceil(count / 22)
  const partition = [folder / 676, folder / 26, folder].map((part) => letters[Math.floor(part) % 26]).join('')
  return `TR${partition}${code(random, letters, 2)}${random.chance(0.75) ? '128F' : '1290'}${uniqueHex(index)}`
}

function placeCuriosities(count: number): Map<number, (typeof curiosities)[number]> {
  const step = Math.min(4, Math.floor((count - ordinaryAtTheTop) / curiosities.length))
  return new Map(curiosities.map((odd, index) => [ordinaryAtTheTop + index * step, odd]))
}

function createSong(random: Random, artist: Artist, index: number): Song {
  return {
    artist_id: artist.artist_id,
    artist_latitude: artist.artist_latitude,
    artist_location: artist.artist_location,
    artist_longitude: artist.artist_longitude,
    artist_name: artist.artist_name,
    duration: createDuration(random),
    num_songs: 1,
    song_id: `SO${code(random, letters, 5)}12A${random.pick(['6D', '8C', 'B0'])}${uniqueHex(index).slice(1)}`,
    title: createTitle(random),
    year: random.chance(0.33) ? 0 : 2010 - Math.floor(45 * random.next() * random.next())
  }
}

/** A new artist mostly; else one of before, now and then under another name or without the place. */
function chooseArtist(random: Random, names: () => string, artists: Artist[], index: number): Artist {
  if (artists.length === 0 || random.chance(0.79)) {
    const artist = createArtist(random, names, index)
    artists.push(artist)
    return artist
  }
  const artist = random.pick(artists)
  const variant = random.next()
  if (variant < 0.12) return { ...artist, artist_name: `${artist.artist_name} feat. ${personName(random)}` }
  if (variant > 0.88) {
    return { ...artist, artist_location: '', artist_latitude: null, artist_longitude: null }
  }
  return artist
}

function createArtist(random: Random, names: () => string, index: number): Artist {
  const [place, latitude, longitude] = random.pick(words.places)
  const located = random.chance(0.54)
  const mapped = located && random.chance(0.65)
  return {
    artist_id: `AR${code(random, `${letters}0123456789`, 5)}1187${uniqueHex(index)}`,
    artist_latitude: mapped ? latitude : null,
    artist_location: located ? place : '',
    artist_longitude: mapped ? longitude : null,
    artist_name: names()
  }
}

function createStrays(
  random: Random,
  names: () => string,
  artists: readonly Artist[],
  known: Set<string>,
  count: number
): Track[] {
  const strays = Array.from({ length: Math.min(2 * count, mostStrays) }, () => {
    let artist_name: string | number = names()
    if (random.chance(0.3)) artist_name = random.pick(artists).artist_name
    let title = createTitle(random)
    if (known.has(keyOf({ title, artist_name }))) title += ' (B-Side)'
    return toTrack(String(artist_name), title, createDuration(random))
  })
  const odd = strayPlays.map(([artist, title]) => toTrack(artist, title, createDuration(random)))
  strays.splice(ordinaryAtTheTop, 0, ...odd)
  return strays
}

function keyOf(song: Pick<Song, 'title' | 'artist_name'>): string {
  return `${song.title}\n${song.artist_name}`
}

function toTrack(artist: string, title: string, length: number): Track {
  return { artist: jsonText(encodeTwiceMore(artist)), title: jsonText(encodeTwiceMore(title)), length }
}

/** Seconds with up to five decimals, never whole: JSON.stringify would write those without a point. */
function createDuration(random: Random): number {
  const seconds = 90 + random.int(90) + random.int(90) + random.int(120)
  return (seconds * 100_000 + 1 + random.int(99_999)) / 100_000
}

function createTitle(random: Random): string {
  const noun = random.pick(random.chance(0.02) ? words.accented : words.nouns)
  const adjective = random.pick(words.adjectives)
  const title = random.pick([
    () => `${adjective} ${noun}`,
    () => `The ${noun} ${random.pick(words.phrases)}`,
    () => `${adjective} ${noun} ${random.pick(words.phrases)}`,
    () => `${noun} and ${random.pick(words.nouns)}`,
    () => `My ${adjective} ${noun}`,
    () => `${noun} ${random.pick(words.phrases)}`,
    () => `No ${noun}, No ${random.pick(words.nouns)}`
  ])()
  return random.chance(0.15) ? `${title} ${random.pick(words.versions)}` : title
}

/** A source of artist names that never gives one twice. */
function createNames(random: Random): () => string {
  const taken = new Set<string>()
  return () => {
    let name = artistName(random)
    for (let tries = 1; taken.has(name); tries++) {
      name = tries < 4 ? artistName(random) : `${artistName(random)} ${taken.size}`
    }
    taken.add(name)
    return name
  }
}

function artistName(random: Random): string {
  const adjective = random.pick(words.adjectives)
  const noun = random.pick(random.chance(0.02) ? words.accented : words.nouns)
  return random.pick([
    () => `The ${adjective} ${noun}s`,
    () => `${adjective} ${noun}`,
    () => personName(random),
    () => `${noun} & ${random.pick(words.nouns)}`,
    () => `${adjective} ${noun} ${random.pick(words.groups)}`,
    () => `${personName(random)} & the ${noun}s`
  ])()
}

function personName(random: Random): string {
  return `${random.pick(words.firstNames[random.chance(0.5) ? 'F' : 'M'])} ${random.pick(words.lastNames)}`
}

function code(random: Random, alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[random.int(alphabet.length)]).join('')
}

/** Seven hexadecimal digits, different for every index below 2^28: multiplying by an odd number is one to one. */
function uniqueHex(index: number): string {
  return (Math.imul(index + 1, 0x9e3779b1) & 0xfffffff).toString(16).toUpperCase().padStart(7, '0')
}
