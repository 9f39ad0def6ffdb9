/** CREATE TABLE: takes Redshift's attributes out of the statement and keeps them beside the table. */
import { notSupported, RedshiftError, syntaxError } from './errors.ts'
import { type Reading, readQuery } from './reading.ts'
import { type QualifiedName, readTokens, type TokenReader } from './token-reader.ts'
import { isWord, quoteName, render, splitList, type Token } from './tokens.ts'
import { type ColumnType, checkEncoding, defaultEncoding, readType } from './types.ts'
import { reservedWords } from './words.ts'

/** What Redshift knows of a table and PostgreSQL does not; kept as the table's comment. */
export interface TableAttributes {
  diststyle: 'AUTO' | 'EVEN' | 'KEY' | 'ALL'
  distkey: string | undefined
  sortkey: string[]
  encodings: Record<string, string>
  identity: { column: string; seed: number; step: number } | undefined
}

export interface CreateTable {
  table: QualifiedName
  /** As PostgreSQL runs it. */
  sql: string
  attributes: TableAttributes
  ifNotExists: boolean
  /** The query that fills it, if any. */
  query: Reading | undefined
}

interface Column {
  name: string
  type: ColumnType
  sql: string
  encoding: string | undefined
}

interface Draft extends TableAttributes {
  columns: Column[]
  hasStyle: boolean
}

/** Columns that PostgreSQL's system columns stand in the way of. */
const systemColumns = ['oid', 'tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid']

/** Reads what follows CREATE. */
export function readCreateTable(reader: TokenReader, readingQuery: typeof readQuery): CreateTable {
  const isLocal = reader.accept('local')
  const isTemporary = reader.accept('temp') || reader.accept('temporary')
  if (isLocal && !isTemporary) reader.fail()
  reader.expect('table')
  const ifNotExists = reader.accept('if', 'not', 'exists')
  const table = reader.qualifiedName()
  const draft: Draft = {
    diststyle: 'AUTO',
    distkey: undefined,
    sortkey: [],
    encodings: {},
    identity: undefined,
    columns: [],
    hasStyle: false
  }
  const elements = reader.peek()?.value === '(' ? splitList(reader.group()) : []
  const isNameList = elements.length > 0 && elements.every((element) => element.length === 1)
  const definitions = isNameList ? [] : elements.map((element) => readElement(element, table.name, draft))
  readAttributes(reader, draft)
  const head = `create ${isTemporary ? 'temp ' : ''}table ${ifNotExists ? 'if not exists ' : ''}${table.sql}`
  if (reader.accept('as')) {
    if (ifNotExists || (elements.length > 0 && !isNameList)) throw syntaxError('as')
    const query = readingQuery(reader.rest(), [{ schema: table.schema, name: table.name }])
    const names = isNameList ? ` (${elements.map(([name]) => render([name as Token])).join(', ')})` : ''
    return { table, ifNotExists, query, attributes: finish(draft), sql: `${head}${names} as ${query.sql}` }
  }
  if (!reader.done() || definitions.length === 0) reader.fail()
  setEncodings(draft, isTemporary)
  const sql = `${head} (${definitions.filter((definition) => definition !== '').join(', ')})`
  return { table, ifNotExists, query: undefined, attributes: finish(draft), sql }
}

/** A column, a constraint (accepted, and like Redshift's not enforced), or LIKE. */
function readElement(tokens: Token[], table: string, draft: Draft): string {
  const reader = readTokens(tokens)
  if (reader.accept('constraint')) reader.name()
  if (reader.accept('check')) throw notSupported('CHECK constraint')
  if (reader.accept('exclude')) throw syntaxError('exclude')
  if (reader.accept('primary', 'key') || reader.accept('unique')) {
    reader.group()
    return reader.done() ? '' : reader.fail()
  }
  if (reader.accept('foreign', 'key')) {
    reader.group()
    readReferences(reader)
    return reader.done() ? '' : reader.fail()
  }
  if (reader.accept('like')) {
    const parent = reader.qualifiedName()
    const withDefaults = reader.accept('including', 'defaults')
    if (!withDefaults) reader.accept('excluding', 'defaults')
    return `like ${parent.sql}${withDefaults ? ' including defaults' : ''}`
  }
  const column = readColumn(reader, table, draft)
  draft.columns.push(column)
  return column.sql
}

function readReferences(reader: TokenReader): void {
  reader.expect('references')
  reader.qualifiedName()
  if (reader.peek()?.value === '(') reader.group()
}

const constraintWords = [
  ...['default', 'identity', 'generated', 'encode', 'distkey', 'sortkey', 'collate', 'not', 'null', 'unique'],
  ...['primary', 'references', 'check', 'constraint']
]

