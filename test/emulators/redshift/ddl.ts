/** CREATE, ALTER and DROP of what is not a CREATE TABLE. */
import { readColumn } from './create-table.ts'
import { notEmulated, notSupported, RedshiftError, syntaxError } from './errors.ts'
import type { Plan } from './plan.ts'
import { readQuery } from './reading.ts'
import { readTokens, type TokenReader } from './token-reader.ts'
import { isWord, quoteName, splitList, type Token } from './tokens.ts'
import { readType } from './types.ts'

const relay = (sql: string): Plan => ({ kind: 'relay', sql })

/** What PostgreSQL has and Redshift has not. */
const refusedObjects = [
  ...[
    'index',
    'unique',
    'trigger',
    'constraint',
    'sequence',
    'domain',
    'type',
    'extension',
    'rule',
    'aggregate'
  ],
  ...[
    'operator',
    'cast',
    'collation',
    'tablespace',
    'event',
    'publication',
    'subscription',
    'statistics',
    'server'
  ],
  ...['foreign', 'policy', 'access', 'conversion', 'text', 'transform', 'recursive', 'unlogged', 'global']
]
const objectsNotEmulated = [
  ...[
    'user',
    'group',
    'role',
    'database',
    'function',
    'procedure',
    'external',
    'library',
    'model',
    'datashare'
  ],
  ...['materialized', 'identity', 'masking', 'rls', 'template']
]

function refuseObject(verb: string, token: Token | undefined): never {
  if (isWord(token, ...refusedObjects))
    throw notSupported(`SQL command "${verb} ${token?.source.toUpperCase()}"`)
  if (isWord(token, ...objectsNotEmulated)) throw notEmulated(`${verb} ${token?.source.toUpperCase()}`)
  throw syntaxError(token?.source ?? verb)
}

export function readCreate(reader: TokenReader): Plan {
  if (reader.accept('schema')) {
    const ifNotExists = reader.accept('if', 'not', 'exists') ? 'if not exists ' : ''
    const name = reader.name().value
    if (reader.accept('authorization')) reader.name()
    if (reader.accept('quota') && !reader.accept('unlimited')) {
      reader.integer()
      reader.name()
    }
    return reader.done() ? relay(`create schema ${ifNotExists}${quoteName(name)}`) : reader.fail()
  }
  const orReplace = reader.accept('or', 'replace') ? 'or replace ' : ''
  if (!reader.accept('view')) refuseObject('CREATE', reader.peek())
  const view = reader.qualifiedName()
  const columns =
    reader.peek()?.value === '('
      ? ` (${reader
          .group()
          .map(({ value }) => value)
          .join(' ')})`
      : ''
  reader.expect('as')
  const query = reader.rest()
  const binding = ['with', 'no', 'schema', 'binding']
  const isLateBound = binding.every((word, index) => isWord(query.at(index - 4), word))
  const { sql, relations } = readQuery(isLateBound ? query.slice(0, -4) : query)
  if (isLateBound && relations.some(({ schema }) => schema === undefined)) {
    throw new RedshiftError({
      code: '0A000',
      message: 'All the relation names inside should be qualified when creating VIEW WITH NO SCHEMA BINDING.'
    })
  }
  return relay(`create ${orReplace}view ${view.sql}${columns} as ${sql}`)
}

export function readDrop(reader: TokenReader): Plan {
  const kind = reader.accept('table') ? 'table' : reader.accept('view') ? 'view' : 'schema'
  if (kind === 'schema' && !reader.accept('schema')) refuseObject('DROP', reader.peek())
  const ifExists = reader.accept('if', 'exists') ? 'if exists ' : ''
  const names = [reader.qualifiedName().sql]
  while (reader.acceptSymbol(',')) names.push(reader.qualifiedName().sql)
  const cascade = reader.accept('cascade') ? ' cascade' : ''
  if (cascade === '') reader.accept('restrict')
  return reader.done() ? relay(`drop ${kind} ${ifExists}${names.join(', ')}${cascade}`) : reader.fail()
}

export function readAlter(reader: TokenReader): Plan {
  if (reader.accept('schema')) {
    const schema = reader.name().value
    reader.expect('rename', 'to')
    return relay(`alter schema ${quoteName(schema)} rename to ${quoteName(reader.name().value)}`)
  }
  if (isWord(reader.peek(), 'user', 'system', 'default', 'view'))
    throw notEmulated(`ALTER ${reader.peek()?.source}`)
  if (!reader.accept('table')) refuseObject('ALTER', reader.peek())
  const table = reader.qualifiedName()
  const plan = readTableChange(reader, table.name, `alter table ${table.sql}`)
  // One change at a time.
  return reader.done() ? plan : reader.fail()
}

function readTableChange(reader: TokenReader, table: string, head: string): Plan {
  const done: Plan = { kind: 'nothing', tag: 'ALTER TABLE' }
  if (reader.accept('rename', 'to')) return relay(`${head} rename to ${quoteName(reader.name().value)}`)
  if (reader.accept('rename')) {
    reader.accept('column')
    const from = reader.name().value
    reader.expect('to')
    return relay(`${head} rename column ${quoteName(from)} to ${quoteName(reader.name().value)}`)
  }
  if (reader.accept('owner', 'to')) return relay(`${head} owner to ${quoteName(reader.name().value)}`)
  if (reader.accept('append')) {
    throw notEmulated('ALTER TABLE APPEND')
  }
  if (reader.accept('drop')) {
    if (reader.accept('constraint')) throw notEmulated('ALTER TABLE DROP CONSTRAINT')
    reader.accept('column')
    const column = reader.name().value
    const cascade = reader.accept('cascade') ? ' cascade' : ''
    if (cascade === '') reader.accept('restrict')
    return relay(`${head} drop column ${quoteName(column)}${cascade}`)
  }
  if (reader.accept('add')) {
    if (isWord(reader.peek(), 'constraint', 'primary', 'unique', 'foreign', 'check')) {
      const rest = reader.rest()
      if (rest.some((token) => isWord(token, 'check'))) throw notSupported('CHECK constraint')
      return done
    }
    reader.accept('column')
    const definition = reader.rest()
    return relay(`${head} add column ${addedColumn(definition, table)}`)
  }
  if (reader.accept('alter')) {
    if (isWord(reader.peek(), 'diststyle', 'distkey', 'compound', 'sortkey', 'encode')) {
      reader.rest()
      return done
    }
    reader.accept('column')
    const column = reader.name().value
    if (reader.accept('encode')) {
      reader.name()
      return done
    }
    reader.expect('type')
    const type = readType(reader.rest(), `${table}.${column}`)
    if (type.base !== 'varchar') {
      throw new RedshiftError({
        code: '0A000',
        message: 'ALTER COLUMN TYPE is only supported for VARCHAR columns'
      })
    }
    const sql = `${head} alter column ${quoteName(column)} type ${type.sql}`
    return { kind: 'relay', sql, notInTransaction: 'ALTER TABLE ALTER COLUMN' }
  }
  return reader.fail()
}

function addedColumn(tokens: Token[], table: string): string {
  if (isWord(tokens[0], 'if')) throw syntaxError('if')
  if (splitList(tokens).length > 1) throw syntaxError(',')
  const reader = readTokens(tokens)
  const column = readColumn(reader, table)
  if (/ as identity /.test(column.sql)) throw notSupported('ALTER TABLE ADD COLUMN with IDENTITY')
  return column.sql
}
