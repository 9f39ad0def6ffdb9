/** Events and the lines that the logs write of them. */
import type { Track } from './catalogue.ts'
import type { Listener } from './listeners.ts'

const pages = {
  NextSong: { method: 'PUT', status: 200 },
  Home: { method: 'GET', status: 200 },
  Login: { method: 'PUT', status: 307 },
  Logout: { method: 'PUT', status: 307 },
  Settings: { method: 'GET', status: 200 },
  'Save Settings': { method: 'PUT', status: 307 },
  Upgrade: { method: 'GET', status: 200 },
  'Submit Upgrade': { method: 'PUT', status: 307 },
  Downgrade: { method: 'GET', status: 200 },
  'Submit Downgrade': { method: 'PUT', status: 307 },
  Help: { method: 'GET', status: 200 },
  About: { method: 'GET', status: 200 },
  Error: { method: 'GET', status: 404 }
} as const

export type Page = keyof typeof pages

export interface Event {
  /** Seconds since 1970. */
  second: number
  session: number
  item: number
  page: Page
  level: Listener['level']
  /** Null when nobody is logged in. */
  listener: Listener | null
  /** What is played; null on every page but NextSong. */
  track: Track | null
}

// Every ts of the real data ends in these milliseconds.
const milliseconds = 796

/** The line of an event, its keys in the order of the real logs. Without a listener the user id is "", not null. */
export function eventLine({ second, session, item, page, level, listener, track }: Event): string {
  const { method, status } = pages[page]
  return (
    `{"artist":${track?.artist ?? null},"auth":"${listener ? 'Logged In' : 'Logged Out'}"` +
    `,"firstName":${listener?.firstName ?? null},"gender":${listener?.gender ?? null}` +
    `,"itemInSession":${item},"lastName":${listener?.lastName ?? null}` +
    `,"length":${track ? decimal(track.length) : null},"level":"${level}"` +
    `,"location":${listener?.location ?? null},"method":"${method}","page":"${page}"` +
    `,"registration":${listener?.registration ?? null},"sessionId":${session},"song":${track?.title ?? null}` +
    `,"status":${status},"ts":${second}${milliseconds},"userAgent":${listener?.userAgent ?? null}` +
    `,"userId":"${listener?.id ?? ''}"}`
  )
}

/** `240.0` rather than `240`: the logs write seconds with a point. */
function decimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value)
}