/** Reads `name type constraints...`. */
export function readColumn(reader: TokenReader, table: string, draft: Partial<Draft> = {}): Column {
  const nameToken = reader.name()
  const { value: name } = nameToken
  if (nameToken.kind === 'word' && reservedWords.has(name)) throw syntaxError(nameToken.source)
  if (systemColumns.includes(name)) {
    throw new RedshiftError({
      code: '42701',
      message: `column name "${name}" conflicts with a system column name`
    })
  }
  const untilConstraint = (): Token[] => {
    const taken: Token[] = []
    for (let depth = 0; !reader.done() && (depth > 0 || !isWord(reader.peek(), ...constraintWords)); ) {
      const token = reader.next()
      depth += token.value === '(' && token.kind === 'symbol' ? 1 : 0
      depth -= token.value === ')' && token.kind === 'symbol' ? 1 : 0
      taken.push(token)
    }
    return taken
  }
  const type = readType(untilConstraint(), `${table}.${name}`)
  const column: Column = { name, type, sql: '', encoding: undefined }
  const constraints: string[] = []
  while (!reader.done()) {
    if (reader.accept('constraint')) reader.name()
    if (reader.accept('not', 'null')) constraints.push('not null')
    else if (reader.accept('null')) constraints.push('null')
    else if (reader.accept('primary', 'key')) constraints.push('not null')
    else if (reader.accept('unique')) continue
    else if (reader.accept('check')) throw notSupported('CHECK constraint')
    else if (isWord(reader.peek(), 'references')) readReferences(reader)
    else if (reader.accept('default')) {
      const value = [reader.next(), ...untilConstraint()]
      constraints.push(`default ${readQuery(value).sql}`)
    } else if (reader.accept('encode')) {
      column.encoding = reader.name().value
      checkEncoding(column.encoding, type)
    } else if (reader.accept('collate')) reader.name()
    else if (reader.accept('distkey')) {
      draft.distkey = name
      draft.diststyle = 'KEY'
    } else if (reader.accept('sortkey')) draft.sortkey?.push(name)
    else constraints.push(readIdentity(reader, column, draft))
  }
  return { ...column, sql: [quoteName(name), type.sql, ...new Set(constraints)].join(' ') }
}

/** Both kinds become identities of PostgreSQL; a trigger then spreads their values as slices would. */
function readIdentity(reader: TokenReader, { name, type }: Column, draft: Partial<Draft>): string {
  const byDefault = reader.accept('generated', 'by', 'default', 'as')
  reader.expect('identity')
  const [seed = Number.NaN, step = Number.NaN] = splitList(reader.group()).map((each) => Number(render(each)))
  if (!Number.isInteger(seed) || !Number.isInteger(step) || step === 0) reader.fail()
  if (type.base !== 'bigint' && type.base !== 'integer') {
    throw new RedshiftError({ code: '42601', message: 'identity column type must be INT or BIGINT' })
  }
  draft.identity = { column: name, seed, step }
  const kind = byDefault ? 'by default' : 'always'
  const lowest = step > 0 ? Math.min(seed, 1) : -2_147_483_648
  return `generated ${kind} as identity (start with ${seed} increment by ${step} minvalue ${lowest})`
}

function readAttributes(reader: TokenReader, draft: Draft): void {
  for (;;) {
    if (reader.accept('backup')) {
      if (!reader.accept('yes')) reader.expect('no')
    } else if (reader.accept('diststyle')) {
      const style = reader.name().value.toUpperCase()
      if (!/^(?:AUTO|EVEN|KEY|ALL)$/.test(style)) throw syntaxError(style)
      if (draft.distkey !== undefined && style !== 'KEY') throw conflictingStyle()
      draft.diststyle = style as TableAttributes['diststyle']
      draft.hasStyle = true
    } else if (reader.accept('distkey')) {
      draft.distkey = names(reader)[0]
      if (draft.hasStyle && draft.diststyle !== 'KEY') throw conflictingStyle()
      draft.diststyle = 'KEY'
    } else if (reader.accept('sortkey', 'auto') || reader.accept('encode', 'auto')) {
      // What Redshift does by itself.
    } else if (
      reader.accept('compound') ||
      reader.accept('interleaved') ||
      isWord(reader.peek(), 'sortkey')
    ) {
      reader.expect('sortkey')
      draft.sortkey = names(reader)
    } else {
      return
    }
  }
}

const names = (reader: TokenReader): string[] =>
  splitList(reader.group()).map((tokens) => readTokens(tokens).name().value)

const conflictingStyle = () =>
  new RedshiftError({ code: '42601', message: 'DISTKEY is only allowed with DISTSTYLE KEY' })

function setEncodings({ columns, encodings, sortkey }: Draft, isTemporary: boolean): void {
  for (const { name, type, encoding } of columns) {
    encodings[name] = encoding ?? defaultEncoding(type, sortkey.includes(name), isTemporary)
  }
}

/** Checks that the keys are columns. */
function finish({ diststyle, distkey, sortkey, encodings, identity, columns }: Draft): TableAttributes {
  if (diststyle === 'KEY' && distkey === undefined) {
    throw new RedshiftError({ code: '42601', message: 'DISTKEY must be specified for DISTSTYLE KEY' })
  }
  const known = columns.map(({ name }) => name)
  for (const [kind, name] of [['distkey', distkey], ...sortkey.map((each) => ['sortkey', each])] as const) {
    if (name === undefined || known.length === 0 || known.includes(name)) continue
    throw new RedshiftError({ code: '42703', message: `${kind} column "${name}" does not exist` })
  }
  return { diststyle, distkey, sortkey, encodings, identity }
}
