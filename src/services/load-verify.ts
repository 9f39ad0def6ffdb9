/** Counts again what a receipt claims, and says what no longer holds, and where a later load is the reason. */
import type { Load, LoadVerification } from '../schemas/loads.ts'
import { readSql } from '../sql.ts'
import type { Value, Warehouse } from '../warehouse/warehouse.ts'
import { checks as checkStar, rowCounts } from './load-sql.ts'

const recount = readSql('warehouse/shared/loads/recount.sql')

type Claim = LoadVerification['claims'][number]
type Row = Record<string, Value>

/** `rejectRetentionDays`: rejects that are older may be gone. */
export async function verifyLoad(
  warehouse: Warehouse,
  load: Load,
  rejectRetentionDays: number
): Promise<LoadVerification> {
  const [found = {}] = (await warehouse.run(recount, { load_id: load.sequence })).rows
  const isReplaced = Number(found.full_since) > 0
  const claims = [
    ...(isReplaced ? [] : countClaims(load, found, rejectRetentionDays)),
    ...(Number(found.last_load_id) === load.sequence ? await rowClaims(warehouse, load) : []),
    ...(isReplaced ? [] : await checkClaims(warehouse, Number(found.first_event_id)))
  ]
  return {
    load_id: load.id,
    verified_at: new Date().toISOString(),
    holds: claims.every(({ status }) => status !== 'violated'),
    replaced_by: isReplaced ? String(found.full_since) : null,
    claims,
    links: { load: load.links.self }
  }
}

const judge = (claim: string, claimed: number, found: number, isSuperseded = false): Claim => ({
  ...{ claim, claimed, found },
  status: claimed === found ? 'holds' : isSuperseded ? 'superseded' : 'violated'
})

function countClaims(load: Load, found: Row, rejectRetentionDays: number): Claim[] {
  const of = (name: string) => Number(found[name])
  const age = Date.now() - Date.parse(load.committed_at)
  const missingSongs = load.songs.loaded - of('songs')
  // What a replay rejects again stays the reject of the load that met it first.
  const rejected = load.mode === 'replay' ? 0 : load.events.rejected + load.songs.rejected
  return [
    judge('events loaded', load.events.loaded, of('events')),
    judge('plays of its events', of('plays_expected'), of('plays')),
    // A song that is delivered again with other content replaces its row.
    judge(
      'songs loaded',
      load.songs.loaded,
      of('songs'),
      missingSongs > 0 && missingSongs <= of('songs_since')
    ),
    judge('objects', load.objects, of('objects')),
    judge('rejects kept', rejected, of('rejects'), age > rejectRetentionDays * 86_400_000)
  ]
}

/** Only the latest load can still claim how many rows there are. */
async function rowClaims(warehouse: Warehouse, load: Load): Promise<Claim[]> {
  const { rows } = await warehouse.run(rowCounts)
  return rows.map(({ table_name, row_count }) =>
    judge(`rows of ${table_name}`, load.tables[String(table_name)]?.row_count ?? 0, Number(row_count))
  )
}

/** The checks that the load has passed, over its plays and those after them. */
async function checkClaims(warehouse: Warehouse, firstEvent: number): Promise<Claim[]> {
  const { rows } = await warehouse.run(checkStar, { event_id_base: Math.max(0, firstEvent - 1) })
  return rows.map(({ check_name, violations }) => judge(String(check_name), 0, Number(violations)))
}
