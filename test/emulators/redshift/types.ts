/** The types of columns: Redshift's spellings, limits and refusals. */
import { notEmulated, RedshiftError } from './errors.ts'
import { isSymbol, type Token } from './tokens.ts'

export interface ColumnType {
  /** As PostgreSQL reads it. */
  sql: string
  /** What encodings go by: the type without its length. */
  base: string
}

const plain: Readonly<Record<string, string>> = {
  smallint: 'smallint',
  int2: 'smallint',
  integer: 'integer',
  int: 'integer',
  int4: 'integer',
  bigint: 'bigint',
  int8: 'bigint',
  real: 'real',
  float4: 'real',
  'double precision': 'double precision',
  float8: 'double precision',
  float: 'double precision',
  boolean: 'boolean',
  bool: 'boolean',
  date: 'date',
  timestamp: 'timestamp',
  datetime: 'timestamp',
  'timestamp without time zone': 'timestamp',
  timestamptz: 'timestamptz',
  'timestamp with time zone': 'timestamptz',
  time: 'time',
  'time without time zone': 'time',
  timetz: 'timetz',
  'time with time zone': 'timetz'
}

/** Length when none is given, and at most. */
const texts: Readonly<Record<string, { base: string; length: number; max: number }>> = {
  varchar: { base: 'varchar', length: 256, max: 65_535 },
  'character varying': { base: 'varchar', length: 256, max: 65_535 },
  nvarchar: { base: 'varchar', length: 256, max: 65_535 },
  text: { base: 'varchar', length: 256, max: 65_535 },
  char: { base: 'char', length: 1, max: 4096 },
  character: { base: 'char', length: 1, max: 4096 },
  nchar: { base: 'char', length: 1, max: 4096 },
  bpchar: { base: 'char', length: 256, max: 4096 }
}

const elsewhere = [
  'super',
  'varbyte',
  'varbinary',
  'binary varying',
  'geometry',
  'geography',
  'hllsketch',
  'interval'
]

const ofPostgres =
  /^(?:json|jsonb|uuid|bytea|xml|serial|serial[248]|bigserial|smallserial|inet|cidr|macaddr|money|bit|bit varying|tsvector|tsquery|point|line|box|path|polygon|circle|int4range|oid|name)$/

/** Reads the type of a column. Throws for a type that Redshift does not store, or with a length beyond its limit. */
export function readType(tokens: readonly Token[], column: string): ColumnType {
  const words = tokens
    .filter((token) => token.kind === 'word' && token.value !== 'max')
    .map((token) => token.value)
  const name = words.join(' ')
  const sizes = tokens
    .filter((token) => token.kind === 'number' || token.value === 'max')
    .map(({ value }) => value)
  if (tokens.some((token) => isSymbol(token, '['))) throw unsupportedType(column, `${name}[]`)
  const text = texts[name]
  if (text !== undefined) {
    const length = sizes[0] === undefined ? text.length : sizes[0] === 'max' ? text.max : Number(sizes[0])
    if (length < 1) throw lengthError(`length for type ${text.base} must be at least 1`)
    if (length > text.max) throw lengthError(`length for type ${text.base} cannot exceed ${text.max}`)
    return { base: text.base, sql: `${text.base}(${length})` }
  }
  if (name === 'decimal' || name === 'numeric') {
    const [precision = 18, scale = 0] = sizes.map(Number)
    if (precision > 38) throw lengthError(`NUMERIC precision ${precision} must be between 1 and 38`)
    return { base: 'numeric', sql: `numeric(${precision}, ${scale})` }
  }
  const known = plain[name]
  if (known !== undefined) return { base: known, sql: known }
  if (elsewhere.includes(name)) throw notEmulated(`columns of type ${name}`)
  if (ofPostgres.test(name)) throw unsupportedType(column, name)
  throw new RedshiftError({ code: '42704', message: `type "${name}" does not exist` })
}

const lengthError = (message: string) => new RedshiftError({ code: '22023', message })

const unsupportedType = (column: string, type: string) =>
  new RedshiftError({ code: '0A000', message: `Column "${column}" has unsupported type "${type}".` })

const encodings: Readonly<Record<string, RegExp>> = {
  raw: /./,
  zstd: /./,
  runlength: /./,
  bytedict: /^(?!boolean)/,
  az64: /^(?:smallint|integer|bigint|numeric|date|time|timestamp|timestamptz|timetz)$/,
  lzo: /^(?!boolean|real|double)/,
  delta: /^(?:smallint|integer|bigint|date|timestamp|numeric)$/,
  delta32k: /^(?:integer|bigint|date|timestamp|numeric)$/,
  mostly8: /^(?:smallint|integer|bigint|numeric)$/,
  mostly16: /^(?:integer|bigint|numeric)$/,
  mostly32: /^(?:bigint|numeric)$/,
  text255: /^varchar$/,
  text32k: /^varchar$/
}

/** Throws when a column of this type cannot be encoded so. */
export function checkEncoding(encoding: string, type: ColumnType): void {
  const types = encodings[encoding]
  if (types === undefined)
    throw new RedshiftError({ code: '42601', message: `invalid encoding type specified` })
  if (types.test(type.base)) return
  throw new RedshiftError({
    code: '0A000',
    message: `${encoding} encoding is not supported for type "${type.base}"`
  })
}

export function defaultEncoding(type: ColumnType, isSortKey: boolean, isTemporary: boolean): string {
  if (isTemporary || isSortKey || /^(?:boolean|real|double precision)$/.test(type.base)) return 'none'
  return /^(?:varchar|char)$/.test(type.base) ? 'lzo' : 'az64'
}
