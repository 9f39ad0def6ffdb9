/**
 * Canned queries: what the header of a query's `.sql` file may say, what the API shows of a query, and the
 * schemas of its parameters and results, which are built from that header.
 */
import { type Static, type TObjectOptions, type TString, type TUnsafe, Type } from 'typebox'
import type { Value } from '../warehouse/warehouse.ts'
import { Nullable, pageOf, Text, TimestampSchema, WaitHeadersSchema } from './common.ts'

const closed = { additionalProperties: false }
const Line = (description: string) => Type.String({ minLength: 1, description })
const Scalar = (description: string) =>
  Type.Unsafe<string | number | boolean>({ type: ['string', 'number', 'boolean'], description })

const parameterFields = {
  type: Type.Enum(['integer', 'number', 'string', 'boolean', 'date'], { type: 'string' }),
  minimum: Type.Optional(Type.Number({ description: 'Least value, for integer and number' })),
  maximum: Type.Optional(Type.Number({ description: 'Greatest value, for integer and number' })),
  enum: Type.Optional(
    Type.Array(Scalar('An accepted value'), {
      minItems: 1,
      uniqueItems: true,
      description: 'Accepted values'
    })
  ),
  description: Type.Optional(Line('What it stands for')),
  example: Type.Optional(Scalar('A value for the documentation'))
}

const columnFields = {
  type: Type.Enum(['string', 'integer', 'number', 'boolean', 'date', 'timestamp'], { type: 'string' }),
  unit: Type.Optional(Line('What is counted or measured')),
  description: Type.Optional(Line('What it stands for')),
  example: Type.Optional(Scalar('A value for the documentation'))
}

const ParameterHeaderSchema = Type.Object(
  { ...parameterFields, default: Type.Optional(Scalar('Value when it is not given')) },
  closed
)
const ColumnHeaderSchema = Type.Object(columnFields, closed)

const heading = {
  title: Line('Name for people'),
  question: Line('The question that it answers'),
  description: Type.Optional(Line('What is counted and how, where the question leaves it open'))
}

const ChartSchema = Type.Object(
  {
    type: Type.Enum(['bars', 'columns', 'line'], {
      type: 'string',
      description: '`bars` lie and have long labels, `columns` stand'
    }),
    x: Type.Array(Type.String(), { minItems: 1, description: 'Columns that name what is compared' }),
    y: Type.Array(Type.String(), { minItems: 1, description: 'Columns of numbers' }),
    series: Type.Optional(Type.String({ description: 'One line for each value of this column' }))
  },
  { ...closed, description: 'How the answer is drawn' }
)
export type Chart = Static<typeof ChartSchema>

/** The YAML in the comment that opens a query's file. It is strict, so that a misspelt key is an error. */
export const HeaderSchema = Type.Object(
  {
    ...heading,
    parameters: Type.Optional(Type.Record(Type.String(), ParameterHeaderSchema)),
    columns: Type.Record(Type.String(), ColumnHeaderSchema, { minProperties: 1 }),
    chart: Type.Optional(ChartSchema)
  },
  closed
)
export type Header = Static<typeof HeaderSchema>
export type ParameterHeader = Static<typeof ParameterHeaderSchema>
export type ColumnHeader = Static<typeof ColumnHeaderSchema>

const name = Type.String()

const summaryFields = {
  query: Type.String({ description: 'Name in paths' }),
  ...heading,
  parameters: Type.Array(
    Type.Object({
      name,
      ...parameterFields,
      default: Type.Unsafe<string | number | boolean | null>({
        type: ['string', 'number', 'boolean', 'null'],
        description: 'Value when it is not given; null when the query then does without it'
      })
    })
  ),
  columns: Type.Array(Type.Object({ name, ...columnFields })),
  chart: Type.Optional(ChartSchema)
}

const exampleSummary = {
  query: 'users-by-level',
  title: 'Users by level',
  question: 'How many users are free and how many pay?',
  parameters: [],
  columns: [
    { name: 'level', type: 'string', example: 'free' },
    { name: 'users', type: 'integer', unit: 'users', example: 120 }
  ],
  chart: { type: 'columns', x: ['level'], y: ['users'] }
}

export const AnalyticsQuerySummarySchema = Type.Object(summaryFields, {
  $id: 'AnalyticsQuerySummary',
  description: 'A canned query: what it answers, takes and returns',
  examples: [exampleSummary]
})
export const AnalyticsQuerySchema = Type.Object(
  { ...summaryFields, sql: Type.String({ description: 'SQL, parameters written as :name' }) },
  {
    $id: 'AnalyticsQuery',
    description: 'A canned query with its SQL',
    examples: [
      {
        ...exampleSummary,
        sql: 'select level, count(user_id) as users\nfrom analytics.users\ngroup by level\norder by users desc, level;'
      }
    ]
  }
)
export const AnalyticsQueryPageSchema = pageOf(AnalyticsQuerySummarySchema, {
  $id: 'AnalyticsQueryPage'
})
export const AnalyticsQueryParamsSchema = Type.Object({
  query: Text(200, { description: 'Name of a canned query', examples: ['top-songs'] })
})

export type AnalyticsQuerySummary = Static<typeof AnalyticsQuerySummarySchema>
export type AnalyticsQuery = Static<typeof AnalyticsQuerySchema>
export type Parameter = AnalyticsQuery['parameters'][number]
export type Column = AnalyticsQuery['columns'][number]
/** Values of a query's parameters, or of one row, by name. */
export type Values = Record<string, Value>

/** What a parameter or a column of a type holds. Integers are INTEGER's range unless bounds say otherwise. */
export function valueSchema(type: ParameterHeader['type'] | ColumnHeader['type']): Record<string, unknown> {
  if (type === 'date') return { type: 'string', format: 'date' }
  if (type === 'timestamp') return { type: 'string', format: 'date-time' }
  return { type }
}

