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
import type { Queryable, QueryOptions, QueryResult, Value, Warehouse } from '../warehouse/warehouse.ts'
import type { CatalogueEntry } from './analytics-catalogue.ts'

export interface AnalyticsParts {
  warehouse: Pick<Warehouse, 'run' | 'stream'>
  catalogue: readonly CatalogueEntry[]
}

export interface RunOptions extends QueryOptions {
  /** Rows that the answer may hold; what is more is cut off, and said. */
  maxRows?: number
}

/** What the last load made of the data. */
export interface DataVersion {
  data_version: number
  as_of: string | null
  /** The job of that load: the version alone begins anew with new tables. */
  job_id: Value
}

export interface OpenOptions extends QueryOptions {
  /** The version of the data where it is known; without it the warehouse is asked first. */
  version?: DataVersion | undefined
}

/** An answer whose rows are yet to be taken. */
export interface OpenAnswer {
  head: Omit<AnalyticsResults, 'rows' | 'row_count' | 'truncated' | 'elapsed_ms'>
  version: DataVersion
  /** When it was asked, by `performance.now()`. */
  started: number
  /** At least one, which may be empty. Throws for rows that are not what the query's header promises. */
  batches: AsyncIterable<Values[]>
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

  async function open(
    query: string,
    given: Values,
    { version: known, ...options }: OpenOptions = {}
  ): Promise<OpenAnswer> {
    const started = performance.now()
    const entry = find(query)
    const params = withDefaults(entry, given)
    // The version comes first: a load that commits in between makes the rows newer than the version says,
    // never older, so that whoever keeps the answer under its version keeps nothing stale.
    const version = known ?? (await readVersion(warehouse, options))
    const { data_version, as_of } = version
    const columns = entry.columns.map(({ name, type, unit }) => ({ name, type, ...(unit && { unit }) }))
    return {
      head: { query, params, columns, data_version, as_of },
      version,
      started,
      batches: checked(entry, warehouse.stream(entry.statement, params, options))
    }
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
     * Throws `query_not_found`, `cluster_not_found` and `tables_not_created`, the last two when the rows are taken.
     */
    open,

    /** The same, with all the rows. */
    async run(query: string, given: Values = {}, options: RunOptions = {}): Promise<AnalyticsResults> {
      return collect(await open(query, given, options), options.maxRows)
    },

    /** Throws `query_not_found`. */
    find
  }
}

/** Takes the rows of an answer, so many at most; `truncated` tells whether there are more. */
export async function collect(
  { head, started, batches }: OpenAnswer,
  maxRows = MAX_ROWS
): Promise<AnalyticsResults> {
  const rows: Values[] = []
  for await (const batch of batches) {
    for (const row of batch) rows.push(row)
    if (rows.length > maxRows) break
  }
  const { query, params, columns, ...version } = head
  return {
    ...{ query, params, columns },
    rows: rows.slice(0, maxRows),
    row_count: Math.min(rows.length, maxRows),
    truncated: rows.length > maxRows,
    ...version,
    elapsed_ms: Math.round(performance.now() - started)
  }
}

async function* checked(entry: CatalogueEntry, parts: AsyncIterable<QueryResult>): AsyncGenerator<Values[]> {
  for await (const part of parts) {
    checkColumns(entry, part)
    checkValues(entry, part)
    yield part.rows
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

async function readVersion(warehouse: Queryable, options: QueryOptions): Promise<DataVersion> {
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
