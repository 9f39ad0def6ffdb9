/** Reads tokens one after another, for statements whose grammar is worth parsing: COPY and DDL. */
import { RedshiftError, syntaxError } from './errors.ts'
import { closing, isName, isSymbol, isWord, quoteName, type Token } from './tokens.ts'

export interface QualifiedName {
  schema: string | undefined
  name: string
  /** As PostgreSQL reads it. */
  sql: string
}

export interface TokenReader {
  done(): boolean
  peek(offset?: number): Token | undefined
  next(): Token
  /** Takes the words if they come next, all of them or none. */
  accept(...words: string[]): boolean
  acceptSymbol(symbol: string): boolean
  expect(...words: string[]): void
  name(): Token
  qualifiedName(): QualifiedName
  string(): string
  integer(): number
  /** The tokens inside the parentheses that come next. */
  group(): Token[]
  /** Everything that is left. */
  rest(): Token[]
  /** Throws 42601 at the next token. */
  fail(): never
}

export function readTokens(tokens: readonly Token[]): TokenReader {
  let at = 0

  function fail(): never {
    const token = tokens[at]
    if (token !== undefined) throw syntaxError(token.source)
    throw new RedshiftError({ code: '42601', message: 'syntax error at end of input' })
  }

  function next(): Token {
    const token = tokens[at] ?? fail()
    at += 1
    return token
  }

  function accept(...words: string[]): boolean {
    if (!words.every((word, index) => isWord(tokens[at + index], word))) return false
    at += words.length
    return true
  }

  function acceptSymbol(symbol: string): boolean {
    if (!isSymbol(tokens[at], symbol)) return false
    at += 1
    return true
  }

  function name(): Token {
    return isName(tokens[at]) ? next() : fail()
  }

  return {
    done: () => at >= tokens.length,
    peek: (offset = 0) => tokens[at + offset],
    next,
    accept,
    acceptSymbol,
    name,
    fail,
    expect(...words) {
      if (!accept(...words)) fail()
    },
    qualifiedName() {
      const parts = [name().value]
      while (acceptSymbol('.')) parts.push(name().value)
      return {
        schema: parts.at(-2),
        name: parts.at(-1) as string,
        sql: parts.map(quoteName).join('.')
      }
    },
    string: () => (tokens[at]?.kind === 'string' ? next().value : fail()),
    integer: () => (/^\d+$/.test(tokens[at]?.value ?? '') ? Number(next().value) : fail()),
    group() {
      if (!isSymbol(tokens[at], '(')) fail()
      const end = closing(tokens, at)
      const inside = tokens.slice(at + 1, end)
      at = end + 1
      return inside
    },
    rest() {
      const left = tokens.slice(at)
      at = tokens.length
      return left
    }
  }
}
