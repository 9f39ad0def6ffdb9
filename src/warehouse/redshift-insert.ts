/** Rows from here into a temporary table of the session, bound. */
import { type Params, parseSql, type Statement } from '../sql.ts'
import type { QueryResult, Value } from './warehouse.ts'

/** Values that one statement may bind. */
const MAX_BINDS = 32_000

type Run = (statement: Statement, params?: Params) => Promise<QueryResult>
type Table = 'load_listing' | 'load_rejects'

/** Few rows: rejects, or a listing where nothing can be written to S3. */
export async function insertRows(run: Run, table: Table, rows: Value[][]): Promise<void> {
  const width = rows[0]?.length ?? 1
  const perStatement = Math.floor(MAX_BINDS / width)
  for (let from = 0; from < rows.length; from += perStatement) {
    const batch = rows.slice(from, from + perStatement)
    await run(
      insertStatement(table, batch),
      Object.fromEntries(batch.flat().map((value, index) => [bindName(index), value]))
    )
  }
}

/** `a`, `b`, ... `z`, `ba`, ...: parameter names are letters. */
const bindName = (index: number): string =>
  (index >= 26 ? bindName(Math.floor(index / 26)) : '') + String.fromCharCode(97 + (index % 26))

/** An INSERT of bound rows: only the number of rows varies. */
function insertStatement(table: Table, rows: Value[][]): Statement {
  let index = 0
  const tuples = rows.map((row) => `(${row.map(() => `:${bindName(index++)}`).join(', ')})`)
  return parseSql(`insert into ${table}`, `insert into ${table} values ${tuples.join(', ')}`)
}
