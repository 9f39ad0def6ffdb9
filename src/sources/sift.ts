/**
 * Sifts objects record by record into a spool: one line for each record that is a JSON object, with its place in
 * front, and a reject for each that is not. Slower than the engine's own reader, and exact: it is for many small
 * objects, which no engine likes, and for objects that the engine refused as a whole.
 */
import { isUtf8 } from 'node:buffer'
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { createLineSplitter, isBlank, isGzip, type Line, readLines } from './lines.ts'

/** A longer record is refused, as it is by COPY; in bytes. */
export const MAX_RECORD_BYTES = 4 * 1024 * 1024
/** Objects up to this size, in bytes, are read at once. */
const WHOLE_FILE = 1024 * 1024
/** The spool is written in pieces of about this size, in bytes. */
const WRITE_SIZE = 1024 * 1024

export interface SiftInput {
  objects: { object_no: number; path: string; bytes: number }[]
  spoolPath: string
  /** Rejects to return; more are only counted. */
  rejectLimit: number
  /** How much of a rejected record's text to return, in bytes. */
  maxRawBytes: number
}

export interface SiftReject {
  object_no: number
  line_number: number
  code: 'malformed_json' | 'not_an_object' | 'duplicate_key' | 'invalid_utf8' | 'record_too_large'
  message: string
  raw: string
  raw_truncated: boolean
}

export interface SiftProgress {
  records: number
  bytes: number
}

export interface SiftResult extends SiftProgress {
  rejects: SiftReject[]
  rejected: number
}

/** The object that cannot be read at all. */
export class SiftError extends Error {
  readonly path: string

  constructor(path: string, cause: unknown) {
    super(`${path}: ${(cause as Error).message}`, { cause })
    this.path = path
  }
}

/** Sifts the objects in order. Throws `SiftError` when one cannot be read. */
export async function sift(
  input: SiftInput,
  onProgress: (progress: SiftProgress) => void
): Promise<SiftResult> {
  const result: SiftResult = { records: 0, bytes: 0, rejects: [], rejected: 0 }
  const spool = openSpool(input.spoolPath)
  try {
    for (const object of input.objects) {
      await siftObject(object, input, spool, result)
      result.bytes += object.bytes
      onProgress(result)
    }
    spool.flush()
  } catch (error) {
    throw error instanceof SpoolError ? error.cause : error
  } finally {
    spool.close()
  }
  return result
}

async function siftObject(
  object: SiftInput['objects'][number],
  input: SiftInput,
  spool: ReturnType<typeof openSpool>,
  result: SiftResult
) {
  const onRecord = (line: Line) => {
    const verdict = judge(line)
    if (verdict === undefined) {
      spool.write(object.object_no, line)
      result.records += 1
      return
    }
    result.rejected += 1
    if (result.rejects.length >= input.rejectLimit) return
    result.rejects.push({
      object_no: object.object_no,
      line_number: line.number,
      ...verdict,
      ...toRaw(line, input.maxRawBytes)
    })
  }
  try {
    await eachRecord(object, onRecord)
  } catch (error) {
    throw error instanceof SpoolError ? error : new SiftError(object.path, error)
  }
}

/** Calls `onRecord` for each record of an object: its lines, or the one object that is written over several. */
export async function eachRecord(
  { path, bytes }: Pick<SiftInput['objects'][number], 'path' | 'bytes'>,
  onRecord: (line: Line) => void
): Promise<void> {
  const onLine = (line: Line) => {
    if (!isBlank(line.bytes)) onRecord(line)
  }
  if (bytes > WHOLE_FILE) return readLines(path, MAX_RECORD_BYTES, onLine)
  const content = readWhole(path)
  const single = asSingleObject(content)
  if (single !== undefined) return onRecord(single)
  const splitter = createLineSplitter(MAX_RECORD_BYTES, onLine)
  splitter.push(content)
  splitter.finish()
}

/** The spool, not the object, is what failed. */
class SpoolError extends Error {}

