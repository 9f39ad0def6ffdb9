/** Rejects of a COPY: its error tables tell the place, the object itself the text. */
import { isBlank, type Line, readLines } from '../sources/lines.ts'
import { judge, MAX_RECORD_BYTES, toRaw } from '../sources/sift.ts'
import { explain } from './reject-reasons.ts'
import {
  type LoadObject,
  MAX_RAW_BYTES,
  type RecordKind,
  type Reject,
  type RejectedRow,
  type Value
} from './warehouse.ts'

/** A row of `sys_load_error_detail`, or of `stl_load_errors`. */
export interface LoadErrorRow {
  url: string
  line_number: number
  column_name: string
  error_code: number
  message: string
}

/** Redshift's codes of load errors as ours; what is not here is a record that is no JSON object. */
const codes = new Map<number, string>([
  [1204, 'value_too_long'],
  [1207, 'invalid_type'],
  [1208, 'invalid_type'],
  [1209, 'invalid_type'],
  [1210, 'invalid_type'],
  [1213, 'missing_value'],
  // The record is valid UTF-8 (that has been seen), so it is a NUL character.
  [1219, 'invalid_character'],
  [1220, 'invalid_character'],
  [1221, 'invalid_character'],
  [1222, 'invalid_type']
])

/** JSON keys by the column names that Redshift makes of them. */
const keys = new Map(
  ['firstName', 'itemInSession', 'lastName', 'sessionId', 'userAgent', 'userId'].map((key) => [
    key.toLowerCase(),
    key
  ])
)

type Fetch = (object: LoadObject) => Promise<string>

/** The records that a COPY skipped, with their text read from the objects; each object is read once. */
export async function toRejects(
  kind: RecordKind,
  errors: LoadErrorRow[],
  objects: LoadObject[],
  fetch: Fetch
): Promise<Reject[]> {
  const byUrl = new Map(objects.map((object) => [object.url, object]))
  const rejects: Reject[] = []
  for (const [url, ofObject] of Map.groupBy(errors, (error) => error.url)) {
    const object = byUrl.get(url)
    if (object === undefined)
      throw new Error(`COPY rejected records of ${url}, which is not part of the load`)
    const wanted = new Map(ofObject.map((error) => [Number(error.line_number), error]))
    await readLines(await fetch(object), MAX_RECORD_BYTES, (line) => {
      const error = wanted.get(line.number)
      if (error === undefined) return
      const place = { kind, object_no: object.object_no, line_number: line.number }
      rejects.push({ ...place, ...reasonOf(error, line), ...toRaw(line, MAX_RAW_BYTES) })
    })
  }
  return rejects
}

/** What is wrong with the record as such is seen in its text, as for the embedded engine; else COPY's code tells. */
function reasonOf(error: LoadErrorRow, line: Line): Pick<Reject, 'code' | 'column_name' | 'message'> {
  const verdict = judge(line)
  if (verdict !== undefined) return { ...verdict, column_name: null }
  const code = codes.get(Number(error.error_code)) ?? 'malformed_json'
  if (code === 'malformed_json') return { code, column_name: null, message: error.message }
  const column_name = code === 'invalid_character' ? null : keyOf(error.column_name)
  return { code, column_name, message: explain({ code, column_name }) }
}

const keyOf = (column: string): string | null => (column === '' ? null : (keys.get(column) ?? column))

/**
 * Finds staged rows in the objects: COPY does not keep where a row came from, so the objects are read again until every
 * row is found by the values that identify it.
 */
export async function findRows(
  kind: RecordKind,
  rows: (RejectedRow & { identity: Value[] })[],
  objects: LoadObject[],
  fetch: Fetch
): Promise<Reject[]> {
  const wanted = Map.groupBy(rows, (row) => JSON.stringify(row.identity))
  const rejects: Reject[] = []
  for (const object of objects) {
    if (wanted.size === 0) break
    await readLines(await fetch(object), MAX_RECORD_BYTES, (line) => {
      if (isBlank(line.bytes) || line.length > MAX_RECORD_BYTES) return
      const identity = identify(kind, line.bytes.toString())
      const row = wanted.get(identity)?.pop()
      if (row === undefined) return
      if (wanted.get(identity)?.length === 0) wanted.delete(identity)
      const { code, column_name } = row
      const place = { kind, object_no: object.object_no, line_number: line.number }
      rejects.push({ ...place, code, column_name, message: explain(row), ...toRaw(line, MAX_RAW_BYTES) })
    })
  }
  return rejects
}

/** What identifies a record among the staged rows, as the statement that lists them gives it. */
function identify(kind: RecordKind, text: string): string {
  try {
    const record = JSON.parse(text) as Record<string, Value>
    if (kind === 'songs') return JSON.stringify([record.song_id, record.artist_id, record.title])
    const number = (value: Value | undefined) => (value === '' || value == null ? null : Number(value))
    return JSON.stringify([record.sessionId, record.itemInSession, record.ts, record.userId].map(number))
  } catch {
    return ''
  }
}
