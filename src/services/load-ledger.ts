/** The ledger as a load writes and reads it: in the transaction of the rows that it vouches for. */
import type { Receipt } from '../schemas/loads.ts'
import type { RecordKind, Value, WriteSession } from '../warehouse/warehouse.ts'
import type { Loaded, LoadRequest } from './load-request.ts'
import * as load from './load-sql.ts'

const DAY = 86_400_000

/** Tells the ledger which objects were read and what was rejected, and forgets rejects that are older than they are kept. */
export async function recordObjects(
  session: WriteSession,
  { job_id, reject_retention_days }: Pick<LoadRequest, 'job_id' | 'reject_retention_days'>,
  { load_id, reject_id_base }: Loaded
) {
  const rejected_at = new Date()
  await session.run(load.insertLoadedObjects, { load_id })
  await session.run(load.insertRejects, { job_id, load_id, reject_id_base, rejected_at })
  await session.run(load.deleteOldRejects, {
    before: new Date(rejected_at.getTime() - reject_retention_days * DAY)
  })
}

/** Writes the receipt and commits: from here on the load has happened. Returns the result of the job. */
export async function publish(session: WriteSession, receipt: Receipt, load_id: number) {
  const { events, songs, tables, checks, measures, ...rest } = receipt
  const flat = (kind: string, sums: Receipt['events']) =>
    Object.fromEntries(Object.entries(sums).map(([name, value]) => [`${kind}_${name}`, value]))
  await session.run(load.insertLoad, {
    ...{ load_id, committed_at: new Date(), ...rest },
    ...flat('events', events),
    ...flat('songs', songs),
    receipt: JSON.stringify({ tables, checks, measures })
  })
  await session.commit()
  return { load_id: String(load_id), data_version: receipt.data_version, events, songs }
}

/** The result of the load that an earlier attempt at the job has committed, or undefined. */
export async function publishedResult(session: WriteSession, job_id: string): Promise<object | undefined> {
  const [row] = (await session.run(load.findLoad, { job_id })).rows
  if (row === undefined) return undefined
  return {
    load_id: String(row.load_id),
    data_version: Number(row.data_version),
    events: countsOf(row, 'events'),
    songs: countsOf(row, 'songs')
  }
}

export function countsOf(row: Record<string, Value>, kind: RecordKind): Receipt['events'] {
  const of = (name: string) => Number(row[`${kind}_${name}`])
  return { read: of('read'), loaded: of('loaded'), duplicates: of('duplicates'), rejected: of('rejected') }
}

/** The row of a statement that always has one. */
export async function one(
  result: Promise<{ rows: Record<string, Value>[] }>
): Promise<Record<string, Value>> {
  const [row] = (await result).rows
  if (row === undefined) throw new Error('a statement that always has a row had none')
  return row
}