/** The JSON schema of one value of a parameter. */
export function parameterSchema(parameter: ParameterHeader): TUnsafe<Value> {
  const { type, minimum, maximum, enum: accepted, description, default: preset, example } = parameter
  const shown = example ?? preset
  return Type.Unsafe<Value>({
    ...valueSchema(type),
    // Without bounds a number that the SQL's cast to INTEGER cannot hold would fail inside the warehouse.
    ...(type === 'integer' && { minimum: -2147483648, maximum: 2147483647 }),
    // PostgreSQL and Redshift cannot store NUL in text: it would fail inside the warehouse.
    ...(type === 'string' && { maxLength: 500, pattern: '^[^\\u0000]*$' }),
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
    ...(accepted && { enum: accepted }),
    ...(description && { description }),
    ...(preset !== undefined && { default: preset }),
    ...(shown !== undefined && { examples: [shown] })
  })
}

/** The query string of a query's results: its parameters, and how the answer is wanted. */
export function querystringSchema(parameters: NonNullable<Header['parameters']>): TUnsafe<Values> {
  const properties = Object.entries(parameters).map(([name, parameter]) => [name, parameterSchema(parameter)])
  return Type.Unsafe<Values>({
    type: 'object',
    properties: { ...Object.fromEntries(properties), ...answerParameters },
    ...closed
  })
}

/** Parameters that the results of every query have. */
export const answerParameters = {
  format: {
    type: 'string',
    enum: ['json', 'csv', 'ndjson'],
    description: 'In place of the Accept header.',
    examples: ['json']
  },
  min_data_version: {
    type: 'integer',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description:
      'The `data_version` of a load whose rows must be in the answer; 409 when they are not, after `Prefer: wait=N`.',
    examples: [0]
  }
}

/** The query string of a chart: how it looks, and the parameters of the query, which are checked when it is known. */
export const ChartQuerySchema = Type.Unsafe<
  { theme: 'light' | 'dark'; width: number } & Record<string, string>
>({
  type: 'object',
  properties: {
    theme: { type: 'string', enum: ['light', 'dark'], default: 'light', description: 'Its colours' },
    width: { type: 'integer', minimum: 300, maximum: 2000, default: 600, description: 'In pixels' }
  },
  additionalProperties: {
    type: 'string',
    maxLength: 500,
    description: 'A parameter of the query, as in its results'
  }
})

/** Headers of a request for results. */
export const ResultsHeadersSchema = Type.Object({
  prefer: WaitHeadersSchema.properties.prefer,
  'if-none-match': Type.Optional(
    Type.String({ maxLength: 2000, description: 'ETags of answers that are there: 304 when one still holds' })
  ),
  'cache-control': Type.Optional(
    Type.String({ maxLength: 200, description: '`no-cache`: ask the warehouse anew' })
  )
})

const resultsOf = (query: TString, params: TUnsafe<Values>, row: TUnsafe<Values>, options: TObjectOptions) =>
  Type.Object(
    {
      query,
      params,
      columns: Type.Array(Type.Object({ name, type: columnFields.type, unit: columnFields.unit }), {
        description: 'Columns in order'
      }),
      rows: Type.Array(row),
      row_count: Type.Integer({ description: 'Rows in this answer' }),
      truncated: Type.Boolean({
        description: 'Always false: an answer of any size is sent whole; `limit` does not count'
      }),
      data_version: Type.Integer({
        description: 'Raised by every committed load; the rows are at least as new as it says'
      }),
      as_of: Nullable(TimestampSchema),
      elapsed_ms: Type.Integer({ description: 'Time that the answer took, in milliseconds' })
    },
    options
  )
export type AnalyticsResults = Static<ReturnType<typeof resultsOf>>

/** `top-songs` as part of a schema's or an operation's name: `TopSongs`. */
export const pascalCase = (query: string): string =>
  query.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** The schema of a query's results; OpenAPI calls it `TopSongsResults`. */
export function resultsSchema({ query, title, parameters, columns }: AnalyticsQuery) {
  const record = (members: { name: string; schema: object }[]) =>
    Type.Unsafe<Values>({
      type: 'object',
      properties: Object.fromEntries(members.map(({ name, schema }) => [name, schema])),
      required: members.map(({ name }) => name),
      ...closed
    })
  const member = (named: Parameter | Column) => {
    const { name, type, description } = named
    const value = valueSchema(type)
    // Only a parameter with a default is never null; no header can promise that of a column.
    const nullable = !('default' in named) || named.default === null
    return {
      name,
      schema: {
        ...value,
        ...(nullable && { type: [value.type, 'null'] }),
        ...(description && { description })
      }
    }
  }
  return resultsOf(
    Type.String({ enum: [query] }),
    record(parameters.map(member)),
    record(columns.map(member)),
    {
      $id: `${pascalCase(query)}Results`,
      description: `Results of ${query}: ${title}`,
      examples: [exampleResults(query, parameters, columns)]
    }
  )
}

function exampleResults(query: string, parameters: Parameter[], columns: Column[]): AnalyticsResults {
  const exampleOf = (named: Parameter | Column) =>
    [named.name, named.example ?? ('default' in named ? named.default : null)] as const
  return {
    query,
    params: Object.fromEntries(parameters.map(exampleOf)),
    columns: columns.map(({ name, type, unit }) => ({ name, type, ...(unit && { unit }) })),
    rows: [Object.fromEntries(columns.map(exampleOf))],
    row_count: 1,
    truncated: false,
    data_version: 7,
    as_of: '2018-11-30T23:59:59.796Z',
    elapsed_ms: 12
  }
}
