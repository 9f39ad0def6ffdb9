/** Lines of a file as bytes, whatever they hold. */
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'

export interface Line {
  /** From 1. */
  number: number
  /** The line's bytes without its end, cut at the reader's bound. */
  bytes: Buffer
  /** How long the whole line is, in bytes. */
  length: number
}

const NEWLINE = 10

/** Splits chunks at newlines; a line beyond `maxBytes` is cut there, so that memory stays bounded. */
export function createLineSplitter(maxBytes: number, onLine: (line: Line) => void) {
  let number = 0
  let parts: Buffer[] = []
  let kept = 0
  let length = 0

  function keep(part: Buffer) {
    length += part.length
    const room = maxBytes - kept
    if (room <= 0 || part.length === 0) return
    parts.push(part.length > room ? part.subarray(0, room) : part)
    kept += Math.min(part.length, room)
  }

  function end() {
    number += 1
    const [only] = parts
    const bytes = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)
    onLine({ number, bytes, length })
    parts = []
    kept = 0
    length = 0
  }

  return {
    push(chunk: Buffer) {
      let from = 0
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
        keep(chunk.subarray(from, at))
        end()
        from = at + 1
      }
      keep(chunk.subarray(from))
    },
    /** The last line needs no end. */
    finish() {
      if (length > 0) end()
    }
  }
}

/** True for names of gzip files, in upper or lower case. */
export const isGzip = (path: string): boolean => /\.gz$/i.test(path)

/** Calls `onLine` for every line of a file, gunzipped when its name ends in .gz. */
export async function readLines(
  path: string,
  maxBytes: number,
  onLine: (line: Line) => void,
  signal?: AbortSignal
): Promise<void> {
  const splitter = createLineSplitter(maxBytes, onLine)
  const file = createReadStream(path, { highWaterMark: 1 << 20, signal })
  const chunks = isGzip(path) ? file.pipe(createGunzip()) : file
  // `pipe` does not pass the file's error on.
  if (chunks !== file) file.once('error', (error) => chunks.destroy(error))
  for await (const chunk of chunks) splitter.push(chunk as Buffer)
  splitter.finish()
}

/** What DuckDB skips between records: tab, vertical tab, form feed, carriage return, blank. */
const blanks = new Set([9, 11, 12, 13, 32])

/** True for a line of white space only. */
export const isBlank = (bytes: Buffer): boolean => bytes.every((byte) => blanks.has(byte))
