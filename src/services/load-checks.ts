/** What must hold before anything is published, and the receipt that tells it. */
import { ServiceError } from '../errors.ts'
import type { Receipt } from '../schemas/loads.ts'
import type { StageResult, Value, WriteSession } from '../warehouse/warehouse.ts'
import { countsOf, one } from './load-ledger.ts'
import { judgeQuality } from './load-quality.ts'
import type { Loaded, LoadRequest, TableChanges } from './load-request.ts'
import * as load from './load-sql.ts'

type Checks = Receipt['checks']

/** Counts what was written. Throws `receipt_mismatch` and `unlike_past_loads`: such a load is not published. */
export async function check(
  session: WriteSession,
  request: LoadRequest,
  staged: StageResult,
  loaded: Loaded
): Promise<Receipt> {
  const counted = await one(session.run(load.counts, { load_id: loaded.load_id }))
  const events = { ...countsOf(counted, 'events'), read: staged.read.events }
  const songs = { ...countsOf(counted, 'songs'), read: staged.read.songs }
  const sums = [events, songs].map((sum, index) => ({
    name: `${index === 0 ? 'events' : 'songs'} read = loaded + duplicates + rejected`,
    violations: Math.abs(sum.read - sum.loaded - sum.duplicates - sum.rejected)
  }))
  const checks = await requireChecks(session, loaded.event_id_base, sums)
  const { measures, warnings } = await judgeQuality(session, request, loaded)
  const hasChanged = events.loaded + songs.loaded > 0 || request.mode === 'full'
  return {
    job_id: request.job_id,
    mode: request.mode,
    objects_skipped: request.objects_skipped,
    data_version: loaded.data_version + (hasChanged ? 1 : 0),
    objects: request.mode === 'replay' ? 0 : Number(counted.objects),
    ...{ events, songs },
    tables: await countTables(session, loaded.tables),
    checks: [...checks, ...warnings],
    measures
  }
}

/** Runs the checks over the rows after `event_id_base`. Throws `receipt_mismatch` where one is violated. */
export async function requireChecks(
  session: WriteSession,
  event_id_base: number,
  counted: Pick<Checks[number], 'name' | 'violations'>[] = []
): Promise<Checks> {
  const { rows } = await session.run(load.checks, { event_id_base })
  const checks = [
    ...counted,
    ...rows.map((row) => ({ name: String(row.check_name), violations: Number(row.violations) }))
  ]
  const violated = checks.filter(({ violations }) => violations > 0)
  if (violated.length > 0) {
    const list = violated.map(({ name, violations }) => `${name} (${violations} violations)`).join('; ')
    throw new ServiceError('receipt_mismatch', `Nothing was published, because this does not hold: ${list}.`)
  }
  return checks.map((passed) => ({ ...passed, status: 'passed' as const }))
}

/** What happened to the rows of the star, and how many there are now. */
export async function countTables(session: WriteSession, tables: TableChanges): Promise<Receipt['tables']> {
  const { rows } = await session.run(load.rowCounts)
  return Object.fromEntries(rows.map((row) => tableChange(row, tables)))
}

function tableChange({ table_name, row_count }: Record<string, Value>, tables: TableChanges) {
  const { inserted, deleted } = tables.get(String(table_name)) ?? { inserted: 0, deleted: 0 }
  // A row that is deleted and inserted again is an update.
  const updated = Math.min(inserted, deleted)
  return [
    String(table_name),
    { inserted: inserted - updated, updated, row_count: Number(row_count) }
  ] as const
}
