/** An embedded warehouse with one small table, for tests of the warehouse itself. */
import { join } from 'node:path'
import type { Test } from 'tap'
import { parseSql } from '../src/sql.ts'
import { createDuckdbWarehouse, type DuckdbWarehouse } from '../src/warehouse/duckdb.ts'
import type { Queryable } from '../src/warehouse/warehouse.ts'
import { temporaryDirectory } from './files.ts'

export const statement = (text: string) => parseSql('test', text)
export const numbers = statement('select n from staging.numbers order by n')
export const createNumbers = statement('create table staging.numbers (n bigint)')
export const insertOne = statement('insert into staging.numbers values (1)')
/** Runs for many seconds unless it is interrupted. */
export const long = statement(
  'select count(*) from range(3000000) as a, range(3000) as b where a.range * b.range % 7 = 3'
)

export const open = (directory: string) =>
  createDuckdbWarehouse({ path: join(directory, 'test.duckdb'), tempDirectory: join(directory, 'temp') })

/** A warehouse with the empty table staging.numbers; closed when the test ends. */
export async function openNumbers(t: Test): Promise<DuckdbWarehouse> {
  const warehouse = open(temporaryDirectory(t))
  t.teardown(() => warehouse.close())
  await warehouse.create()
  await warehouse.write((session) => session.run(createNumbers))
  return warehouse
}

export const read = async (from: Queryable) => (await from.run(numbers)).rows.map(({ n }) => n)
