/**
 * SQL lives in `.sql` files, one statement each, with named parameters: `:name` is bound by the driver,
 * `:'name'` is written into the text as a quoted literal (for the few statements that take no bind
 * parameter: COPY, table functions, SET).
 *
 * Files are read at import, so that a wrong path fails at start and not at three in the morning.
 */
import { readFileSync } from 'node:fs'

export interface Statement {
  /** Path below `src/sql`: what logs and errors call the statement. */
  readonly name: string
  /** SQL with `$1`-style parameters. */
  readonly text: string
  /** Parameter names by position: `params[0]` is `$1`. */
  readonly params: readonly string[]
  /** Names of the `:'name'` literals that are still to be filled by `fillLiterals`. */
  readonly literals: readonly string[]
}

export type Params = Readonly<Record<string, unknown>>

const root = new URL('./sql/', import.meta.url)

// Order matters: comments and quoted text are matched as a whole, so that nothing inside them is a parameter.
const token =
  /\n\s*(?=\n)|\n?[^\S\n]*--[^\n]*|\/\*[\s\S]*?\*\/|::|:'[a-z_]+'|'(?:[^']|'')*'|"[^"]*"|:[a-z_]+\b/g

/** Reads one statement from a file below `src/sql`. Throws if the file is missing or empty. */
export function readSql(path: string): Statement {
  return parseSql(path, readFileSync(new URL(path, root), 'utf8'))
}

/** Turns SQL with named parameters into a `Statement`; comments and the final semicolon are dropped. */
export function parseSql(name: string, source: string): Statement {
  const params: string[] = []
  const literals = new Set<string>()
  const text = source
    .replace(token, (found) => {
      // A blank line or a comment; quoted text keeps both.
      if (/^(\s|--|\/\*)/.test(found)) return ''
      if (found.startsWith(":'")) literals.add(found.slice(2, -1))
      if (!/^:[a-z_]/.test(found)) return found
      const param = found.slice(1)
      if (!params.includes(param)) params.push(param)
      return `$${params.indexOf(param) + 1}`
    })
    .trim()
    .replace(/\s*;$/, '')
  if (text === '') throw new Error(`${name} holds no statement`)
  return { name, text, params, literals: [...literals] }
}

/** The values of a statement's parameters by position. Throws on a missing or an unknown name. */
export function bindParams(statement: Statement, params: Params = {}): unknown[] {
  if (statement.literals.length > 0) {
    throw new Error(`${statement.name}: literals not filled: ${statement.literals.join(', ')}`)
  }
  for (const name of Object.keys(params)) {
    if (!statement.params.includes(name)) throw new Error(`${statement.name} has no parameter :${name}`)
  }
  return statement.params.map((name) => {
    if (params[name] === undefined) throw new Error(`${statement.name} needs the parameter :${name}`)
    return params[name]
  })
}

export type Literal = string | number | readonly (string | number)[]

/**
 * Writes values in place of a statement's `:'name'` literals, quoted for the given dialect.
 * Redshift reads a backslash in an ordinary literal as an escape, so it is doubled there; and it has no lists but those
 * of IN, which is what a list is written as.
 * Throws on a missing or unknown name and on a value that cannot be written safely.
 */
export function fillLiterals(
  statement: Statement,
  values: Readonly<Record<string, Literal>>,
  dialect: 'duckdb' | 'redshift'
): Statement {
  for (const name of Object.keys(values)) {
    if (!statement.literals.includes(name)) throw new Error(`${statement.name} has no literal :'${name}'`)
  }
  const text = statement.text.replace(token, (found) => {
    if (!found.startsWith(":'")) return found
    const name = found.slice(2, -1)
    const value = values[name]
    if (value === undefined) throw new Error(`${statement.name} needs the literal :'${name}'`)
    return quoteLiteral(value, dialect)
  })
  return { ...statement, text, literals: [] }
}

function quoteLiteral(value: Literal, dialect: 'duckdb' | 'redshift'): string {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Error('a literal must be a finite number')
    return String(value)
  }
  if (typeof value !== 'string') {
    const list = value.map((each) => quoteLiteral(each, dialect)).join(', ')
    return dialect === 'redshift' ? `(${list})` : `[${list}]`
  }
  if (value.includes('\0')) throw new Error('a literal must not hold a NUL character')
  const escaped = value.replaceAll("'", "''")
  return dialect === 'redshift' ? `'${escaped.replaceAll('\\', '\\\\')}'` : `'${escaped}'`
}
