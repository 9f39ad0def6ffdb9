/** One visit: the pages that a listener calls up. */
import type { Catalogue, Track } from './catalogue.ts'
import type { Event, Page } from './event.ts'
import type { Listener } from './listeners.ts'
import { type Random, weighted, zipf } from './random.ts'

/** Plays a session of `songs` songs that starts at the given second, on the given day; adds its events. */
export type PlaySession = (
  listener: Listener,
  start: number,
  songs: number,
  day: number,
  events: Event[]
) => void

interface Visit {
  session: number
  listener: Listener
  item: number
  now: number
  events: Event[]
}

/** What happens between two songs now and then. */
const errands: readonly (readonly Page[])[] = [
  ['Home'],
  ['Home'],
  ['Home'],
  ['Settings'],
  ['Settings', 'Save Settings', 'Home'],
  ['Help'],
  ['About', 'Home'],
  ['Error', 'Home']
]

/** Returns the function that plays sessions; they are numbered in the order of its calls. */
export function createSessions(random: Random, catalogue: Catalogue): PlaySession {
  const popular = weighted(random, zipf(catalogue.tracks.length))
  const popularStray = weighted(random, zipf(catalogue.strays.length))
  let sessions = 0

  const chooseTrack = () =>
    (random.chance(0.39) ? catalogue.tracks[popular()] : catalogue.strays[popularStray()]) as Track

  const browse = (visit: Visit, page: Page) => {
    record(visit, page)
    visit.now += random.int(random.chance(0.3) ? 200 : 20)
  }

  const listenTo = (visit: Visit, track: Track) => {
    // The logs now and then disagree a little with the song file about a song's length.
    const off = random.chance(0.12) ? (1 + random.int(150_000)) / 100_000 : 0
    const length = Math.round((track.length + off) * 100_000) / 100_000
    record(visit, 'NextSong', { track: { ...track, length } })
    visit.now += Math.floor(length)
  }

  const changeLevel = (visit: Visit) => {
    const { listener } = visit
    const move = listener.level === 'free' ? 'Upgrade' : 'Downgrade'
    browse(visit, move)
    browse(visit, `Submit ${move}`)
    listener.level = listener.level === 'free' ? 'paid' : 'free'
    listener.changes.shift()
    browse(visit, 'Home')
  }

  const runErrand = (visit: Visit) => {
    if (random.chance(0.15)) browse(visit, visit.listener.level === 'free' ? 'Upgrade' : 'Downgrade')
    else for (const page of random.pick(errands)) browse(visit, page)
  }

  const arrive = (visit: Visit, songs: number) => {
    if (random.chance(0.13)) {
      if (random.chance(0.4)) record(visit, 'Home', { listener: null })
      record(visit, 'Login', { listener: null })
      visit.now += 5 + random.int(30)
      browse(visit, 'Home')
    } else if (songs === 0 || random.chance(0.45)) browse(visit, 'Home')
  }

  const leave = (visit: Visit) => {
    record(visit, 'Logout')
    visit.now += random.int(60)
    record(visit, 'Home', { listener: null })
  }

  return (listener, start, songs, day, events) => {
    const visit: Visit = { session: ++sessions, listener, item: 0, now: start, events }
    arrive(visit, songs)
    for (let song = 0; song < songs; song++) {
      // In the middle, so that there are plays on either side.
      const changing = song > 0 && song === songs >> 1 && day >= (listener.changes[0] ?? Infinity)
      if (changing) changeLevel(visit)
      listenTo(visit, chooseTrack())
      if (random.chance(0.025)) runErrand(visit)
    }
    if (random.chance(0.07)) leave(visit)
    listener.busyUntil = visit.now
  }
}

/** Adds the event of a page; by the visitor, unless said otherwise. */
function record(visit: Visit, page: Page, more: Partial<Pick<Event, 'listener' | 'track'>> = {}): void {
  const { session, listener, now } = visit
  visit.events.push({
    second: now,
    session,
    item: visit.item++,
    page,
    level: listener.level,
    listener,
    track: null,
    ...more
  })
}
