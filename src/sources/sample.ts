/**
 * The sample data: a month of invented listening in the shape of the real data, so that the service has something
 * to load on a machine that has nothing. The traps of the real data are in it (`sample/curiosities.ts`, and
 * throughout); lines that a load would reject, duplicates and conflicts are not.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { type Catalogue, createCatalogue, fewestSongs, songLine } from './sample/catalogue.ts'
import { eventLine } from './sample/event.ts'
import { type Day, listen } from './sample/listening.ts'
import { createRandom } from './sample/random.ts'

export interface SampleOptions {
  /** Where `song_data` and `log_data` are written. Must not exist, or be empty, unless `replace` is set. */
  directory: string
  /** Equal seeds (and sizes) give equal files, byte for byte. */
  seed?: number
  /** Days from 1 November 2018 on: one log file each. */
  days?: number
  users?: number
  songs?: number
  /** How many events to aim at; the outcome differs by a few per cent. */
  events?: number
  /** Replaces an earlier sample in the directory. */
  replace?: boolean
}

export interface SampleSummary {
  events: number
  plays: number
  /** Users who played a song. */
  users: number
  songs: number
  files: number
  bytes: number
}

const limits = {
  seed: { default: 1, minimum: 0, maximum: 0xffffffff },
  days: { default: 30, minimum: 1, maximum: 366 },
  users: { default: 96, minimum: 1, maximum: 1_000_000 },
  songs: { default: 1_500, minimum: fewestSongs, maximum: 1_000_000 },
  events: { minimum: 1, maximum: 100_000_000 }
} as const

// What the real month comes to; also a rate at which even the keenest listener finds the hours to listen.
const eventsAUserAndDay = 8_064 / (96 * 30)

const parts = ['log_data', 'song_data']
const linesAtOnce = 2_000

/**
 * Writes the sample data and says what was written. All of it appears at once, under its name, or not at all:
 * it is written beside the directory and renamed. What a killed process left there is removed first.
 * Throws a `RangeError` for a size out of bounds, an `Error` where the directory holds something already.
 */
export async function generateSample(options: SampleOptions): Promise<SampleSummary> {
  const sizes = checkSizes(options)
  const directory = resolve(options.directory)
  checkDirectory(directory, options.replace ?? false)
  removeLeftovers(directory)
  const temporary = `${directory}.partial-${process.pid}`
  try {
    const summary = write(temporary, sizes)
    if (existsSync(directory)) renameSync(directory, `${temporary}-replaced`)
    renameSync(temporary, directory)
    return summary
  } finally {
    removeLeftovers(directory)
  }
}

/** Generates the sample of default size unless it is there; null if it was. */
export async function ensureSample(directory: string): Promise<SampleSummary | null> {
  if (parts.every((part) => existsSync(join(directory, part)))) return null
  return generateSample({ directory })
}

type Sizes = Record<keyof typeof limits, number>

function checkSizes(options: SampleOptions): Sizes {
  const days = options.days ?? limits.days.default
  const usersFor = (events: number) => Math.ceil(events / (days * eventsAUserAndDay))
  const users = options.users ?? Math.max(limits.users.default, usersFor(options.events ?? 0))
  const sizes: Sizes = {
    seed: options.seed ?? limits.seed.default,
    days,
    users,
    songs: options.songs ?? limits.songs.default,
    events: options.events ?? Math.ceil(users * days * eventsAUserAndDay)
  }
  for (const [name, { minimum, maximum }] of Object.entries(limits)) {
    const value = sizes[name as keyof Sizes]
    if (Number.isInteger(value) && value >= minimum && value <= maximum) continue
    throw new RangeError(`${name} must be a whole number from ${minimum} to ${maximum}, not ${value}`)
  }
  const most = Math.floor(users * days * 4 * eventsAUserAndDay)
  if (sizes.events > most) {
    throw new RangeError(`${users} users do not listen to more than ${most} events in ${days} days`)
  }
  return sizes
}

function checkDirectory(directory: string, replace: boolean): void {
  if (!existsSync(directory)) return
  const strangers = readdirSync(directory).filter((name) => !replace || !parts.includes(name))
  if (strangers.length === 0) return
  const reason = replace ? `holds more than a sample (${strangers[0]})` : 'is not empty'
  throw new Error(`${directory} ${reason}; remove it or choose another directory`)
}

/** Removes what earlier processes left unfinished; one that is still alive keeps its own. */
function removeLeftovers(directory: string): void {
  const prefix = `${basename(directory)}.partial-`
  if (!existsSync(dirname(directory))) return
  for (const name of readdirSync(dirname(directory))) {
    if (!name.startsWith(prefix)) continue
    const pid = Number.parseInt(name.slice(prefix.length), 10)
    if (pid === process.pid || !isAlive(pid)) rmSync(join(dirname(directory), name), { recursive: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Writes synchronously: it was measured as fast as the thread pool with 4, 16 or 64 files under way (1,500 songs:
 * 60 ms either way), needs no care for memory, and nothing else runs yet where this is called.
 */
function write(directory: string, { seed, days, users, songs, events }: Sizes): SampleSummary {
  // Two generators, so that the catalogue stays the same whatever the number of users.
  const catalogue = createCatalogue(createRandom(seed), songs)
  const random = createRandom(~seed)
  const summary: SampleSummary = { events: 0, plays: 0, users: 0, songs, files: songs + days, bytes: 0 }
  summary.bytes += writeSongs(join(directory, 'song_data'), catalogue)
  const players = new Set<string>()
  for (const day of listen({ random, catalogue, users, days, events })) {
    for (const { track, listener } of day.events) {
      if (!track || !listener) continue
      summary.plays++
      players.add(listener.id)
    }
    summary.events += day.events.length
    summary.bytes += writeDay(join(directory, 'log_data'), day)
  }
  summary.users = players.size
  return summary
}

/** One file a song, in folders named by letters 3 to 5 of its track id. Returns the bytes written. */
function writeSongs(directory: string, { songs, trackIds }: Catalogue): number {
  const made = new Set<string>()
  let bytes = 0
  songs.forEach((song, index) => {
    const trackId = trackIds[index] as string
    const folder = join(directory, ...trackId.slice(2, 5))
    if (!made.has(folder)) mkdirSync(folder, { recursive: true })
    made.add(folder)
    const line = songLine(song)
    writeFileSync(join(folder, `${trackId}.json`), line)
    bytes += line.length
  })
  return bytes
}

/** A day's file, line by line in chunks, without a final newline, as the real ones. Returns the bytes written. */
function writeDay(directory: string, { date, events }: Day): number {
  const name = date.toISOString().slice(0, 10)
  const folder = join(directory, name.slice(0, 4), name.slice(5, 7))
  mkdirSync(folder, { recursive: true })
  const file = openSync(join(folder, `${name}-events.json`), 'w')
  try {
    let bytes = 0
    for (let from = 0; from < events.length; from += linesAtOnce) {
      const lines = events.slice(from, from + linesAtOnce).map(eventLine)
      bytes += writeSync(file, (from > 0 ? '\n' : '') + lines.join('\n'))
    }
    return bytes
  } finally {
    closeSync(file)
  }
}
