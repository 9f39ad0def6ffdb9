/** The warehouse's tables: looked at, created, dropped. */
import type { Config } from '../config.ts'
import { ServiceError } from '../errors.ts'
import type { Page } from '../schemas/common.ts'
import type { CreateTables, Table } from '../schemas/tables.ts'
import { parseSql, readSql, type Statement } from '../sql.ts'
import {
  createStatement,
  schemas,
  type TableDefinition,
  tableDefinitions
} from '../warehouse/table-definitions.ts'
import type { Queryable, Warehouse, WriteSession } from '../warehouse/warehouse.ts'
import type { Actor } from './api-keys.ts'
import { requireScope } from './api-keys.ts'
import type { JobContext, JobHandler } from './job-handler.ts'
import type { StartedJob, StartOptions } from './job-start.ts'
import type { Jobs } from './jobs.ts'

const tableColumns = readSql('warehouse/shared/table-columns.sql')

/** The embedded file comes with its schemas, a new cluster does not. */
const createSchemas = schemas.map((schema) =>
  parseSql(`create ${schema}`, `create schema if not exists ${schema}`)
)

const nameOf = ({ schema, name }: { schema: string; name: string }) => `${schema}.${name}`

/** Statements over one table, written from the committed definitions alone. */
const perTable = new Map(
  tableDefinitions.map((definition) => {
    const name = nameOf(definition)
    return [
      name,
      {
        count: parseSql(`count ${name}`, `select count(*) as row_count from ${name}`),
        drop: parseSql(`drop ${name}`, `drop table if exists ${name}`)
      }
    ] as const
  })
)

export interface TablesDependencies {
  warehouse: Warehouse
  jobs: Jobs
  config: Pick<Config, 'DATABASE_NAME'>
}

export type Tables = ReturnType<typeof createTables>

export function createTables({ warehouse, jobs, config }: TablesDependencies) {
  function requireConfirmation(confirm: string | undefined) {
    if (confirm === config.DATABASE_NAME) return
    throw new ServiceError(
      'confirmation_mismatch',
      `This drops every table with its rows and the load ledger. confirm must be the name of the database, ${config.DATABASE_NAME}.`
    )
  }

  /** Throws `cluster_not_found` when there is nothing to have tables in. */
  const checkCluster = async () => void (await readColumns(warehouse))

  return {
    async list(): Promise<Page<Table>> {
      const existing = await readColumns(warehouse)
      const skew = await warehouse.skew()
      const items = await Promise.all(
        tableDefinitions.map((definition) => describe(warehouse, definition, existing, skew))
      )
      return { items, next_cursor: null }
    },

    async get(table: string): Promise<Table> {
      const definition = tableDefinitions.find((candidate) => nameOf(candidate) === table)
      if (definition === undefined) {
        const known = tableDefinitions.map(nameOf).join(', ')
        throw new ServiceError('table_not_found', `There is no table ${table}. There are: ${known}.`)
      }
      return describe(warehouse, definition, await readColumns(warehouse), await warehouse.skew())
    },

    /** Starts the job that creates what is missing; with `recreate` it drops everything first. */
    async create(request: CreateTables, actor: Actor, options: StartOptions): Promise<StartedJob> {
      if (request.recreate === true) {
        requireScope(actor, 'admin')
        requireConfirmation(request.confirm)
      }
      const type = request.recreate === true ? 'tables.recreate' : 'tables.create'
      return jobs.start(type, {}, actor, { ...options, check: checkCluster })
    },

    /** Starts the job that drops every table. */
    async drop(confirm: string, actor: Actor, options: StartOptions): Promise<StartedJob> {
      requireConfirmation(confirm)
      return jobs.start('tables.drop', {}, actor, { ...options, check: checkCluster })
    },

    createHandler: handler(warehouse, ['create']),
    recreateHandler: handler(warehouse, ['drop', 'create']),
    dropHandler: handler(warehouse, ['drop'])
  }
}

const work = { create: createMissing, drop: dropAll }

/** A job that does its steps in one transaction: readers see the tables as before or as after. */
function handler(warehouse: Warehouse, steps: ('create' | 'drop')[]): JobHandler {
  return {
    steps: Object.fromEntries(steps.map((step) => [step, 1])),
    // Throws `cluster_not_found` when there is nothing to have tables in.
    check: async () => void (await readColumns(warehouse)),
    run: (context: JobContext) =>
      warehouse.write(
        async (session) => {
          await session.begin()
          for (const step of steps) {
            await context.step(step)
            await work[step](session)
          }
          await session.commit()
          return { tables: tableDefinitions.map(nameOf) }
        },
        { signal: context.signal }
      )
  }
}

async function createMissing(session: WriteSession) {
  for (const schema of createSchemas) await session.run(schema)
  for (const definition of tableDefinitions) await session.run(createStatement(definition, session.engine))
  // CREATE TABLE IF NOT EXISTS asks for the name alone; a table of another shape must not pass for ours.
  const existing = await readColumns(session)
  const outdated = tableDefinitions.filter((definition) => {
    const columns = definition.columns.map(({ name }) => name)
    return existing.get(nameOf(definition))?.join() !== columns.join()
  })
  if (outdated.length > 0) {
    throw new ServiceError(
      'tables_outdated',
      `These tables exist with other columns: ${outdated.map(nameOf).join(', ')}. POST /v1/tables with recreate drops and creates them.`
    )
  }
}

async function dropAll(session: WriteSession) {
  for (const { drop } of perTable.values()) await session.run(drop)
}

/** Column names of the tables that exist, by table. */
async function readColumns(from: Queryable): Promise<Map<string, string[]>> {
  const { rows } = await from.run(tableColumns)
  const tables = Map.groupBy(rows, (row) => `${row.table_schema}.${row.table_name}`)
  return new Map(
    [...tables].map(([table, columns]) => [table, columns.map((row) => String(row.column_name))])
  )
}

async function describe(
  from: Queryable,
  definition: TableDefinition,
  existing: Map<string, string[]>,
  skew: Map<string, number>
): Promise<Table> {
  const { create: _, ...shown } = definition
  const name = nameOf(definition)
  const exists = existing.has(name)
  const count = perTable.get(name)?.count as Statement
  const row_count = exists ? Number((await from.run(count)).rows[0]?.row_count) : null
  return { ...shown, exists, row_count, skew: skew.get(name) ?? null }
}
