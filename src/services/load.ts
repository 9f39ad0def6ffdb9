/** The part of a load that fills staging and star from the staged rows, inside the one transaction of the load. */
import { ServiceError } from '../errors.ts'
import { fillLiterals } from '../sql.ts'
import type { WriteSession } from '../warehouse/warehouse.ts'
import { one } from './load-ledger.ts'
import { REJECTS_KEPT_ON_FAILURE } from './load-rejects.ts'
import type { Loaded, LoadRequest, TableChanges } from './load-request.ts'
import * as load from './load-sql.ts'

/** Rejects that a failing job shows in its error. */
const REJECTS_SHOWN = 20

/**
 * Fills staging and star from the staged rows. Throws `ledger_moved` when another load was faster, and
 * `too_many_rejects` when conflicting events exceed what the request allows.
 */
export async function transform(
  session: WriteSession,
  request: LoadRequest,
  rejected: number
): Promise<Loaded> {
  const isFull = request.mode === 'full'
  const moved = await one(session.run(load.countMovedObjects, { is_full: isFull }))
  if (Number(moved.moved) > 0) {
    throw new ServiceError('ledger_moved', `${moved.moved} objects were published by another load meanwhile.`)
  }
  if (isFull) for (const statement of load.clear) await session.run(statement)
  const base = await one(session.run(load.baseline))
  const values = {
    load_id: Number(base.load_id) + 1,
    event_id_base: base.event_id,
    first_ts: base.first_ts,
    last_ts: base.last_ts
  }
  for (const statement of load.deduplicate) await load.runWith(session, statement, values)
  await rejectConflicts(session, request, rejected)

  const tables: TableChanges = new Map()
  for (const [index, { statement, inserted, deleted }] of load.transform.entries()) {
    const { changed } = await load.runWith(session, statement, values)
    const name = inserted ?? deleted
    const table = tables.get(name ?? '') ?? { inserted: 0, deleted: 0 }
    if (inserted !== undefined) table.inserted += changed
    if (deleted !== undefined) table.deleted += changed
    if (name !== undefined) tables.set(name, table)
    request.onProgress({ rows: table.inserted, fraction: (index + 1) / load.transform.length })
  }
  return {
    load_id: values.load_id,
    data_version: Number(base.data_version),
    event_id_base: Number(base.event_id),
    reject_id_base: Number(base.reject_id),
    tables
  }
}

/** Two events with one identity and different content: the first stays, the others become rejects. */
async function rejectConflicts(session: WriteSession, request: LoadRequest, rejected: number) {
  const limit = Math.max(request.allowed_rejects, REJECTS_KEPT_ON_FAILURE)
  const { rows } = await session.run(fillLiterals(load.selectConflicts, { limit }, session.engine))
  const total = rejected + Number(rows[0]?.conflicts ?? 0)
  const conflicting = rows.map((row) => ({
    row_no: Number(row.row_no),
    code: 'conflicting_event',
    column_name: null
  }))
  if (total <= request.allowed_rejects) return session.reject('events', conflicting)
  await session.rollback()
  await session.reject('events', conflicting)
  throw await failOverRejects(session, request, total)
}

/** Keeps the rejects for GET /v1/rejects, in a transaction of their own: the load itself publishes nothing. */
export async function failOverRejects(session: WriteSession, request: LoadRequest, rejected: number) {
  const kept = await session.run(fillLiterals(load.selectRejects, { limit: REJECTS_SHOWN }, session.engine))
  await session.begin()
  await session.lockLedger()
  const base = await one(session.run(load.baseline))
  await session.run(load.insertRejects, {
    job_id: request.job_id,
    load_id: null,
    reject_id_base: base.reject_id,
    rejected_at: new Date()
  })
  await session.commit()
  return new ServiceError(
    'too_many_rejects',
    `${rejected} records were rejected and max_rejects is ${request.max_rejects}, so nothing was published. ` +
      `See GET /v1/rejects?job_id=${request.job_id}; repair the objects, or start the job with a higher max_rejects.`,
    {
      errors: kept.rows.map(({ url, line_number, code, message }) => ({
        pointer: line_number === null ? String(url) : `${url}#line=${line_number}`,
        code: String(code),
        message: String(message)
      }))
    }
  )
}
