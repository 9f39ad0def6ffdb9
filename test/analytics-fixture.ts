/**
 * A warehouse small enough to check by eye, on DuckDB and on PostgreSQL: the canned queries are
 * written in the SQL that both accept, and this is what holds them to it.
 */
import type { Test } from 'tap'
import { bindParams, parseSql } from '../src/sql.ts'
import { createDuckdbWarehouse } from '../src/warehouse/duckdb.ts'
import { toRedshift, types } from '../src/warehouse/redshift-values.ts'
import { schemas, tableDefinitions } from '../src/warehouse/table-definitions.ts'
import type { Queryable, Value, Warehouse } from '../src/warehouse/warehouse.ts'
import { temporaryDirectory } from './files.ts'
import { connectToEmptyDatabase } from './postgres.ts'

export const engines = ['duckdb', 'postgres'] as const

export interface FixtureWarehouse extends Pick<Warehouse, 'run' | 'stream'> {
  /** Runs one statement as it stands. */
  exec(sql: string): Promise<void>
}

/** A warehouse with its tables and no rows; it is closed when the test ends. */
export async function openWarehouse(t: Test, engine: (typeof engines)[number]): Promise<FixtureWarehouse> {
  const warehouse = engine === 'duckdb' ? await openDuckdb(t) : await openPostgres(t)
  for (const { create } of tableDefinitions) await warehouse.exec(create.text)
  return warehouse
}

/** Adds the plays, songs, artists, users and loads below. */
export async function addExamples(warehouse: FixtureWarehouse): Promise<void> {
  for (const statement of exampleRows.split(';\n')) await warehouse.exec(statement)
}

/** A warehouse that gives the rows of a statement in one part. */
export function queryable(run: Queryable['run']): Pick<Warehouse, 'run' | 'stream'> {
  return {
    run,
    async *stream(...asked) {
      yield await run(...asked)
    }
  }
}

/** The embedded warehouse as the service opens it. */
async function openDuckdb(t: Test): Promise<FixtureWarehouse> {
  const directory = temporaryDirectory(t)
  const warehouse = createDuckdbWarehouse({
    path: `${directory}/example.duckdb`,
    tempDirectory: `${directory}/temp`
  })
  t.teardown(() => warehouse.close())
  await warehouse.create()
  return {
    run: warehouse.run,
    stream: warehouse.stream,
    exec: async (sql) => void (await warehouse.write((session) => session.run(parseSql('fixture', sql))))
  }
}

async function openPostgres(t: Test): Promise<FixtureWarehouse> {
  const client = await connectToEmptyDatabase(t)
  await client.query("set timezone to 'UTC'; set search_path to analytics, staging")
  for (const schema of schemas) await client.query(`create schema ${schema}`)
  const run: Queryable['run'] = async (statement, params) => {
    const values = bindParams(statement, params).map(toRedshift)
    const { text } = statement
    const result = await client.query<Value[]>({ text, values, types, rowMode: 'array' })
    const columns = result.fields.map(({ name }) => name)
    const rows = result.rows.map((row) =>
      Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null]))
    )
    return { columns, rows, changed: result.rowCount ?? 0 }
  }
  return {
    ...queryable(run),
    exec: async (sql) => void (await client.query(sql))
  }
}

// 2018 by song and month: Gamma 11 = 2, Alpha 11 = 2, Beta 11 = 1, Alpha 12 = 1; one play has no song.
// Two plays share the first moment of November, and so one row of `time`; both edges of 2018 are there.
const exampleRows = `
  insert into analytics.artists values
    ('A1', 'Ann', 'Oslo', 59.9, 10.7), ('A2', 'Bob', null, null, null), ('A3', 'Never played', null, null, null);
  insert into analytics.songs values
    ('S1', 'Alpha', 'A1', 2001, 200), ('S2', 'Beta', 'A1', 0, 210), ('S3', 'Gamma', 'A2', 1999, 220),
    ('S4', 'Never played', 'A1', 1999, 230);
  insert into analytics.users values
    (1, 'Ida', 'Lie', 'F', 'paid'), (2, 'Ole', 'Vik', 'M', 'free'), (3, 'Eva', 'Moe', 'F', 'free'),
    (4, 'Only in 2019', 'Dahl', 'M', 'free');
  insert into analytics.songplays values
    (1, '2018-11-01 00:00:00',     1, 'paid', 'S1', 'A1', 10, null, null, 200),
    (2, '2018-11-01 00:00:00',     2, 'free', 'S1', 'A1', 11, null, null, 200),
    (3, '2018-11-05 08:30:00.796', 1, 'paid', 'S2', 'A1', 12, null, null, 210),
    (4, '2018-11-05 08:31:00.796', 3, 'free', 'S3', 'A2', 13, null, null, 220),
    (5, '2018-11-06 23:00:00.796', 3, 'free', 'S3', 'A2', 14, null, null, 220),
    (6, '2018-11-07 08:00:00.796', 2, 'free', null, null, 15, null, null, 99),
    (7, '2018-12-31 23:59:59.999', 1, 'paid', 'S1', 'A1', 16, null, null, 200),
    (8, '2017-12-31 23:59:59.999', 2, 'free', 'S3', 'A2', 17, null, null, 220),
    (9, '2019-01-01 00:00:00',     4, 'free', 'S3', 'A2', 18, null, null, 220),
    (10, '2019-01-01 00:00:00.001', 1, 'paid', 'S2', 'A1', 19, null, null, 210);
  insert into analytics.time
    select distinct start_time, cast(extract(hour from start_time) as integer),
      cast(extract(day from start_time) as integer), cast(extract(week from start_time) as integer),
      cast(extract(month from start_time) as integer), cast(extract(year from start_time) as integer),
      cast(extract(dow from start_time) as integer)
    from analytics.songplays;
  insert into ops.loads values
    (1, 'job_1', 'incremental', '2026-01-02 03:04:05.678', 1, 1, 0, 7, 7, 0, 0, 4, 4, 0, 0, '{}'),
    (2, 'job_2', 'incremental', '2026-01-03 03:04:05.678', 2, 1, 1, 3, 3, 0, 0, 0, 0, 0, 0, '{}')
`
