/** A month of listening: who starts a session when, day by day. */
import type { Catalogue } from './catalogue.ts'
import type { Event } from './event.ts'
import { createListeners, type Listener } from './listeners.ts'
import { type Random, weighted } from './random.ts'
import { createSessions } from './session.ts'

export interface ListeningOptions {
  random: Random
  catalogue: Catalogue
  users: number
  days: number
  /** How many events to aim at; the outcome differs by a few per cent. */
  events: number
}

export interface Day {
  date: Date
  /** In the order of time. */
  events: Event[]
}

interface Plan {
  /** Index of the listener. */
  listener: number
  /** Second of the day. */
  start: number
  songs: number
}

/** 1 November 2018, a Thursday, in seconds since 1970. */
const firstSecond = 1541030400
const firstWeekday = 4
const secondsADay = 86_400

const hourWeights = [5, 5, 3, 2, 2, 3, 5, 6, 6, 9, 10, 11, 10, 11, 13, 15, 18, 17, 16, 12, 10, 7, 5, 4]
const weekdayWeights = [0.75, 1.2, 1, 1, 1.05, 1.2, 0.7] // Sunday first

/** Yields day after day. Only one day's events, and what runs past its midnight, are in memory at a time. */
export function* listen(options: ListeningOptions): Generator<Day> {
  const { random, days } = options
  const listeners = createListeners(random, options.users, days)
  const playSession = createSessions(random, options.catalogue)
  const planDay = createPlanner(options, listeners)
  let events: Event[] = []
  for (let day = 0; day < days; day++) {
    const midnight = firstSecond + day * secondsADay
    for (const plan of planDay(day)) {
      const start = midnight + plan.start
      const listener = findFree(listeners, plan.listener, start)
      if (listener) playSession(listener, start, plan.songs, day, events)
    }
    const nextMidnight = midnight + secondsADay
    const today = events.filter((event) => event.second < nextMidnight)
    events = events.filter((event) => event.second >= nextMidnight)
    yield { date: new Date(midnight * 1000), events: today.sort((a, b) => a.second - b.second) }
  }
}

/** Plans a day's sessions in the order of their start. Everybody has one session with a song at least. */
function createPlanner(
  { random, users, days, events }: ListeningOptions,
  listeners: Listener[]
): (day: number) => Plan[] {
  const chooseListener = weighted(
    random,
    listeners.map((listener) => listener.weight)
  )
  const chooseHour = weighted(random, hourWeights)
  const firstDays = Array.from({ length: users }, () => random.int(days))
  const weights = Array.from({ length: days }, (_, day) => weekdayWeights[(day + firstWeekday) % 7] as number)
  const total = weights.reduce((sum, weight) => sum + weight)

  const chooseStart = () => chooseHour() * 3600 + random.int(3600)
  const chooseSongs = (listener: number) => {
    const mean = listeners[listener]?.level === 'paid' ? 5 : 2.5
    return 1 + Math.floor(mean * (1 / (random.next() + 0.04) - 0.96))
  }

  // Both run on from day to day, so that what one day exceeds its budget by is missing from the next.
  let budget = 0
  let planned = 0

  return (day) => {
    budget += (events * (weights[day] as number)) / total
    const plans: Plan[] = []
    const add = (listener: number, songs: number) => {
      plans.push({ listener, start: chooseStart(), songs })
      // A session's other pages: arriving, errands, leaving.
      planned += 0.9 + songs * 1.045
    }
    firstDays.forEach((first, listener) => {
      if (first === day) add(listener, chooseSongs(listener))
    })
    while (planned < budget) {
      const listener = chooseListener()
      add(listener, random.chance(0.1) ? 0 : chooseSongs(listener))
    }
    return plans.sort((a, b) => a.start - b.start)
  }
}

/** The listener at `index`, or the next one after who is not in a session already. */
function findFree(listeners: Listener[], index: number, start: number): Listener | undefined {
  for (let step = 0; step < listeners.length; step++) {
    const listener = listeners[(index + step) % listeners.length]
    if (listener && listener.busyUntil < start) return listener
  }
  return undefined
}
