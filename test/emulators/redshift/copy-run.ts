/** Runs a COPY: reads the objects, feeds their rows to PostgreSQL, and keeps the log. */
import type { Backend } from './backend.ts'
import { type Load, readRows } from './copy-rows.ts'
import { noDefaultRole, openSource, roleError, type Source, type SourceOptions } from './copy-source.ts'
import { type CopyStatement, urlOf } from './copy-statement.ts'
import { describeTarget, startNumbering, type Target } from './copy-target.ts'
import { cancelled, RedshiftError } from './errors.ts'
import { type Mapping, mapByKey, mapByPaths } from './jsonpaths.ts'
import type { LoadLog } from './load-log.ts'
import { quoteText } from './tokens.ts'

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
  onHalfway(): Promise<void>
}

export interface CopyResult {
  table: string
  rows: number
  /** Records that were skipped. */
  errors: number
}

export async function runCopy(copy: CopyStatement, query: number, context: CopyContext): Promise<CopyResult> {
  const { backend, log, signal } = context
  const interruptible = <Result>(promise: Promise<Result>) => untilAborted(promise, signal, query)
  const target = await describeTarget(copy, backend)
  const options = { ...context, ...findRole(copy, query, context), query }
  const source = await interruptible(openSource(copy, options))
  const mapping = await interruptible(openMapping(copy, target, source, query))
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
  const { loadErrorView, onHalfway } = context
  const load: Load = {
    ...{ copy, query, source, target, mapping, log, loadErrorView, interruptible, onHalfway },
    ...{ numbering: undefined, rows: 0, errors: 0 }
  }
  const isAlone = backend.status === 'I'
  try {
    if (copy.noLoad) for await (const _ of readRows(load));
    else await fill(load, backend, isAlone)
  } catch (error) {
    // Twice: a cancel that comes late hits the first.
    if (isAlone) await backend.rows('rollback').catch(() => backend.rows('rollback'))
    await log.finish(query, 'aborted', 0)
    throw error
  }
  const rows = copy.noLoad ? 0 : load.rows
  await log.finish(query, 'completed', rows)
  await backend.rows(`select set_config('emulator.copy_count', '${rows}', false)`)
  return { table: copy.table.name, rows, errors: load.errors }
}

/** Loads under the table's write lock, in a transaction of its own where there is none. */
async function fill(load: Load, backend: Backend, isAlone: boolean): Promise<void> {
  const { copy, query, target } = load
  if (isAlone) await backend.rows('begin')
  await backend.rows(`select emulator.before_write(${quoteText(copy.table.sql)}, true, true)`)
  if (target.identity !== undefined) load.numbering = await startNumbering(target.identity, backend)
  await backend.rows(`select set_config('emulator.is_numbered', 'true', true)`)
  await backend.copyIn(target.sql, query, readRows(load))
  await backend.rows(`select set_config('emulator.is_numbered', '', true)`)
  await load.numbering?.finish()
  if (isAlone) await backend.rows('commit')
}

/** Waits no longer than the statement may run. */
async function untilAborted<Result>(
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

async function openMapping(
  { json }: CopyStatement,
  { columns }: Target,
  source: Source,
  query: number
): Promise<Mapping> {
  const names = columns.map(({ name }) => name)
  if (typeof json === 'string') return mapByKey(names, json === 'auto ignorecase')
  return mapByPaths(await source.readPlain(json), names, query) ?? mapByKey(names, false)
}
