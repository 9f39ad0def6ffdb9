/** Runs statements on a connection of DuckDB, each of which can be interrupted. */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import { bindParams, type Params, type Statement } from '../sql.ts'
import { fromDuckdb, toDuckdb } from './duckdb-values.ts'
import type { QueryResult, Value } from './warehouse.ts'

/** How often an aborted statement is interrupted until it has ended, in ms. */
const INTERRUPT_INTERVAL = 20

/** Runs one statement; aborting `signal` interrupts it inside the engine. */
export async function runOn(
  connection: DuckDBConnection,
  statement: Statement,
  params?: Params,
  signal?: AbortSignal
): Promise<QueryResult> {
  const stopInterrupting = interruptOn(connection, signal)
  try {
    const values = bindParams(statement, params).map(toDuckdb)
    const reader = await connection.runAndReadAll(statement.text, values)
    const columns = reader.columnNames()
    return { columns, rows: reader.getRows().map(rowOf(columns)), changed: reader.rowsChanged }
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    stopInterrupting()
  }
}

/**
 * The same for a statement that reads, with its rows in parts as they are taken. The engine ends a streamed result early, without
 * a word, when its statement fails on the way; so the statement runs to its end first, into a table that may be larger than
 * the memory, and the rows of that are counted.
 */
export async function* streamOn(
  connection: DuckDBConnection,
  statement: Statement,
  params?: Params,
  signal?: AbortSignal
): AsyncGenerator<QueryResult> {
  const stopInterrupting = interruptOn(connection, signal)
  try {
    const values = bindParams(statement, params).map(toDuckdb)
    const kept = await connection.runAndReadAll(`create temp table answer as ${statement.text}`, values)
    const expected = Number(kept.getRows()[0]?.[0])
    const result = await connection.stream('select * from temp.answer')
    const columns = result.columnNames()
    let found = 0
    for await (const rows of result.yieldRows()) {
      found += rows.length
      yield { columns, rows: rows.map(rowOf(columns)), changed: 0 }
    }
    signal?.throwIfAborted()
    if (found !== expected) throw new Error(`the engine gave ${found} of ${expected} rows`)
    if (found === 0) yield { columns, rows: [], changed: 0 }
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    stopInterrupting()
  }
}

function interruptOn(connection: DuckDBConnection, signal?: AbortSignal): () => void {
  signal?.throwIfAborted()
  let timer: NodeJS.Timeout | undefined
  const interrupt = () => {
    connection.interrupt()
    // The engine forgets an interrupt that comes before the statement has started in its thread.
    timer ??= setInterval(interrupt, INTERRUPT_INTERVAL)
  }
  signal?.addEventListener('abort', interrupt)
  return () => {
    signal?.removeEventListener('abort', interrupt)
    clearInterval(timer)
  }
}

const rowOf =
  (columns: string[]) =>
  (values: DuckDBValue[]): Record<string, Value> =>
    Object.fromEntries(columns.map((column, index) => [column, fromDuckdb(values[index] ?? null)]))
