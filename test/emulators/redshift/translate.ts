/** From the tokens of one statement to what the emulator does with it. */
import { readCopy } from './copy-statement.ts'
import { readCreateTable } from './create-table.ts'
import { readAlter, readCreate, readDrop } from './ddl.ts'
import { notEmulated, notSupported, RedshiftError, syntaxError } from './errors.ts'
import { checkMerge } from './merge.ts'
import type { Plan } from './plan.ts'
import { type Reading, readQuery, refuseSystemTarget } from './reading.ts'
import { readReset, readSet, readShow } from './settings.ts'
import { type QualifiedName, readTokens, type TokenReader } from './token-reader.ts'
import { isSymbol, isWord, render, type Token } from './tokens.ts'

export interface TranslateOptions {
  /** The query's number, for error texts. */
  query: number
  /** Whether CREATE TABLE AS refuses bound parameters: no source says whether Redshift does. */
  refuseBindsInCreateTableAs: boolean
}

/** Throws what Redshift would say to a statement it does not run. */
export function translate(tokens: readonly Token[], options: TranslateOptions): Plan {
  const first = tokens[0] as Token
  const read = readers[first.value]
  if (isSymbol(first, '(')) return { kind: 'relay', sql: readQuery(tokens, [], options.query).sql }
  if (first.kind !== 'word') throw syntaxError(first.source)
  if (read !== undefined) {
    const plan = read({ tokens, options, reader: readTokens(tokens.slice(1)) })
    if (plan !== undefined) return plan
  }
  if (refusedCommands.includes(first.value)) throw notSupported(`SQL command "${first.source.toUpperCase()}"`)
  if (commandsNotEmulated.includes(first.value)) throw notEmulated(first.source.toUpperCase())
  throw syntaxError(first.source)
}

const refusedCommands = [
  ...[
    'savepoint',
    'release',
    'listen',
    'notify',
    'unlisten',
    'do',
    'reindex',
    'cluster',
    'checkpoint',
    'discard'
  ],
  ...['import', 'security', 'load', 'reassign']
]
const commandsNotEmulated = [
  'unload',
  'call',
  'declare',
  'fetch',
  'close',
  'prepare',
  'execute',
  'deallocate',
  'refresh'
]

interface Source {
  tokens: readonly Token[]
  options: TranslateOptions
  /** At the second token. */
  reader: TokenReader
}

const relay = (sql: string): Plan => ({ kind: 'relay', sql })

const query = ({ tokens, options }: Source): Reading => readQuery(tokens, [], options.query)

const readers: Readonly<Record<string, (source: Source) => Plan | undefined>> = {
  select: (source) => relay(query(source).sql),
  with: (source) => {
    const main = mainOfWith(source.tokens)
    if (isWord(main, 'insert', 'merge')) throw syntaxError(main?.source ?? '')
    return relay(query(source).sql)
  },
  insert: (source) => {
    const table = target(source.reader, 'into')
    const reading = query(source)
    const isBulk = source.tokens.some((token) => isWord(token, 'select'))
    return { kind: 'relay', sql: reading.sql, write: { table: table.sql, isBulk } }
  },
  update: (source) => {
    const table = target(source.reader)
    return { kind: 'relay', sql: query(source).sql, write: { table: table.sql, isBulk: false } }
  },
  delete: (source) => {
    const hasFrom = source.reader.accept('from')
    const table = target(source.reader)
    if (!hasFrom && isWord(source.reader.peek(), 'using')) source.reader.fail()
    // FROM is optional on Redshift.
    const sql = hasFrom ? query(source).sql : query(source).sql.replace(/^delete/i, 'delete from')
    return { kind: 'relay', sql, write: { table: table.sql, isBulk: false } }
  },
  merge: (source) => {
    checkMerge(source.tokens)
    const table = target(source.reader, 'into')
    return { kind: 'relay', sql: query(source).sql, write: { table: table.sql, isBulk: true } }
  },
  truncate: ({ reader }) => {
    reader.accept('table')
    const table = target(reader)
    if (!reader.done()) reader.fail()
    return { kind: 'truncate', sql: `truncate table ${table.sql}`, table: table.sql }
  },
  copy: ({ reader }) => ({ kind: 'copy', copy: readCopy(reader) }),
  create: (source) => {
    const reader = readTokens(source.tokens.slice(1))
    const isTable = ['table', 'temp', 'temporary', 'local'].includes(reader.peek()?.value ?? '')
    return isTable ? createTable(source, reader) : readCreate(reader)
  },
  drop: ({ reader }) => readDrop(reader),
  alter: ({ reader }) => readAlter(reader),
  begin: ({ reader }) => {
    if (!reader.accept('work')) reader.accept('transaction')
    return { kind: 'begin', sql: `begin${transactionModes(reader)}` }
  },
  start: ({ reader }) => {
    reader.expect('transaction')
    return { kind: 'begin', sql: `begin${transactionModes(reader)}` }
  },
  commit: ({ reader }) => endOfTransaction(reader, 'commit'),
  end: ({ reader }) => endOfTransaction(reader, 'commit'),
  rollback: ({ reader }) => endOfTransaction(reader, 'rollback'),
  abort: ({ reader }) => endOfTransaction(reader, 'rollback'),
  set: ({ reader }) => readSet(reader),
  reset: ({ reader }) => readReset(reader),
  show: ({ reader }) => readShow(reader),
  lock: ({ reader }) => {
    reader.accept('table')
    const tables = [target(reader).sql]
    while (reader.acceptSymbol(',')) tables.push(target(reader).sql)
    if (!reader.done()) reader.fail()
    return { kind: 'lock', sql: `lock table ${tables.join(', ')} in access exclusive mode` }
  },
  cancel: ({ reader }) => {
    const pid = reader.integer()
    if (!reader.done()) reader.string()
    return { kind: 'cancel', pid }
  },
  analyze: (source) => analyze(source),
  analyse: (source) => analyze(source),
  vacuum: ({ reader }) => vacuum(reader),
  explain: (source) => {
    if (isWord(source.tokens[1], 'analyze') || isSymbol(source.tokens[1], '(')) {
      throw syntaxError(source.tokens[1]?.source ?? '')
    }
    const skipped = isWord(source.tokens[1], 'verbose') ? 2 : 1
    return relay(`explain ${readQuery(source.tokens.slice(skipped), [], source.options.query).sql}`)
  },
  comment: ({ tokens }) =>
    isWord(tokens[2], 'table') ? { kind: 'nothing', tag: 'COMMENT' } : relay(render(tokens)),
  grant: ({ tokens }) => relay(render(tokens)),
  revoke: ({ tokens }) => relay(render(tokens))
}

