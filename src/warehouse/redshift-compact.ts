/**
 * Puts many small objects together into few gzip objects before a COPY, which opens each of them by itself and takes most of its
 * time for that. The ledger still names the originals: what COPY says of a line is told of the original's line.
 */
import { createWriteStream } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import pMap from 'p-map'
import { isGzip } from '../sources/lines.ts'
import type { Scratch } from '../sources/s3-scratch.ts'
import type { LoadObject, RecordKind, Reject, StageOptions } from './warehouse.ts'

/** Objects below this are small, in bytes. */
const SMALL = 1024 * 1024
/** Fewer parts would leave slices of a small cluster without work. */
const FEWEST_PARTS = 4
/** A part holds about this much before compression, in bytes: about a tenth of it after. */
const PART_BYTES = 128 * 1024 * 1024
/** Downloads under way; the SDK opens 50 sockets at most. */
const FETCHED_AT_ONCE = 48
/** Objects that wait for their turn to be written, at most. */
const BATCH = 480
const NEWLINE = 10

/** An object made of others, and where in it they begin. */
interface Part {
  object: LoadObject
  path: string
  members: { object_no: number; firstLine: number }[]
}

export interface Compacted {
  /** What COPY is to read: the parts, and the objects that were left alone. */
  objects: LoadObject[]
  fetch: StageOptions['fetch']
  /** The same reject with the place that it has in the original. */
  toOriginal(reject: Reject): Reject
}

const asTheyAre = (objects: LoadObject[], fetch: StageOptions['fetch']): Compacted => ({
  ...{ objects, fetch },
  toOriginal: (reject) => reject
})

/** Compacts the small plain objects among these when there are `from` of them or more; 0 never does. */
export async function compact(
  kind: RecordKind,
  objects: LoadObject[],
  { fetch, spoolDir, signal }: StageOptions,
  scratch: Scratch | undefined,
  from: number
): Promise<Compacted> {
  const isSmall = ({ url, bytes }: LoadObject) => bytes < SMALL && !isGzip(url)
  const small = objects.filter(isSmall)
  if (scratch === undefined || from === 0 || small.length < from) return asTheyAre(objects, fetch)
  const parts: Part[] = []
  for (const [number, members] of split(small).entries()) {
    const name = `${kind}-${number}.json.gz`
    const part = { path: join(spoolDir, name), members: [] as Part['members'] }
    const lines = readMembers(members, part.members, { fetch, spoolDir, signal })
    const gzip = createGzip({ level: 1 })
    await pipeline(Readable.from(lines), gzip, createWriteStream(part.path, { mode: 0o600 }), { signal })
    const body = await readFile(part.path)
    const url = await scratch.write(name, body)
    // No object of the listing has such a number.
    parts.push({ ...part, object: { object_no: -1 - number, kind, url, etag: '', bytes: body.length } })
  }
  const byNumber = new Map(parts.map((part) => [part.object.object_no, part]))
  return {
    objects: [...parts.map(({ object }) => object), ...objects.filter((object) => !isSmall(object))],
    fetch: async (object) => byNumber.get(object.object_no)?.path ?? fetch(object),
    toOriginal(reject) {
      const part = byNumber.get(reject.object_no)
      return part === undefined ? reject : { ...reject, ...placeIn(part, reject.line_number ?? 1) }
    }
  }
}

/** Runs of objects of about the same size. */
function split(objects: LoadObject[]): LoadObject[][] {
  const total = objects.reduce((sum, { bytes }) => sum + bytes, 0)
  const size = total / Math.max(FEWEST_PARTS, Math.ceil(total / PART_BYTES))
  const parts: LoadObject[][] = []
  let filled = size
  for (const object of objects) {
    if (filled >= size) {
      parts.push([])
      filled = 0
    }
    parts.at(-1)?.push(object)
    filled += object.bytes
  }
  return parts
}

/** The objects' bytes one after the other, each ended by a newline; notes at which line each begins. */
async function* readMembers(
  objects: LoadObject[],
  members: Part['members'],
  { fetch, spoolDir, signal }: Pick<StageOptions, 'fetch' | 'spoolDir' | 'signal'>
): AsyncGenerator<Buffer> {
  let firstLine = 1
  for (let from = 0; from < objects.length; from += BATCH) {
    const batch = objects.slice(from, from + BATCH)
    const bodies = await pMap(batch, (object) => readOnce(object, fetch, spoolDir), {
      concurrency: FETCHED_AT_ONCE,
      signal
    })
    for (const [index, { object_no }] of batch.entries()) {
      const body = bodies[index] as Buffer
      const ended = body.at(-1) === NEWLINE ? body : Buffer.concat([body, Buffer.from('\n')])
      members.push({ object_no, firstLine })
      firstLine += countLines(ended)
      yield ended
    }
  }
}

/** What was brought here for this alone goes again: a million small files are a burden. */
async function readOnce(object: LoadObject, fetch: StageOptions['fetch'], spoolDir: string): Promise<Buffer> {
  const path = await fetch(object)
  const body = await readFile(path)
  if (path.startsWith(spoolDir)) await rm(path)
  return body
}

function countLines(body: Buffer): number {
  let lines = 0
  for (let at = body.indexOf(NEWLINE); at !== -1; at = body.indexOf(NEWLINE, at + 1)) lines += 1
  return lines
}

/** The member in which a line of the part lies, found by halving. */
function placeIn({ members }: Part, line: number): { object_no: number; line_number: number } {
  let [low, high] = [0, members.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((members[middle]?.firstLine ?? 0) <= line) low = middle
    else high = middle - 1
  }
  const { object_no, firstLine } = members[low] as Part['members'][number]
  return { object_no, line_number: line - firstLine + 1 }
}
