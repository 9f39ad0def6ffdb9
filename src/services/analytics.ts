/** Canned analytics: the catalogue, and running its queries against the warehouse. */

import { ServiceError } from '../errors.ts'
import type {
  AnalyticsQuery,
  AnalyticsQuerySummary,
  AnalyticsResults,
  Column,
  Values
} from '../schemas/analytics.ts'
import type { Page } from '../schemas/common.ts'
import { readSql } from '../sql.ts'
import type { Queryable, QueryOptions, QueryResult, Value } from '../warehouse/warehouse.ts'
import type { CatalogueEntry } from './analytics-catalogue.ts'

export interface AnalyticsParts {
  warehouse: Queryable
  catalogue: readonly CatalogueEntry[]
}

export interface RunOptions extends QueryOptions {
  /** Rows that the answer may hold; what is more is cut off, and said. */
  maxRows?: number
}

const MAX_ROWS = 100_000

export type Analytics = ReturnType<typeof createAnalytics>

const dataVersion = readSql('warehouse/shared/data-version.sql')

export function createAnalytics({ warehouse, catalogue }: AnalyticsParts) {
  const byName = new Map(catalogue.map((entry) => [entry.query, entry]))

  function find(query: string): CatalogueEntry {
    const entry = byName.get(query)
    if (entry === undefined) throw notFound(query)
    return entry
  }

  function notFound(query: string): ServiceError {
    const known = [...byName.keys()].join(', ')
    return new ServiceError('query_not_found', `No canned query is called ${query}. There are: ${known}.`)
  }

  async function ask(query: string, given: Values, { maxRows = MAX_ROWS, ...options }: RunOptions) {
    const started = performance.now()
    const entry = find(query)
    const params = withDefaults(entry, given)
    // The version comes first: a load that commits in between makes the rows newer than the version says,
    // never older, so that whoever keeps the answer under its version keeps nothing stale.
    const { job_id, ...version } = await readVersion(warehouse, options)
    const result = await warehouse.run(entry.statement, params, options)
    checkColumns(entry, result)
    checkValues(entry, result)
    const rows = result.rows.slice(0, maxRows)
    const results: AnalyticsResults = {
      query,
      params,
      columns: entry.columns.map(({ name, type, unit }) => ({ name, type, ...(unit && { unit }) })),
      rows,
      row_count: rows.length,
      truncated: rows.length < result.rows.length,
      ...version,
      elapsed_ms: Math.round(performance.now() - started)
    }
    return { results, load_job: job_id }
  }

  return {
    /** The queries in the order of their names. */
    catalogue,
    /** The error for a query that is not in the catalogue. */
    notFound,

    list(): Page<AnalyticsQuerySummary> {
      return { items: catalogue.map(summarize), next_cursor: null }
    },

    /** One query with its SQL. Throws `query_not_found`. */
    get(query: string): AnalyticsQuery {
      const entry = find(query)
      return { ...summarize(entry), sql: entry.sql }
    },

    /**
     * Runs a query. Parameters that are not given take their default; those without one are null.
     * Their types and bounds are the caller's to check, with the entry's `querystring`.
     * Throws `query_not_found`, `cluster_not_found` and `tables_not_created`.
     */
    async run(query: string, given: Values = {}, options: RunOptions = {}): Promise<AnalyticsResults> {
      return (await ask(query, given, options)).results
    },

    /** Throws `query_not_found`. */
    find,

    /** The same with the job of the load that the data is of: its version alone begins anew with new tables. */
    ask
  }
}

function summarize(entry: CatalogueEntry): AnalyticsQuerySummary {
  const { query, title, question, description, parameters, columns, chart } = entry
  return {
    query,
    title,
    question,
    ...(description && { description }),
    parameters,
    columns,
    ...(chart && { chart })
  }
}

function withDefaults(entry: CatalogueEntry, given: Values): Values {
  const defaults = Object.fromEntries(
    entry.parameters.map((parameter) => [parameter.name, parameter.default])
  )
  return { ...defaults, ...given }
}

async function readVersion(warehouse: Queryable, options: QueryOptions) {
  const [row] = (await warehouse.run(dataVersion, {}, options)).rows
  const asOf = row?.as_of ?? null
  return {
    data_version: Number(row?.data_version ?? 0),
    as_of: asOf === null ? null : String(asOf),
    job_id: row?.job_id ?? null
  }
}

function checkColumns(entry: CatalogueEntry, { columns }: QueryResult): void {
  const declared = entry.columns.map(({ name }) => name)
  if (columns.join() === declared.join()) return
  throw new Error(
    `${entry.statement.name} returns the columns ${columns.join(', ')}; its header says ${declared.join(', ')}`
  )
}

const isOfType: Record<Column['type'], (value: Value) => boolean> = {
  string: (value) => typeof value === 'string',
  // One beyond 2^53 comes as text: as a number it would be another one.
  integer: (value) => Number.isSafeInteger(value),
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  date: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value),
  timestamp: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)
}

/** Throws for a value that is not what the header promises, rather than passing it on as something else. */
function checkValues(entry: CatalogueEntry, { rows }: QueryResult): void {
  for (const { name, type } of entry.columns) {
    const is = isOfType[type]
    const wrong = rows.find((row) => row[name] !== null && !is(row[name] as Value))
    if (wrong !== undefined) {
      throw new Error(
        `${entry.statement.name} returns ${JSON.stringify(wrong[name])} for ${name}, which is no ${type}`
      )
    }
  }
}
