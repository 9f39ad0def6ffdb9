/**
 * The job that derives `analytics.*` anew from `staging.*`, in one transaction: readers see the old rows until the new
 * ones are there. It is for a star that somebody has changed by hand; what loads have made of it comes out the same.
 */
import { readSql, type Statement } from '../sql.ts'
import type { Warehouse, WriteSession } from '../warehouse/warehouse.ts'
import type { JobContext, JobHandler } from './job-handler.ts'
import { countTables, requireChecks } from './load-checks.ts'
import { one, publish } from './load-ledger.ts'
import { publishedBehindLock, retryOnConflict } from './load-publish.ts'
import type { TableChanges } from './load-request.ts'
import { clearStar, findLoad, insertTime } from './load-sql.ts'

const sql = (name: string): Statement => readSql(`warehouse/shared/rebuild/${name}.sql`)
const baseline = sql('01-baseline')
const matches = sql('10-matches')
/** In this order: the calendar is made of the plays. */
const inserts: [table: string, statement: Statement, params?: { event_id_base: number }][] = [
  ['analytics.songplays', sql('20-insert-songplays')],
  ['analytics.users', sql('30-insert-users')],
  ['analytics.songs', sql('40-insert-songs')],
  ['analytics.artists', sql('50-insert-artists')],
  ['analytics.time', insertTime, { event_id_base: 0 }]
]

const noRecords = { read: 0, loaded: 0, duplicates: 0, rejected: 0 }

export type Rebuild = ReturnType<typeof createRebuild>

export function createRebuild(warehouse: Warehouse) {
  /** Throws `cluster_not_found` and `tables_not_created`. */
  const check = async () => void (await warehouse.run(findLoad, { job_id: '' }))

  const handler: JobHandler = {
    steps: { transform: 80, check: 15, publish: 5 },
    check,
    run: (context) =>
      warehouse.write((session) => retryOnConflict(session, context, () => rebuild(session, context)), {
        signal: context.signal
      }),
    published: (id, signal) =>
      warehouse.write((session) => publishedBehindLock(session, (behind) => findRebuild(behind, id)), {
        signal
      })
  }
  return { check, handler }
}

async function rebuild(session: WriteSession, context: JobContext): Promise<object> {
  await context.step('transform')
  await session.begin()
  await session.lockLedger()
  const published = await findRebuild(session, context.id)
  if (published !== undefined) {
    await session.rollback()
    return published
  }
  const base = await one(session.run(baseline))
  const tables = await derive(session, context)

  await context.step('check')
  const checks = await requireChecks(session, 0)
  const load_id = Number(base.load_id) + 1
  const receipt = {
    ...{ job_id: context.id, mode: 'rebuild', objects: 0, objects_skipped: 0 },
    data_version: Number(base.data_version) + 1,
    ...{ events: noRecords, songs: noRecords, measures: {} },
    tables: await countTables(session, tables),
    checks
  }
  await context.step('publish')
  await publish(session, receipt, load_id)
  return { load_id: String(load_id), data_version: receipt.data_version }
}

async function derive(session: WriteSession, context: JobContext): Promise<TableChanges> {
  const tables: TableChanges = new Map()
  const deleted = new Map<string, number>()
  for (const [table, statement] of clearStar) deleted.set(table, (await session.run(statement)).changed)
  await session.run(matches)
  for (const [index, [table, statement, params]] of inserts.entries()) {
    const { changed } = await session.run(statement, params)
    tables.set(table, { inserted: changed, deleted: deleted.get(table) ?? 0 })
    context.progress({ rows: changed, fraction: (index + 1) / inserts.length })
  }
  return tables
}

/** What an earlier attempt at the job has published. */
async function findRebuild(session: WriteSession, job_id: string): Promise<object | undefined> {
  const [row] = (await session.run(findLoad, { job_id })).rows
  return row && { load_id: String(row.load_id), data_version: Number(row.data_version) }
}
