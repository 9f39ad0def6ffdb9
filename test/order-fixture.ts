/** Random inputs that hold the traps of the data, and random ways of splitting them into files and loads. */
import * as fc from 'fast-check'
import { etlSteps } from '../src/schemas/etl.ts'
import type { Value } from '../src/warehouse/warehouse.ts'
import { event, type Json, lines, song } from './records.ts'
import type { Files } from './trap-data.ts'

/** Set it to the seed that a failure printed, to see the same examples again. */
export const seed = Number(process.env.FAST_CHECK_SEED ?? Date.now() % 2 ** 31)

// Few different values, so that ties, repetitions and matches are the rule.
const titles = fc.constantFrom('Alpha', 'Alpha  ', 'Beta', 112, '')
const artists = fc.constantFrom('Ann', 'Ann ', 'Bob', 4.6)
const lengths = fc.constantFrom(200, 205, 210.5, null)
const moments = fc.constantFrom(0, 1541105999999, 1541106000000, 1541106000796, 1546300799999, 1546300800000)

const anySong: fc.Arbitrary<Json> = fc.record({
  song_id: fc.constantFrom('S1', 'S2', 'S3', 'S4', 'S5', 'S6'),
  title: titles,
  artist_name: artists,
  artist_id: fc.constantFrom('A1', 'A2', 'A3'),
  artist_location: fc.constantFrom('', null, 'Oslo'),
  artist_latitude: fc.constantFrom(null, 59.9),
  artist_longitude: fc.constantFrom(null, 10.7),
  duration: lengths,
  year: fc.constantFrom(0, null, 1999, 2010)
})

const anyEvent: fc.Arbitrary<Json> = fc.record({
  sessionId: fc.constantFrom(9, 10, 11),
  itemInSession: fc.integer({ min: 0, max: 2 }),
  ts: moments,
  userId: fc.constantFrom('', null, '1', '2', 3),
  page: fc.constantFrom('NextSong', 'NextSong', 'NextSong', 'Home'),
  level: fc.constantFrom('free', 'paid', null),
  firstName: fc.constantFrom('Ida', 'Eva', null),
  location: fc.constantFrom('Oslo', ''),
  song: titles,
  artist: artists,
  length: lengths
})

const identity = ({ sessionId, itemInSession, ts, userId }: Json) =>
  [sessionId, itemInSession, ts, userId === '' ? null : userId].join()

export interface Input {
  songs: Json[]
  events: Json[]
}

/** Corrected songs and conflicting events are left out: there the later wins. */
export const anyInput: fc.Arbitrary<Input> = fc.record({
  songs: fc.uniqueArray(anySong, { selector: (each) => each.song_id, maxLength: 6 }),
  events: fc.uniqueArray(anyEvent, { selector: identity, minLength: 1, maxLength: 14 })
})

/** Which records each file of each load holds, as places in the input (any number is one). */
const picks: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 13 }), { maxLength: 8 })
export interface Load {
  songs: number[][]
  events: number[][]
  /** Large objects are read by the engine itself, which is quicker here than sifting small ones in a thread. */
  isLarge: boolean
  /** The step in which a first attempt at the load dies. */
  crash: string | null
}

export const anyLoad: fc.Arbitrary<Load> = fc.record({
  songs: fc.array(picks, { minLength: 1, maxLength: 2 }),
  events: fc.array(picks, { minLength: 1, maxLength: 2 }),
  isLarge: fc.constantFrom(true, true, true, false),
  crash: fc.constantFrom(null, ...Object.keys(etlSteps))
})
export const anyLoads = fc.array(anyLoad, { minLength: 1, maxLength: 3 })

export const padding = '\n'.repeat(300_000)

/** Everything in two files. */
export const filesOfAll = ({ songs, events }: Input): Files => ({
  'song_data/all.json': lines(...songs.map(song)) + padding,
  'log_data/all.json': lines(...events.map(event)) + padding
})

/** The files of the loads, load by load; what no load has picked comes with the last one. */
export function filesOf(input: Input, loads: Load[]): Files[] {
  const left = { songs: new Set(input.songs), events: new Set(input.events) }
  return loads.map(({ isLarge, ...picked }, number) => {
    const files: Files = {}
    for (const kind of ['songs', 'events'] as const) {
      const records = input[kind]
      const chosen = picked[kind].map((places) =>
        places.map((place) => records[place % records.length]).filter((record) => record !== undefined)
      )
      for (const record of chosen.flat()) left[kind].delete(record)
      if (number === loads.length - 1) chosen.push([...left[kind]])
      const directory = kind === 'songs' ? 'song_data' : 'log_data'
      const make = kind === 'songs' ? song : event
      for (const [index, each] of chosen.entries()) {
        // The names decide the order within the load; they differ from load to load.
        files[`${directory}/${9 - index}-${number}.json`] =
          lines(...each.map(make)) + (isLarge ? padding : '')
      }
    }
    return files
  })
}

const tables: Record<string, string> = {
  songplays: 'start_time, user_id, level, song_id, artist_id, session_id, location, user_agent, duration',
  users: '*',
  songs: '*',
  artists: '*',
  time: '*'
}

/** The star without the numbers of its plays, in an order that is the same everywhere. */
export async function starOf(ask: (sql: string) => Promise<Value[][]>): Promise<Json> {
  const star: Json = {}
  for (const [table, columns] of Object.entries(tables)) {
    const rows = await ask(`select ${columns} from analytics.${table}`)
    star[table] = rows.map((row) => JSON.stringify(row)).sort()
  }
  return star
}

/** Throws when the stars differ, so that fast-check makes the example smaller. */
export function requireEqual(found: Json, expected: Json): void {
  if (JSON.stringify(found) === JSON.stringify(expected)) return
  throw new Error(`${JSON.stringify(found)}\ninstead of\n${JSON.stringify(expected)}`)
}
