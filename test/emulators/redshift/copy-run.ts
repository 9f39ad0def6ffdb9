/** Runs a COPY: reads the objects, turns records into rows, feeds them to PostgreSQL, and keeps the log. */
import type { Backend } from './backend.ts'
import { noDefaultRole, openSource, roleError, type Source, type SourceOptions } from './copy-source.ts'
import { type CopyStatement, type S3Location, urlOf } from './copy-statement.ts'
import { type Column, toColumn } from './copy-values.ts'
import { cancelled, RedshiftError } from './errors.ts'
import { type JsonRecord, type JsonValue, readRecords } from './json-reader.ts'
import { type Mapping, mapByKey, mapByPaths } from './jsonpaths.ts'
import { LoadError } from './load-error.ts'
import type { LoadLog } from './load-log.ts'
import { quoteName, quoteText } from './tokens.ts'

export interface CopyContext extends Omit<SourceOptions, 'role' | 'principal' | 'query'> {
  backend: Backend
  log: LoadLog
  user: string
  database: string
  cluster: string
  /** ARNs of the roles attached to the cluster; undefined where all are. */
  roles: (() => readonly string[]) | undefined
  defaultRole: (() => string | undefined) | undefined
  loadErrorView: string
  signal: AbortSignal
  /** Called when about half of the objects are read. */
  onHalfway(): Promise<void>
}

export interface CopyResult {
  table: string
  rows: number
  /** Records that were skipped. */
  errors: number
}

interface Target {
  id: number
  columns: Column[]
}

/** Objects that are fetched at the same time. */
const READ_AHEAD = 32

/** Waits for S3 no longer than the statement may run. */
async function interruptible<Result>(
  promise: Promise<Result>,
  signal: AbortSignal,
  query: number
): Promise<Result> {
  if (signal.aborted) throw cancelled(query)
  let stop = () => {}
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(cancelled(query))
    signal.addEventListener('abort', stop)
  })
  return Promise.race([promise, stopped]).finally(() => signal.removeEventListener('abort', stop))
}

export async function runCopy(copy: CopyStatement, query: number, context: CopyContext): Promise<CopyResult> {
  const target = await describeTable(copy, context.backend)
  const options = { ...context, ...findRole(copy, query, context), query }
  const source = await interruptible(openSource(copy, options), context.signal, query)
  const mapping = await interruptible(openMapping(copy, target.columns, source, query), context.signal, query)
  const { backend, log } = context
  const transaction = Number((await backend.rows('select pg_current_xact_id()'))[0]?.[0])
  // The number is known from here on, even if the load fails; the count only when it succeeds.
  await backend.rows(
    `select set_config('emulator.copy_id', '${query}', false), set_config('emulator.copy_count', '0', false)`
  )
  await log.start({
    query,
    transaction,
    user: context.user,
    session: backend.pid,
    database: context.database,
    table: copy.table.name,
    tableId: target.id,
    source: urlOf(copy.from)
  })
  const counts = { rows: 0, errors: 0 }
  try {
    const rows = toRows(copy, query, context, source, target.columns, mapping, counts)
    if (copy.noLoad) for await (const _ of rows);
    else await backend.copyIn(copyFromStdin(copy, target.columns), query, rows)
  } catch (error) {
    await log.finish(query, 'aborted', 0)
    throw error
  }
  const loaded = copy.noLoad ? 0 : counts.rows
  await log.finish(query, 'completed', loaded)
  await backend.rows(`select set_config('emulator.copy_count', '${loaded}', false)`)
  return { table: copy.table.name, rows: loaded, errors: counts.errors }
}

function findRole(copy: CopyStatement, query: number, context: CopyContext) {
  const arn = copy.role === 'default' ? context.defaultRole?.() : copy.role
  if (arn === undefined) throw noDefaultRole()
  const account = /^arn:aws[\w-]*:iam::(\d{12}):role\/.+$/.exec(arn)?.[1]
  if (account === undefined) {
    throw new RedshiftError({ code: 'XX000', message: `Invalid IAM role ARN: ${arn}` })
  }
  const principal = `arn:aws:redshift:${context.region}:${account}:dbuser:${context.cluster}/${context.user}`
  if (context.roles?.().includes(arn) === false) throw roleError(arn, principal, query)
  return { role: arn, principal }
}

const typeNames: Readonly<Record<string, Column['type']>> = {
  varchar: 'varchar',
  text: 'varchar',
  bpchar: 'char',
  int2: 'int2',
  int4: 'int4',
  int8: 'int8',
  float4: 'float4',
  float8: 'float8',
  numeric: 'numeric',
  bool: 'bool',
  date: 'date',
  timestamp: 'timestamp'
}

