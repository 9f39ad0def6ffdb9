/** Turns an accepted query or expression into what PostgreSQL runs. */
import { notEmulated, RedshiftError, syntaxError } from './errors.ts'
import { closing, isCastTarget, isSymbol, isWord, sql, type Token } from './tokens.ts'
import { dateParts } from './words.ts'

/** Functions whose first argument is a bare date part. */
const partFirst = ['dateadd', 'datediff', 'date_add', 'date_diff', 'date_part']

export function rewrite(tokens: readonly Token[]): Token[] {
  const result: Token[] = []
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] as Token
    const before = tokens[at - 1]
    const isCall = token.kind === 'word' && isSymbol(tokens[at + 1], '(') && !isSymbol(before, '.')
    if (isCall && token.value === 'nvl') {
      result.push(...renamed(token, 'coalesce'))
    } else if (isCall && partFirst.includes(token.value)) {
      const part = literalPart(tokens[at + 2])
      if (token.value === 'date_part' && /^mi[lc].*seconds$/.test(part.value)) {
        throw notEmulated(`DATE_PART of ${part.value}`)
      }
      result.push(token, tokens[at + 1] as Token, part)
      at += 2
    } else if (isCall && token.value === 'extract') {
      const end = closing(tokens, at + 1)
      result.push(...extract(tokens.slice(at, end + 1)))
      at = end
    } else if (isWord(token, 'minus') && isWord(tokens[at + 1], 'select')) {
      result.push(...renamed(token, 'except'))
    } else if (isWord(token, 'sysdate') && !isSymbol(before, '.') && !isCall) {
      result.push(...renamed(token, 'sysdate()'))
    } else if (isWord(token, 'approximate') && isWord(tokens[at + 1], 'count')) {
      // The exact count is as good.
    } else if (isSymbol(before, '::') || isCastTarget(tokens, at)) {
      const length = typeLength(tokens, at)
      result.push(...castType(tokens.slice(at, at + length)))
      at += length - 1
    } else {
      result.push(token)
    }
  }
  return result
}

const renamed = (token: Token, text: string) =>
  sql(text).map((each, index) => (index === 0 ? { ...each, gap: token.gap || ' ' } : each))

/** How many tokens the name of a type at `at` takes: `varchar(max)`, `double precision`. */
function typeLength(tokens: readonly Token[], at: number): number {
  let end = at + 1
  while (isWord(tokens[end], 'varying', 'precision')) end += 1
  return isSymbol(tokens[end], '(') ? closing(tokens, end) + 1 - at : end - at
}

/** The type of a cast: without a scale a decimal has none, MAX is a number, DATETIME is a timestamp. */
function castType(tokens: Token[]): Token[] {
  const name = tokens[0] as Token
  if (isWord(name, 'decimal', 'numeric') && tokens.length === 1) return [...tokens, ...sql('(18, 0)')]
  if (isWord(name, 'datetime')) return renamed(name, 'timestamp')
  if (isWord(name, 'nvarchar')) return castType([...renamed(name, 'varchar'), ...tokens.slice(1)])
  if (isWord(name, 'json', 'jsonb', 'uuid', 'bytea', 'xml', 'inet', 'regclass', 'money', 'hstore')) {
    throw new RedshiftError({ code: '42704', message: `type "${name.value}" does not exist` })
  }
  return tokens.map((token) => {
    if (!isWord(token, 'max')) return token
    return {
      ...token,
      kind: 'number',
      value: '65535',
      source: isWord(name, 'char', 'character') ? '4096' : '65535'
    }
  })
}

/** A date part as a literal, in PostgreSQL's spelling. */
function literalPart(token: Token | undefined): Token {
  const part =
    token?.kind === 'word' || token?.kind === 'string' ? dateParts[token.value.toLowerCase()] : undefined
  if (token === undefined || part === undefined) throw syntaxError(token?.source ?? ')')
  return { ...token, kind: 'string', value: part }
}

/** EXTRACT gives an INTEGER, and of milliseconds and microseconds those beyond the second. */
function extract(tokens: readonly Token[]): Token[] {
  const [keyword, open, part, ...rest] = tokens as [Token, Token, Token, ...Token[]]
  if (!isWord(rest[0], 'from')) throw syntaxError(rest[0]?.source ?? ')')
  const name = literalPart(part).value
  const spelling = { ...part, kind: 'word' as const, source: name }
  const within = { milliseconds: ' % 1000', microseconds: ' % 1000000' }[name] ?? ''
  return [
    ...sql('cast(trunc(').map((token, index) =>
      index === 0 ? { ...token, gap: keyword.gap || ' ' } : token
    ),
    keyword,
    open,
    spelling,
    ...rewrite(rest),
    ...sql(`)${within} as integer)`)
  ]
}
