/** Redshift's SQL as a list of tokens: what every refusal and rewrite looks at, never at the raw text. */
import { RedshiftError } from './errors.ts'

export interface Token {
  kind: 'word' | 'quoted' | 'string' | 'number' | 'param' | 'symbol'
  /** What it means: words in lower case, quoted names folded, strings without quotes and escapes. */
  value: string
  /** As it stands in the statement. */
  source: string
  /** The white space before it; a comment counts as a blank. */
  gap: string
}

const space = /\s+|--[^\n]*/y
const word = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y
const number = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y
const param = /\$\d+/y
const dollarQuote = /\$(?:[A-Za-z_][A-Za-z0-9_]*)?\$/y
const symbol = /::|:=|<=|>=|<>|!=|\|\||[-+*/<>=~!@#%^&|`?]+|[(),;.[\]:]/y

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/**
 * Reads a text into tokens. Names fold to lower case even in double quotes, as on Redshift, unless
 * `keepCase` (the session's enable_case_sensitive_identifier). Throws 42601 on a quote that is never closed.
 */
export function tokenize(text: string, { keepCase = false } = {}): Token[] {
  const tokens: Token[] = []
  let at = 0
  let gap = ''
  const add = (kind: Token['kind'], source: string, value = source) => {
    tokens.push({ kind, value, source, gap })
    gap = ''
    at += source.length
  }
  while (at < text.length) {
    const blank = match(space, text, at)
    if (blank !== undefined) {
      gap += blank.startsWith('--') ? ' ' : blank
      at += blank.length
    } else if (text.startsWith('/*', at)) {
      at += blockComment(text, at)
      gap += ' '
    } else if (text[at] === "'") {
      const { source, value } = quotedString(text, at)
      add('string', source, value)
    } else if (text[at] === '"') {
      const source = match(/"(?:[^"]|"")*"/y, text, at)
      if (source === undefined) throw unterminated('quoted identifier', text.slice(at))
      const name = source.slice(1, -1).replaceAll('""', '"')
      add('quoted', source, keepCase ? name : name.toLowerCase())
    } else {
      const found = match(word, text, at)
      if (found !== undefined) add('word', found, found.toLowerCase())
      else if (match(param, text, at) !== undefined) add('param', match(param, text, at) as string)
      else if (match(dollarQuote, text, at) !== undefined) addDollarQuoted()
      else if (match(number, text, at) !== undefined) add('number', match(number, text, at) as string)
      else add('symbol', operator(text, at))
    }
  }
  return tokens

  function addDollarQuoted() {
    const tag = match(dollarQuote, text, at) as string
    const end = text.indexOf(tag, at + tag.length)
    if (end === -1) throw unterminated('dollar-quoted string', text.slice(at))
    add('string', text.slice(at, end + tag.length), text.slice(at + tag.length, end))
  }
}

/** An operator ends where a comment begins, and like PostgreSQL's before a sign: `=-1` is `=` and `-1`. */
function operator(text: string, at: number): string {
  let found = match(symbol, text, at) ?? (text[at] as string)
  const comment = found.search(/--|\/\*/)
  if (comment > 0) found = found.slice(0, comment)
  while (found.length > 1 && /[-+]$/.test(found) && !/[~!@#%^&|`?]/.test(found)) found = found.slice(0, -1)
  return found
}

function blockComment(text: string, at: number): number {
  let depth = 0
  for (let index = at; index < text.length; index += 1) {
    if (text.startsWith('/*', index)) {
      depth += 1
      index += 1
    } else if (text.startsWith('*/', index)) {
      depth -= 1
      index += 1
      if (depth === 0) return index + 1 - at
    }
  }
  throw unterminated('/* comment', text.slice(at))
}

const escapes: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** A backslash is an escape in every literal. */
function quotedString(text: string, start: number): { source: string; value: string } {
  let value = ''
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text[at] as string
    if (char === '\\') {
      const octal = match(/[0-7]{1,3}/y, text, at + 1)
      const next = text[at + 1] ?? ''
      value += octal === undefined ? (escapes[next] ?? next) : String.fromCharCode(Number.parseInt(octal, 8))
      at += octal?.length ?? 1
    } else if (char !== "'") {
      value += char
    } else if (text[at + 1] === "'") {
      value += "'"
      at += 1
    } else {
      return { source: text.slice(start, at + 1), value }
    }
  }
  throw unterminated('quoted string', text.slice(start))
}

function unterminated(what: string, rest: string) {
  return new RedshiftError({ code: '42601', message: `unterminated ${what} at or near "${rest}"` })
}

/** Splits at the semicolons outside of parentheses; empty statements are dropped. */
export function splitStatements(tokens: readonly Token[]): Token[][] {
  const statements: Token[][] = [[]]
  for (const token of tokens) {
    if (isSymbol(token, ';')) statements.push([])
    else statements.at(-1)?.push(token)
  }
  return statements.filter((statement) => statement.length > 0)
}

export const isWord = (token: Token | undefined, ...names: string[]): boolean =>
  token?.kind === 'word' && names.includes(token.value)

export const isSymbol = (token: Token | undefined, ...names: string[]): boolean =>
  token?.kind === 'symbol' && names.includes(token.value)

/** A name: bare or in double quotes. */
export const isName = (token: Token | undefined): token is Token =>
  token?.kind === 'word' || token?.kind === 'quoted'

/** The index of the parenthesis that closes the one at `open`. Throws 42601 when there is none. */
export function closing(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let index = open; index < tokens.length; index += 1) {
    if (isSymbol(tokens[index], '(')) depth += 1
    if (isSymbol(tokens[index], ')')) depth -= 1
    if (depth === 0) return index
  }
  throw new RedshiftError({ code: '42601', message: 'syntax error at end of input' })
}

/** `cast(... as here)`: whether the token comes after the AS of a CAST. */
export function isCastTarget(tokens: readonly Token[], at: number): boolean {
  if (!isWord(tokens[at - 1], 'as')) return false
  let depth = 0
  for (let index = at - 1; index >= 0; index -= 1) {
    if (isSymbol(tokens[index], ')')) depth += 1
    if (isSymbol(tokens[index], '(')) depth -= 1
    if (depth < 0) return isWord(tokens[index - 1], 'cast')
  }
  return false
}

/** Splits at the commas outside of parentheses. */
export function splitList(tokens: readonly Token[]): Token[][] {
  const items: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (isSymbol(token, '(')) depth += 1
    if (isSymbol(token, ')')) depth -= 1
    if (depth === 0 && isSymbol(token, ',')) items.push([])
    else items.at(-1)?.push(token)
  }
  return items
}

export const quoteName = (name: string) => `"${name.replaceAll('"', '""')}"`
export const quoteText = (text: string) => `'${text.replaceAll("'", "''")}'`

/** The tokens as PostgreSQL reads them. */
export function render(tokens: readonly Token[]): string {
  return tokens
    .map((token) => {
      if (token.kind === 'quoted') return token.gap + quoteName(token.value)
      if (token.kind === 'string') return token.gap + quoteText(token.value)
      return token.gap + token.source
    })
    .join('')
    .trim()
}

/** Tokens of a text of our own, set apart from what stands before them. */
export function sql(text: string): Token[] {
  return tokenize(text).map((token, index) => (index === 0 ? { ...token, gap: ' ' } : token))
}