/** The columns to load, in the order of the statement's list or of the table; identities are left out. */
async function describeTable({ table, columns: wanted }: CopyStatement, backend: Backend): Promise<Target> {
  const described = await backend.rows(
    `select a.attrelid, a.attname, t.typname, a.atttypmod, a.attnotnull, a.attidentity
     from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = to_regclass(${quoteText(table.sql)}) and a.attnum > 0 and not a.attisdropped
     order by a.attnum`
  )
  if (described.length === 0) {
    throw new RedshiftError({ code: '42P01', message: `Cannot COPY into nonexistent table ${table.name}` })
  }
  const known = described.map(([, name, type, typmod, notNull, identity]) => {
    const size = Number(typmod) - 4
    const column: Column = {
      name: name as string,
      type: typeNames[type as string] as Column['type'],
      length: size >= 0 && type !== 'numeric' ? size : undefined,
      precision: size >= 0 ? size >> 16 : 38,
      scale: size >= 0 ? size & 0xffff : 0,
      isNotNull: notNull === 't'
    }
    return { column, isIdentity: identity !== '' }
  })
  const columns = (
    wanted ?? known.filter(({ isIdentity }) => !isIdentity).map(({ column }) => column.name)
  ).map((name) => {
    const found = known.find(({ column }) => column.name === name)
    if (found === undefined) {
      throw new RedshiftError({
        code: '42703',
        message: `column "${name}" of relation "${table.name}" does not exist`
      })
    }
    if (found.isIdentity) {
      throw new RedshiftError({
        code: '0A000',
        message: `cannot set an identity column to a value: "${name}"`
      })
    }
    return found.column
  })
  return { id: Number(described[0]?.[0]), columns }
}

async function openMapping(
  { json }: CopyStatement,
  columns: readonly Column[],
  source: Source,
  query: number
): Promise<Mapping> {
  const names = columns.map(({ name }) => name)
  if (typeof json === 'string') return mapByKey(names, json === 'auto ignorecase')
  return mapByPaths(await source.readPlain(json), names, query) ?? mapByKey(names, false)
}

const copyFromStdin = ({ table }: CopyStatement, columns: readonly Column[]) =>
  `copy ${table.sql} (${columns.map(({ name }) => quoteName(name)).join(', ')}) from stdin`

/** The rows as PostgreSQL's COPY takes them. Throws when too many records cannot be loaded. */
async function* toRows(
  copy: CopyStatement,
  query: number,
  context: CopyContext,
  source: Source,
  columns: readonly Column[],
  mapping: Mapping,
  counts: { rows: number; errors: number }
): AsyncGenerator<string> {
  const limit = Math.max(copy.maxErrors, 1)
  const failed = () =>
    new RedshiftError({
      code: 'XX000',
      message: `Load into table '${copy.table.name}' failed.  Check '${context.loadErrorView}' system table for details.`
    })
  const { locations } = source
  for (let at = 0; at < locations.length; at += READ_AHEAD) {
    const batch = locations.slice(at, at + READ_AHEAD)
    const reading = Promise.all(batch.map((location) => source.read(location)))
    const contents = await interruptible(reading, context.signal, query)
    const rows: string[] = []
    for (const [index, location] of batch.entries()) {
      if (at + index === locations.length >> 1) await context.onHalfway()
      const content = contents[index] as Buffer
      let line = 0
      for (const record of readRecords(content)) {
        line = record.line
        const row = toRow(record, location)
        if (row !== undefined) rows.push(row)
      }
      context.log.file(query, { url: urlOf(location), content, lines: line })
    }
    counts.rows += rows.length
    if (rows.length > 0) yield interleave(rows)
    // Lets a cancel or a timeout in.
    await new Promise((resolve) => setImmediate(resolve))
  }

  function toRow(record: JsonRecord, location: S3Location): string | undefined {
    let column: Column | undefined
    let value: JsonValue | undefined
    try {
      if (record.isTooLarge) {
        throw new LoadError(1216, 'String value exceeds the max size of 4194304 bytes')
      }
      if (record.value === undefined) throw new LoadError(1216, 'Invalid value.')
      const values = mapping(record.value)
      const texts: (string | null)[] = []
      for (const [index, each] of columns.entries()) {
        column = each
        value = values[index]
        texts.push(toColumn(value, each, copy))
      }
      return `${texts.map(escapeField).join('\t')}\n`
    } catch (error) {
      if (!(error instanceof LoadError)) throw error
      counts.errors += 1
      context.log.problem(query, {
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
      if (counts.errors >= limit || record.isTooLarge) throw failed()
      return undefined
    }
  }
}

/** Multibyte characters are replaced by periods there. */
const printable = (bytes: string) =>
  bytes
    .slice(0, 4096)
    .replace(/[\xc0-\xff][\x80-\xbf]*|[\x80-\xbf]|\0/g, '.')
    .slice(0, 1024)

const escapeField = (value: string | null) =>
  value === null
    ? '\\N'
    : value.replace(
        /[\\\t\n\r]/g,
        (char) => ({ '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' })[char] as string
      )

/** Slices load at the same time, so rows do not arrive in the order of the files. */
function interleave(rows: readonly string[]): string {
  const slices = 8
  return Array.from({ length: slices }, (_, slice) =>
    rows.filter((_, at) => at % slices === slice).join('')
  ).join('')
}
