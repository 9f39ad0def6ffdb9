/** COPY ... FROM 's3://...' FORMAT JSON, parsed. */
import { notEmulated, notSupported, RedshiftError, syntaxError } from './errors.ts'
import { type QualifiedName, readTokens, type TokenReader } from './token-reader.ts'
import { splitList, type Token } from './tokens.ts'

export interface S3Location {
  bucket: string
  key: string
}

export interface CopyStatement {
  table: QualifiedName
  columns: string[] | undefined
  from: S3Location
  /** An ARN, or `default`. */
  role: string
  /** `auto`, `auto ignorecase`, or where the jsonpaths file is. */
  json: 'auto' | 'auto ignorecase' | S3Location
  isManifest: boolean
  region: string | undefined
  timeFormat: string
  dateFormat: string
  gzip: boolean
  truncateColumns: boolean
  emptyAsNull: boolean
  blanksAsNull: boolean
  trimBlanks: boolean
  roundDecimals: boolean
  acceptAnyDate: boolean
  /** What an invalid character becomes; undefined where one is an error. */
  replacement: string | undefined
  /** Errors from which on the load fails. */
  maxErrors: number
  noLoad: boolean
}

/** Options that go with other formats only. */
const notWithJson = [
  ...['csv', 'delimiter', 'escape', 'fillrecord', 'fixedwidth', 'ignoreblanklines', 'null', 'readratio'],
  ...['removequotes', 'ignoreheader', 'quote']
]
const elsewhere = [
  ...[
    'credentials',
    'access_key_id',
    'secret_access_key',
    'session_token',
    'explicit_ids',
    'zstd',
    'lzop',
    'bzip2'
  ],
  ...[
    'ssh',
    'parquet',
    'orc',
    'avro',
    'shapefile',
    'encrypted',
    'master_symmetric_key',
    'job',
    'serializetojson'
  ]
]

const invalid = (message: string) => new RedshiftError({ code: '42601', message })

/** Reads what follows COPY. */
export function readCopy(reader: TokenReader): CopyStatement {
  const table = reader.qualifiedName()
  const columns =
    reader.peek()?.value === '('
      ? splitList(reader.group()).map((tokens) => readTokens(tokens).name().value)
      : undefined
  reader.expect('from')
  if (reader.peek()?.kind !== 'string') {
    if (reader.peek()?.kind === 'param') throw syntaxError('$1')
    throw new RedshiftError({
      code: 'XX000',
      message: 'LOAD source is not supported. (Hint: only S3 or DynamoDB or EMR based load is allowed)'
    })
  }
  const copy = { ...defaults, table, columns, from: readLocation(reader.string()), role: '' }
  const seen = new Set<string>()
  while (!reader.done()) {
    const token = reader.next()
    if (token.kind !== 'word') throw syntaxError(token.source)
    if (seen.has(token.value)) throw invalid(`conflicting or redundant options`)
    seen.add(token.value)
    readOption(token, reader, copy)
  }
  if (!seen.has('json')) throw notEmulated('COPY of a format other than JSON')
  const wrong = notWithJson.find((option) => seen.has(option))
  if (wrong !== undefined) throw notSupported(`${wrong.toUpperCase()} option with JSON`)
  if (copy.role === '') throw invalid('IAM_ROLE or CREDENTIALS must be specified')
  return copy
}

const defaults = {
  json: 'auto' as CopyStatement['json'],
  isManifest: false,
  region: undefined,
  timeFormat: 'YYYY-MM-DD HH:MI:SS',
  dateFormat: 'YYYY-MM-DD',
  gzip: false,
  truncateColumns: false,
  emptyAsNull: false,
  blanksAsNull: false,
  trimBlanks: false,
  roundDecimals: false,
  acceptAnyDate: false,
  replacement: undefined,
  maxErrors: 0,
  noLoad: false
}

/** Options without an argument. */
const flags: Readonly<Record<string, Partial<CopyStatement>>> = {
  manifest: { isManifest: true },
  gzip: { gzip: true },
  truncatecolumns: { truncateColumns: true },
  emptyasnull: { emptyAsNull: true },
  blanksasnull: { blanksAsNull: true },
  trimblanks: { trimBlanks: true },
  roundec: { roundDecimals: true },
  acceptanydate: { acceptAnyDate: true },
  ignoreallerrors: { maxErrors: Number.POSITIVE_INFINITY },
  noload: { noLoad: true }
}

function readOption({ value: option, source }: Token, reader: TokenReader, copy: CopyStatement): void {
  const argument = () => {
    reader.accept('as')
    if (reader.peek()?.kind === 'param') throw syntaxError(reader.next().value)
    return reader.string()
  }
  const flag = flags[option]
  if (flag !== undefined) {
    Object.assign(copy, flag)
    return
  }
  switch (option) {
    case 'iam_role':
      copy.role = reader.accept('default') ? 'default' : argument()
      return
    case 'format':
      reader.accept('as')
      if (reader.peek()?.value !== 'json') throw notEmulated('COPY of a format other than JSON')
      return
    case 'json':
      reader.accept('as')
      if (reader.peek()?.kind === 'string') copy.json = readJsonOption(reader.string())
      return
    case 'region':
      copy.region = argument()
      return
    case 'timeformat':
      copy.timeFormat = argument()
      return
    case 'dateformat':
      copy.dateFormat = argument()
      return
    case 'acceptinvchars':
      copy.replacement = reader.accept('as') || reader.peek()?.kind === 'string' ? reader.string() : '?'
      if (!/^\p{ASCII}$/u.test(copy.replacement)) throw invalid('ACCEPTINVCHARS takes one ASCII character')
      return
    case 'maxerror':
      reader.accept('as')
      copy.maxErrors = reader.integer()
      if (copy.maxErrors > 100_000) throw invalid('MAXERROR must be between 0 and 100000')
      return
    case 'comprows':
      reader.integer()
      return
    case 'compupdate':
    case 'statupdate':
      if (!['on', 'off', 'true', 'false', 'preset'].some((word) => reader.accept(word))) return
      return
    case 'encoding':
      reader.accept('as')
      if (!reader.accept('utf8')) throw notEmulated('COPY with an ENCODING other than UTF8')
      return
  }
  if (notWithJson.includes(option)) {
    reader.accept('as')
    if (reader.peek()?.kind === 'string' || reader.peek()?.kind === 'number') reader.next()
    return
  }
  if (elsewhere.includes(option)) throw notEmulated(`COPY with ${option.toUpperCase()}`)
  throw syntaxError(source)
}

function readJsonOption(option: string): CopyStatement['json'] {
  if (option === 'auto' || option === 'auto ignorecase') return option
  if (option === 'noshred') throw notEmulated("COPY with JSON 'noshred'")
  return readLocation(option)
}

/** `s3://bucket/key`. */
export function readLocation(url: string): S3Location {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(url) ?? []
  if (bucket === undefined || key === undefined) {
    throw new RedshiftError({
      code: 'XX000',
      message: 'LOAD source is not supported. (Hint: only S3 or DynamoDB or EMR based load is allowed)'
    })
  }
  return { bucket, key }
}

export const urlOf = ({ bucket, key }: S3Location): string => `s3://${bucket}/${key}`
