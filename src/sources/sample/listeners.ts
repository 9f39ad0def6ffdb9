/** The people who listen. */
import { jsonText } from './json.ts'
import type { Random } from './random.ts'
import * as words from './words.ts'

export interface Listener {
  id: string
  /** Profile values as JSON, ready to stand in a line. */
  firstName: string
  gender: string
  lastName: string
  location: string
  registration: string
  userAgent: string
  level: 'free' | 'paid'
  /** Days from which on the listener moves to the other level, the next one first. */
  changes: number[]
  /** How much of all listening is theirs, in proportion to the other weights. */
  weight: number
  /** Second until which the listener is in a session. */
  busyUntil: number
}

/** Invents `count` listeners. Some pay and listen more; a few change level, in both directions. */
export function createListeners(random: Random, count: number, days: number): Listener[] {
  return Array.from({ length: count }, (_, index) => {
    const gender = random.chance(0.55) ? 'F' : 'M'
    const changes = planChanges(random, index, days)
    // Who moves once: from free at index 3, 23, 43 ..., from paid at 7, 27, 47 ...
    const level =
      changes.length > 0 ? (index % 20 === 7 ? 'paid' : 'free') : random.chance(0.2) ? 'paid' : 'free'
    const weight = (level === 'paid' ? 5 : 1) / (random.next() + 0.03)
    const agent = random.pick(words.userAgents)
    return {
      id: String(index + 2),
      firstName: jsonText(random.pick(words.firstNames[gender])),
      gender: jsonText(gender),
      lastName: jsonText(random.pick(words.lastNames)),
      location: jsonText(random.pick(words.metros)),
      // Written with a decimal point, as no JavaScript number would be.
      registration: `${1533081600 + random.int(90 * 86_400)}796.0`,
      // The real logs were once CSV: agents with a comma kept their quotes.
      userAgent: jsonText(agent.includes(',') ? `"${agent}"` : agent),
      level,
      changes,
      // Who changes level must be heard before and after.
      weight: changes.length > 0 ? Math.max(weight, 8) : weight,
      busyUntil: 0
    }
  })
}

/** Two in twenty change level; of those who upgrade, every other one goes back later. */
function planChanges(random: Random, index: number, days: number): number[] {
  const slot = index % 20
  if (slot !== 3 && slot !== 7) return []
  const first = Math.floor(days * (0.2 + 0.3 * random.next()))
  return index % 40 === 23 ? [first, first + Math.ceil(days / 4)] : [first]
}