/** The table that is written to. */
function target(reader: TokenReader, ...words: string[]): QualifiedName {
  if (words.length > 0) reader.expect(...words)
  const table = reader.qualifiedName()
  refuseSystemTarget(table)
  return table
}

/** The keyword of the statement that a WITH belongs to. */
function mainOfWith(tokens: readonly Token[]): Token | undefined {
  let depth = 0
  return tokens.find((token) => {
    if (isSymbol(token, '(')) depth += 1
    if (isSymbol(token, ')')) depth -= 1
    return depth === 0 && isWord(token, 'select', 'insert', 'update', 'delete', 'merge')
  })
}

function createTable({ options }: Source, reader: TokenReader): Plan {
  const {
    table,
    sql,
    attributes,
    ifNotExists,
    query: filling
  } = readCreateTable(reader, (tokens, targets) => readQuery(tokens, targets, options.query))
  refuseSystemTarget(table)
  if (filling?.hasParameters && options.refuseBindsInCreateTableAs) throw syntaxError('$1')
  return { kind: 'createTable', sql, table: table.sql, attributes, ifNotExists }
}

/** Isolation levels are accepted and change nothing; READ ONLY does. */
function transactionModes(reader: TokenReader): string {
  let readOnly = ''
  while (!reader.done()) {
    if (reader.accept('isolation', 'level')) {
      if (reader.accept('read')) reader.name()
      else if (reader.accept('repeatable')) reader.expect('read')
      else if (!reader.accept('snapshot')) reader.expect('serializable')
    } else if (reader.accept('read', 'only')) readOnly = ' read only'
    else {
      reader.expect('read', 'write')
      readOnly = ' read write'
    }
    reader.acceptSymbol(',')
  }
  return readOnly
}

function endOfTransaction(reader: TokenReader, kind: 'commit' | 'rollback'): Plan {
  if (!reader.accept('work')) reader.accept('transaction')
  if (isWord(reader.peek(), 'to')) throw notSupported('ROLLBACK TO SAVEPOINT')
  if (!reader.done()) reader.fail()
  return { kind, sql: kind }
}

function analyze({ reader }: Source): Plan {
  reader.accept('verbose')
  if (reader.accept('compression')) throw notEmulated('ANALYZE COMPRESSION')
  if (reader.done()) return relay('analyze')
  const table = reader.qualifiedName()
  const columns = reader.peek()?.value === '(' ? ` (${render(reader.group())})` : ''
  if (!reader.accept('predicate', 'columns')) reader.accept('all', 'columns')
  return reader.done() ? relay(`analyze ${table.sql}${columns}`) : reader.fail()
}

function vacuum(reader: TokenReader): Plan {
  const options = ['full', 'reindex', 'recluster']
  if (!options.some((option) => reader.accept(option)) && !reader.accept('sort', 'only'))
    reader.accept('delete', 'only')
  const table = reader.done() ? undefined : reader.qualifiedName()
  if (reader.accept('to')) {
    reader.integer()
    reader.expect('percent')
  }
  reader.accept('boost')
  if (!reader.done()) reader.fail()
  return { kind: 'relay', sql: `vacuum ${table?.sql ?? ''}`, notInTransaction: 'VACUUM' }
}

/** Throws when a statement that takes no parameters is bound some. */
export function refuseBinds(plan: Plan, parameters: number): void {
  const takesThem = plan.kind === 'relay' || plan.kind === 'createTable'
  if (parameters === 0 || takesThem) return
  throw new RedshiftError({
    code: '08P01',
    message: `bind message supplies ${parameters} parameters, but prepared statement "" requires 0`
  })
}
