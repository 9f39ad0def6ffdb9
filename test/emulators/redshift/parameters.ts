/** Where a bound parameter may stand. */
import { internalError, RedshiftError } from './errors.ts'
import { isName, isSymbol, isWord, type Token } from './tokens.ts'

/** More than a signed 16-bit integer counts. */
export const MAX_PARAMETERS = 32_767

/** Throws where Redshift cannot take a parameter: in LIMIT and OFFSET, and untyped in a SELECT list. */
export function checkParameters(tokens: readonly Token[], query: number): void {
  const isInLimit = inLimits(tokens)
  for (const [at, token] of tokens.entries()) {
    if (token.kind !== 'param') continue
    const number = Number(token.value.slice(1))
    if (number > MAX_PARAMETERS) {
      throw new RedshiftError({ code: '42P02', message: `there is no parameter $${number - 65_536}` })
    }
    if (isInLimit[at]) {
      throw internalError({
        message: 'Not implemented',
        code: 1001,
        context: "'IsA(cons, Const)' - ",
        query,
        location: 'pg_utils.cpp:6474'
      })
    }
    if (isUntypedOutput(tokens, at)) {
      throw new RedshiftError({
        code: '42P18',
        message: `could not determine data type of parameter ${token.value}`
      })
    }
  }
}

/** For each token whether it is part of what follows LIMIT, OFFSET or TOP: up to the next clause, or the end of the
 * parentheses around it. */
function inLimits(tokens: readonly Token[]): boolean[] {
  let depth = 0
  // How deep the LIMIT stands that the token belongs to; subqueries inside of it are not looked at.
  let limit: number | undefined
  return tokens.map((token, at) => {
    if (isSymbol(token, '(')) depth += 1
    if (isSymbol(token, ')')) depth -= 1
    if (limit !== undefined && depth < limit) limit = undefined
    const isClause = isWord(token, 'limit', 'offset', 'top') && !isSymbol(tokens[at - 1], '.')
    if (isClause) limit = depth
    else if (isWord(token, 'union', 'except', 'intersect', 'select', 'from', 'for')) limit = undefined
    return limit !== undefined
  })
}

/** A whole item of a SELECT list. In VALUES the target's column gives the type; here nothing does. */
function isUntypedOutput(tokens: readonly Token[], at: number): boolean {
  const after = tokens[at + 1]
  const endsItem =
    after === undefined ||
    isSymbol(after, ',', ')') ||
    isWord(after, 'as', 'from', 'union', 'where', 'into', 'except', 'intersect', 'order', 'limit', 'group') ||
    (isName(after) && (isSymbol(tokens[at + 2], ',') || isWord(tokens[at + 2], 'from')))
  const before = tokens[at - 1]
  if (!endsItem || !(isWord(before, 'select', 'distinct', 'all') || isSymbol(before, ','))) return false
  return clauseOf(tokens, at) === 'select'
}

/** The clause that the token at `at` stands in, as far as parentheses around it go. */
function clauseOf(tokens: readonly Token[], at: number): string | undefined {
  let depth = 0
  for (let index = at - 1; index >= 0; index -= 1) {
    const token = tokens[index] as Token
    if (isSymbol(token, ')')) depth += 1
    if (isSymbol(token, '(')) depth -= 1
    if (depth < 0) return undefined
    if (depth > 0 || isSymbol(tokens[index - 1], '.')) continue
    if (isWord(token, 'select', 'from', 'where', 'by', 'having', 'values', 'set', 'limit', 'offset', 'in')) {
      return token.value
    }
  }
  return undefined
}
