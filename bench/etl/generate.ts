/** Sources of any size: days of events in files of their own, and one file for each song, as the real data has them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Size {
  events: number
  songs: number
  /** Events of one file. */
  perFile?: number
  /** Number of the first event: what is generated on top of something else begins behind it. */
  first?: number
}

const DAY = 86_400_000
const START = Date.UTC(2018, 10, 1, 21, 0, 0, 796)
/** Events of one day. */
const PER_DAY = 200_000
const SESSION = 25
const USERS = 50_000
const agents = ['Windows NT 6.1; WOW64', 'Macintosh; Intel Mac OS X 10_9_4', 'X11; Linux x86_64'].map(
  (system) =>
    `\\"Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/36.0.1985.143 Safari/537.36\\"`
)
const places = [
  'San Jose-Sunnyvale-Santa Clara, CA',
  'Waterloo-Cedar Falls, IA',
  'Lansing-East Lansing, MI',
  'Oslo'
]

/** Writes both sources below a directory; returns their bytes. */
export function generate(directory: string, size: Size): { events: number; songs: number } {
  return { events: writeEvents(directory, size), songs: writeSongs(directory, size.songs) }
}

function writeEvents(directory: string, { events, songs, perFile = PER_DAY, first = 0 }: Size): number {
  let bytes = 0
  mkdirSync(join(directory, 'log_data'), { recursive: true })
  for (let from = first; from < first + events; from += perFile) {
    const count = Math.min(perFile, first + events - from)
    const body = Buffer.from(
      Array.from({ length: count }, (_, index) => eventLine(from + index, songs)).join('\n')
    )
    bytes += body.length
    writeFileSync(join(directory, 'log_data', `${String(from).padStart(12, '0')}-events.json`), body)
  }
  return bytes
}

/** Six of seven events are plays, and one of four plays is of a song of the catalogue. */
function eventLine(index: number, songs: number): string {
  const random = (Math.imul(index + 1, 0x9e3779b1) >>> 0) / 2 ** 32
  const session = Math.floor(index / SESSION)
  const user = 1 + (session % USERS)
  const isPlay = index % 7 !== 0
  const number = Math.floor(random * songs * 4)
  const played = isPlay
    ? `"artist":"Artist ${number % 10_000}","song":"Song number ${number}","length":${(180 + (number % 100) + 0.12345).toFixed(5)}`
    : '"artist":null,"song":null,"length":null'
  const ts = START + Math.floor((index / PER_DAY) * DAY)
  return (
    `{${played},"auth":"Logged In","firstName":"First${user % 500}","gender":"${user % 2 ? 'F' : 'M'}","itemInSession":${index % SESSION},` +
    `"lastName":"Last${user % 3000}","level":"${isPaid(user, session) ? 'paid' : 'free'}","location":"${places[user % 4]}","method":"PUT",` +
    `"page":"${isPlay ? 'NextSong' : 'Home'}","registration":1540919166796.0,"sessionId":${session},"status":200,"ts":${ts},` +
    `"userAgent":"${agents[user % 3]}","userId":"${user}"}`
  )
}

/** A quarter of the users pay, and one of ten others changes from session to session. */
const isPaid = (user: number, session: number) =>
  user % 4 === 0 || (user % 10 === 3 && Math.floor(session / USERS) % 2 === 1)

function writeSongs(directory: string, songs: number): number {
  let bytes = 0
  mkdirSync(join(directory, 'song_data'), { recursive: true })
  for (let number = 0; number < songs; number += 1) {
    if (number % 1000 === 0) mkdirSync(join(directory, 'song_data', folderOf(number)), { recursive: true })
    const line =
      `{"num_songs":1,"artist_id":"AR${String(number % 10_000).padStart(16, '0')}","artist_latitude":${number % 3 ? 'null' : 35.14968},` +
      `"artist_longitude":${number % 3 ? 'null' : -90.04892},"artist_location":"${number % 2 ? '' : 'Memphis, TN'}",` +
      `"artist_name":"Artist ${number % 10_000}","song_id":"SO${String(number).padStart(16, '0')}","title":"Song number ${number}",` +
      `"duration":${(180 + (number % 100) + 0.12345).toFixed(5)},"year":${number % 5 ? 0 : 1969 + (number % 40)}}`
    bytes += line.length
    writeFileSync(join(directory, 'song_data', folderOf(number), `TR${number}.json`), line)
  }
  return bytes
}

const folderOf = (number: number) => `${Math.floor(number / 100_000)}/${Math.floor(number / 1000)}`
