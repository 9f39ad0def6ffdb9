/**
 * The warehouse's tables: one `.sql` file each, the same for every engine. Column names, order and types are
 * read from the statement itself, so that nothing about a table is written twice; the header comment adds what
 * the statement cannot say: key, distribution, sort key.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import { parse } from 'yaml'
import { misfits } from '../shape.ts'
import { parseSql, type Statement } from '../sql.ts'
import type { Engine } from './warehouse.ts'

const HeaderSchema = Type.Object(
  {
    description: Type.String(),
    key: Type.Array(Type.String()),
    distribution: Type.Union([
      Type.Object({ style: Type.Union([Type.Literal('even'), Type.Literal('all')]) }),
      Type.Object({ style: Type.Literal('key'), column: Type.String() })
    ]),
    sort_key: Type.Array(Type.String())
  },
  { additionalProperties: false }
)

export interface ColumnDefinition {
  name: string
  type: string
  nullable: boolean
}

export interface TableDefinition extends Static<typeof HeaderSchema> {
  schema: string
  name: string
  columns: ColumnDefinition[]
  create: Statement
}

export const schemas = ['staging', 'analytics', 'ops'] as const

const directory = new URL('../sql/warehouse/shared/tables/', import.meta.url)

/** Every table of the warehouse, in the order of schemas and names. */
export const tableDefinitions: readonly TableDefinition[] = readdirSync(directory)
  .map((file) => parseDefinition(file, readFileSync(new URL(file, directory), 'utf8')))
  .sort(
    (a, b) =>
      schemas.indexOf(a.schema as 'ops') - schemas.indexOf(b.schema as 'ops') || (a.name < b.name ? -1 : 1)
  )

/** The table that a file defines. Throws, naming the file, if it is not a header comment and one CREATE TABLE. */
export function parseDefinition(file: string, source: string): TableDefinition {
  const [, schema, name] = /^([a-z]+)\.([a-z_]+)\.sql$/.exec(file) ?? []
  const [, header, created, body] =
    /^\/\*\n([\s\S]*?)\*\/\ncreate table if not exists (\S+) \(\n([\s\S]*)\)\n$/.exec(source) ?? []
  if (schema === undefined || name === undefined || header === undefined || body === undefined) {
    throw new Error(`${file} is not a table definition: a header comment and one CREATE TABLE`)
  }
  if (created !== `${schema}.${name}`) throw new Error(`${file} creates another table, ${created}`)
  const columns = body
    .trimEnd()
    .split(',\n')
    .map((line) => readColumn(file, line))
  return {
    schema,
    name,
    ...readHeader(file, header),
    columns,
    create: parseSql(file, source)
  }
}

function readHeader(file: string, header: string): Static<typeof HeaderSchema> {
  const read: unknown = parse(header)
  const [problem] = misfits(HeaderSchema, read)
  if (problem === undefined) return read as Static<typeof HeaderSchema>
  throw new Error(`${file}: the header comment ${problem.instancePath} ${problem.message}`)
}

function readColumn(file: string, line: string): ColumnDefinition {
  const [, name, type, notNull] = /^ {2}([a-z_]+) (.+?)( not null)?$/.exec(line) ?? []
  if (name === undefined || type === undefined) throw new Error(`${file}: cannot read the column "${line}"`)
  return { name, type, nullable: notNull === undefined }
}

/** The statement that creates a table on an engine: a cluster is told where rows lie, one machine needs no telling. */
export function createStatement(definition: TableDefinition, engine: Engine): Statement {
  if (engine === 'duckdb') return definition.create
  const { distribution, sort_key } = definition
  const placement =
    distribution.style === 'key'
      ? `diststyle key distkey (${distribution.column})`
      : `diststyle ${distribution.style}`
  const order = sort_key.length === 0 ? '' : `\nsortkey (${sort_key.join(', ')})`
  return { ...definition.create, text: `${definition.create.text}\n${placement}${order}` }
}
