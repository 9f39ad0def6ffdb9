/**
 * Whether queries of an operator's own are what they should be: a SELECT over the warehouse's tables that reads nothing else.
 * They are bound, not run, in an empty database in memory, which has no way to files or networks.
 */
import { DuckDBInstance, StatementType } from '@duckdb/node-api'
import { bindParams, type Statement } from '../sql.ts'
import { toDuckdb } from './duckdb-values.ts'
import { schemas, tableDefinitions } from './table-definitions.ts'

/** What is wrong with each statement, in their order; undefined where nothing is. */
export async function checkQueries(statements: readonly Statement[]): Promise<(string | undefined)[]> {
  const instance = await DuckDBInstance.create(':memory:', {
    enable_external_access: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false'
  })
  const connection = await instance.connect()
  try {
    for (const schema of schemas) await connection.run(`create schema ${schema}`)
    for (const { create } of tableDefinitions) await connection.run(create.text)
    await connection.run("set search_path = 'analytics,staging'")
    const found: (string | undefined)[] = []
    for (const statement of statements) found.push(await check(statement))
    return found
  } finally {
    connection.closeSync()
    instance.closeSync()
  }

  async function check(statement: Statement): Promise<string | undefined> {
    try {
      const prepared = await connection.prepare(statement.text)
      const { statementType } = prepared
      prepared.destroySync()
      if (statementType !== StatementType.SELECT) return 'the statement must be a SELECT'
      // Over tables without rows, with every parameter null: what only running shows, shows.
      const nulls = Object.fromEntries(statement.params.map((name) => [name, null]))
      await connection.runAndReadAll(statement.text, bindParams(statement, nulls).map(toDuckdb))
      return undefined
    } catch (error) {
      return `the engine refuses it: ${(error as Error).message.split('\n')[0]}`
    }
  }
}
