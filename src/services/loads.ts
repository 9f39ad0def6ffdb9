/** The load ledger as the API shows it. It lives in the warehouse, beside the rows that it vouches for. */
import { ServiceError } from '../errors.ts'
import type { Page, PageQuery } from '../schemas/common.ts'
import type {
  Load,
  LoadedObject,
  LoadVerification,
  Receipt,
  RejectListQuery,
  RejectRecord
} from '../schemas/loads.ts'
import { fillLiterals, readSql } from '../sql.ts'
import type { Value, Warehouse } from '../warehouse/warehouse.ts'
import { verifyLoad } from './load-verify.ts'
import { readNumberCursor, toPage } from './pagination.ts'

const listLoads = readSql('warehouse/shared/loads/list.sql')
const getLoad = readSql('warehouse/shared/loads/get.sql')
const listObjects = readSql('warehouse/shared/loads/objects.sql')
const listRejects = readSql('warehouse/shared/rejects/list.sql')

type Row = Record<string, Value>

export type Loads = ReturnType<typeof createLoads>

/** `rejectRetentionDays`: how long loads keep rejects. */
export function createLoads(warehouse: Warehouse, rejectRetentionDays: number) {
  async function get(id: string): Promise<Load> {
    const load_id = /^[1-9]\d{0,14}$/.test(id) ? Number(id) : 0
    const row = (await warehouse.run(getLoad, { load_id })).rows[0]
    if (row === undefined) {
      throw new ServiceError('load_not_found', `No load has the id ${id}. GET /v1/loads lists the loads.`)
    }
    return toLoad(row)
  }

  return {
    get,

    /** Counts again what a receipt claims. Throws `load_not_found`. */
    verify: async (id: string): Promise<LoadVerification> =>
      verifyLoad(warehouse, await get(id), rejectRetentionDays),

    /** One page of receipts, newest first. */
    async list({ limit, cursor }: PageQuery): Promise<Page<Load>> {
      const statement = fillLiterals(listLoads, { limit: limit + 1 }, warehouse.engine)
      const { rows } = await warehouse.run(statement, { before_id: readNumberCursor(cursor) })
      return toPage(rows.map(toLoad), limit, (load) => load.sequence)
    },

    /** One page of the objects that a load read. */
    async objects(id: string, { limit, cursor }: PageQuery): Promise<Page<LoadedObject>> {
      const { sequence } = await get(id)
      const offset = readNumberCursor(cursor) ?? 0
      const statement = fillLiterals(listObjects, { offset, limit: limit + 1 }, warehouse.engine)
      const { rows } = await warehouse.run(statement, { load_id: sequence })
      return toPage(rows.map(toObject), limit, () => offset + limit)
    },

    /** One page of rejects, oldest first. */
    async rejects({ limit, cursor, load_id, ...filter }: RejectListQuery): Promise<Page<RejectRecord>> {
      const statement = fillLiterals(listRejects, { limit: limit + 1 }, warehouse.engine)
      const { rows } = await warehouse.run(statement, {
        load_id: load_id === undefined ? null : Number(load_id),
        job_id: filter.job_id ?? null,
        kind: filter.kind ?? null,
        code: filter.code ?? null,
        is_replayed: filter.replayed ?? null,
        after_id: readNumberCursor(cursor)
      })
      return toPage(rows.map(toReject), limit, (reject) => reject.id)
    }
  }
}

function countsOf(row: Row, prefix: string) {
  const of = (name: string) => Number(row[`${prefix}_${name}`])
  return { read: of('read'), loaded: of('loaded'), duplicates: of('duplicates'), rejected: of('rejected') }
}

function toLoad(row: Row): Load {
  const id = String(row.load_id)
  const { tables, checks, measures } = JSON.parse(String(row.receipt)) as Receipt
  return {
    id,
    sequence: Number(row.load_id),
    job_id: String(row.job_id),
    mode: String(row.mode),
    committed_at: String(row.committed_at),
    data_version: Number(row.data_version),
    objects: Number(row.objects),
    objects_skipped: Number(row.objects_skipped),
    events: countsOf(row, 'events'),
    songs: countsOf(row, 'songs'),
    ...{ tables, checks, measures },
    links: {
      self: `/v1/loads/${id}`,
      objects: `/v1/loads/${id}/objects`,
      rejects: `/v1/rejects?load_id=${id}`,
      job: `/v1/jobs/${row.job_id}`
    }
  }
}

function toObject(row: Row): LoadedObject {
  return {
    kind: String(row.kind),
    url: String(row.url),
    etag: String(row.etag),
    bytes: Number(row.bytes),
    records: countsOf(row, 'records')
  }
}

function toReject({
  reject_id,
  load_id,
  column_name,
  line_number,
  raw_text,
  raw_truncated,
  replayed_by,
  ...row
}: Row): RejectRecord {
  const text = (name: string) => String(row[name])
  return {
    id: Number(reject_id),
    job_id: text('job_id'),
    load_id: load_id === null || load_id === undefined ? null : String(load_id),
    kind: text('kind'),
    url: text('url'),
    etag: text('etag'),
    line_number: line_number === null || line_number === undefined ? null : Number(line_number),
    code: text('code'),
    column: column_name === null || column_name === undefined ? null : String(column_name),
    message: text('message'),
    raw: raw_text === null || raw_text === undefined ? null : String(raw_text),
    raw_truncated: raw_truncated === true,
    rejected_at: text('rejected_at'),
    replayed_by: replayed_by === null || replayed_by === undefined ? null : String(replayed_by)
  }
}
