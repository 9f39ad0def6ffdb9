/**
 * The statements of a load, in the order in which they run, over the temporary tables that a `WriteSession` fills.
 * They are the same on every engine, and keep one property: whatever way the input is split into loads, and in
 * whatever order the loads come, `analytics.*` ends up the same.
 */
import { type Params, readSql, type Statement } from '../sql.ts'
import type { WriteSession } from '../warehouse/warehouse.ts'

const sql = (name: string): Statement => readSql(`warehouse/shared/load/${name}.sql`)

export const newObjects = sql('01-new-objects')
export const countNewObjects = sql('02-count-new-objects')
export const selectNewObjects = sql('02-select-new-objects')
export const findLoad = sql('03-find-load')
export const countMovedObjects = sql('04-count-moved-objects')
export const baseline = sql('05-baseline')
export const selectConflicts = sql('13-select-conflicts')
export const selectRejects = sql('14-select-rejects')
export const counts = sql('80-counts')
export const checks = sql('81-checks')
export const rowCounts = sql('82-row-counts')
export const measures = sql('83-measures')
export const pastReceipts = sql('84-past-receipts')
export const insertLoadedObjects = sql('90-insert-loaded-objects')
export const insertRejects = sql('91-insert-rejects')
export const insertLoad = sql('92-insert-load')
export const deleteOldRejects = readSql('warehouse/shared/rejects/delete-old.sql')

/** Empties the star, table by table. */
export const clearStar = ['songplays', 'users', 'songs', 'artists', 'time'].map(
  (name) => [`analytics.${name}`, sql(`clear-analytics.${name}`)] as const
)

/** Empties what a full load fills again. */
export const clear = [
  ...clearStar.map(([, statement]) => statement),
  sql('clear-staging.events'),
  sql('clear-staging.songs'),
  sql('clear-ops.loaded_objects')
]

/** Sorts duplicates and conflicts out of the staged events. */
export const deduplicate = [sql('10-event-repeats'), sql('11-event-suspects'), sql('12-event-verdicts')]

export const insertTime = sql('70-insert-time')

/** From the staged rows to the star. `counts` names the table whose inserted rows the receipt tells. */
export const transform: { statement: Statement; inserted?: string; deleted?: string }[] = [
  { statement: sql('20-insert-events') },
  { statement: sql('30-song-changes') },
  { statement: sql('31-delete-changed-songs') },
  { statement: sql('32-insert-songs') },
  { statement: sql('40-affected-plays') },
  { statement: sql('41-matches') },
  { statement: sql('42-rematched-plays') },
  { statement: sql('43-delete-rematched-plays'), deleted: 'analytics.songplays' },
  { statement: sql('44-insert-songplays'), inserted: 'analytics.songplays' },
  { statement: sql('50-latest-plays') },
  { statement: sql('51-delete-outdated-plays') },
  { statement: sql('52-delete-users'), deleted: 'analytics.users' },
  { statement: sql('53-insert-users'), inserted: 'analytics.users' },
  { statement: sql('60-delete-songs'), deleted: 'analytics.songs' },
  { statement: sql('61-insert-songs'), inserted: 'analytics.songs' },
  { statement: sql('62-affected-artists') },
  { statement: sql('63-delete-artists'), deleted: 'analytics.artists' },
  { statement: sql('64-insert-artists'), inserted: 'analytics.artists' },
  { statement: insertTime, inserted: 'analytics.time' }
]

/** Runs a statement with those of `values` that it asks for. */
export function runWith(session: WriteSession, statement: Statement, values: Params) {
  return session.run(statement, Object.fromEntries(statement.params.map((name) => [name, values[name]])))
}