function readWhole(path: string): Buffer {
  const content = readFileSync(path)
  return isGzip(path) ? gunzipSync(content) : content
}

/** One object written over several lines becomes one line: a line end inside JSON is white space only. */
function asSingleObject(content: Buffer): Line | undefined {
  const at = content.indexOf(10)
  if (at === -1 || isBlank(content.subarray(at + 1)) || !isUtf8(content)) return undefined
  const text = content.toString()
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  const number = text.slice(0, text.search(/\S/)).split('\n').length
  const bytes = Buffer.from(text.trim().replace(/[\r\n]+/g, ' '))
  return { number, bytes, length: bytes.length }
}

/** What is wrong with a record, whatever it is to be, or undefined. */
export function judge({ bytes, length }: Line): Pick<SiftReject, 'code' | 'message'> | undefined {
  if (length > MAX_RECORD_BYTES) {
    return { code: 'record_too_large', message: `${length} bytes; at most ${MAX_RECORD_BYTES} are allowed` }
  }
  if (!isUtf8(bytes)) return { code: 'invalid_utf8', message: 'the bytes are not UTF-8' }
  const text = bytes.toString()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    // The message quotes the text: NUL cannot be stored, nor half of a pair where the quotation is cut.
    const message = (error as Error).message.replaceAll('\0', '\ufffd').toWellFormed()
    return { code: 'malformed_json', message }
  }
  if (hasHalfCharacter(text)) {
    return { code: 'malformed_json', message: 'a \\u escape is half of a surrogate pair' }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { code: 'not_an_object', message: 'the record is valid JSON, but no object' }
  }
  if (countKeys(text) !== Object.keys(value).length) {
    return { code: 'duplicate_key', message: 'a key stands twice in the object' }
  }
  return undefined
}

/** `JSON.parse` takes half of a surrogate pair; no engine does, because it is no character. */
function hasHalfCharacter(json: string): boolean {
  if (!/\\ud[89a-f]/i.test(json)) return false
  const escapes = json.matchAll(/\\(?:ud[89ab]..\\ud[c-f]..|(ud[89a-f]..)|.)/gi)
  return escapes.some(([, half]) => half !== undefined)
}

/** Keys of the outermost object as written, in text that is known to be a valid JSON object. */
function countKeys(text: string): number {
  let depth = 0
  let keys = 0
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]
    if (char === '"') at = endOfString(text, at)
    else if (char === '{' || char === '[') depth += 1
    else if (char === '}' || char === ']') depth -= 1
    else if (char === ':' && depth === 1) keys += 1
  }
  return keys
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text[at - 1 - backslashes] === '\\') backslashes += 1
  return backslashes % 2 === 1
}

/** A line's text as it can be stored: bytes that are no text are replaced, NUL characters too. */
export function toRaw({ bytes, length }: Line, maxBytes: number): { raw: string; raw_truncated: boolean } {
  // A byte order mark stays: it may be what is wrong.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  // A replaced byte takes three, and NUL becomes such a character too.
  let raw = decoder.decode(bytes.subarray(0, maxBytes)).replaceAll('\0', '\ufffd')
  while (Buffer.byteLength(raw) > maxBytes) raw = raw.slice(0, Math.floor(raw.length * 0.9))
  return { raw, raw_truncated: length > maxBytes || raw.length < decoder.decode(bytes).length }
}

function openSpool(path: string) {
  const file = openSync(path, 'w', 0o600)
  let parts: (string | Buffer)[] = []
  let size = 0

  function flush() {
    if (parts.length === 0) return
    const chunk = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at)
    } catch (error) {
      throw new SpoolError('the spool cannot be written', { cause: error })
    }
    parts = []
    size = 0
  }

  return {
    /** The record with its place: the engine learns object and line with the record itself. */
    write(object_no: number, line: Line) {
      parts.push(`{"o":${object_no},"l":${line.number},"r":`, line.bytes, '}\n')
      size += line.bytes.length + 40
      if (size > WRITE_SIZE) flush()
    },
    flush,
    close: () => closeSync(file)
  }
}
