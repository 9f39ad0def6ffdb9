/** From records to rows as PostgreSQL's COPY takes them; what cannot be loaded goes to the log. */
import type { Source } from './copy-source.ts'
import { type CopyStatement, type S3Location, urlOf } from './copy-statement.ts'
import type { Numbering, Target } from './copy-target.ts'
import { type Column, toColumn } from './copy-values.ts'
import { RedshiftError } from './errors.ts'
import { type JsonRecord, type JsonValue, readRecords } from './json-reader.ts'
import type { Mapping } from './jsonpaths.ts'
import { LoadError } from './load-error.ts'
import type { LoadLog } from './load-log.ts'

export interface Load {
  copy: CopyStatement
  query: number
  source: Source
  target: Target
  mapping: Mapping
  numbering: Numbering | undefined
  log: LoadLog
  loadErrorView: string
  /** Waits for S3 no longer than the statement may run. */
  interruptible<Result>(promise: Promise<Result>): Promise<Result>
  /** Called when about half of the objects are read. */
  onHalfway(): Promise<void>
  rows: number
  /** Records that were skipped. */
  errors: number
}

/** Objects that are fetched at the same time. */
const READ_AHEAD = 32

/** Yields rows by the batch. Throws when too many records cannot be loaded. */
export async function* readRows(load: Load): AsyncGenerator<string> {
  const { source, query, log } = load
  const { locations } = source
  for (let at = 0; at < locations.length; at += READ_AHEAD) {
    const batch = locations.slice(at, at + READ_AHEAD)
    const contents = await load.interruptible(Promise.all(batch.map((location) => source.read(location))))
    const rows: string[] = []
    for (const [index, location] of batch.entries()) {
      if (at + index === locations.length >> 1) await load.onHalfway()
      const content = contents[index] as Buffer
      let line = 0
      for (const record of readRecords(content)) {
        line = record.line
        const row = readRow(load, record, location)
        if (row !== undefined) rows.push(row)
      }
      log.file(query, { url: urlOf(location), content, lines: line })
    }
    load.rows += rows.length
    if (rows.length > 0) yield interleave(rows)
    // Lets a cancel or a timeout in.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** The record's row, or undefined where it is skipped. */
function readRow(load: Load, record: JsonRecord, location: S3Location): string | undefined {
  const { copy, target, numbering } = load
  let column: Column | undefined
  let value: JsonValue | undefined
  try {
    if (record.isTooLarge) throw new LoadError(1216, 'String value exceeds the max size of 4194304 bytes')
    if (record.value === undefined) throw new LoadError(1216, 'Invalid value.')
    const values = load.mapping(record.value)
    const texts: (string | null)[] = []
    for (const [index, each] of target.columns.entries()) {
      column = each
      value = values[index]
      texts.push(toColumn(value, each, copy))
    }
    if (numbering !== undefined) texts.push(numbering.next())
    return `${texts.map(escapeField).join('\t')}\n`
  } catch (error) {
    if (!(error instanceof LoadError)) throw error
    load.errors += 1
    load.log.problem(load.query, {
      url: urlOf(location),
      line: record.line,
      column: column?.name ?? '',
      type: column?.type ?? '',
      length: column?.length === undefined ? '' : String(column.length),
      position: error.position,
      rawLine: printable(record.bytes),
      rawValue: printable(value?.bytes ?? ''),
      code: error.code,
      reason: error.message
    })
    // A record beyond the limit fails the command, whatever MAXERROR says.
    if (load.errors < Math.max(copy.maxErrors, 1) && !record.isTooLarge) return undefined
    throw new RedshiftError({
      code: 'XX000',
      message: `Load into table '${copy.table.name}' failed.  Check '${load.loadErrorView}' system table for details.`
    })
  }
}

/** Multibyte characters are replaced by periods there. */
const printable = (bytes: string) =>
  bytes
    .slice(0, 4096)
    .replace(/[\xc0-\xff][\x80-\xbf]*|[\x80-\xbf]|\0/g, '.')
    .slice(0, 1024)

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

const escapeField = (value: string | null) =>
  value === null ? '\\N' : value.replace(/[\\\t\n\r]/g, (char) => escapes[char] as string)

/** Slices load at the same time, so rows do not arrive in the order of the files. */
function interleave(rows: readonly string[]): string {
  const slices = 8
  return Array.from({ length: slices }, (_, slice) =>
    rows.filter((_, at) => at % slices === slice).join('')
  ).join('')
}
