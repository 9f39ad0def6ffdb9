/** Which functions a statement may call, and what it may do with them. */
import { leaderOnly, notEmulated, RedshiftError, syntaxError, undefinedFunction } from './errors.ts'
import { isCatalog, type Relation, runsOnCompute } from './relations.ts'
import { closing, isName, isSymbol, isWord, splitList, type Token } from './tokens.ts'
import {
  frameFunctions,
  functions,
  functionsNotEmulated,
  leaderFunctions,
  leaderValues,
  notFunctions
} from './words.ts'

/** Throws for a function that Redshift has not, or has only where the statement does not run. */
export function checkFunctions(tokens: readonly Token[], relations: readonly Relation[]): void {
  const compute = relations.find(runsOnCompute)
  if (compute !== undefined && relations.some(isCatalog)) {
    throw leaderOnly(relations.find(isCatalog)?.name as string)
  }
  for (const [at, token] of tokens.entries()) {
    if (token.kind !== 'word' || isSymbol(tokens[at - 1], '.')) continue
    if (leaderValues.has(token.value) && compute !== undefined) throw leaderOnly(token.value)
    if (!isCall(tokens, at)) continue
    if (leaderFunctions.has(token.value)) {
      if (compute !== undefined) throw leaderOnly(token.value)
    } else if (functionsNotEmulated.has(token.value)) {
      throw notEmulated(`the function ${token.value}`)
    } else if (!functions.has(token.value)) {
      throw undefinedFunction(token.value)
    }
    checkWindow(tokens, at)
  }
}

/** A word before a parenthesis, unless it is a keyword, a table with its columns, an alias or a WITH query. */
function isCall(tokens: readonly Token[], at: number): boolean {
  if (!isSymbol(tokens[at + 1], '(') || notFunctions.has((tokens[at] as Token).value)) return false
  const before = tokens[at - 1]
  if (isWord(before, 'into', 'table', 'references', 'as', 'exists', 'update', 'precision')) return false
  if (before?.kind === 'quoted' || isSymbol(before, ')')) return false
  const after = closing(tokens, at + 1) + 1
  return !(isWord(tokens[after], 'as') && isSymbol(tokens[after + 1], '('))
}

/** `name(...) over (...)` as Redshift wants it: inline, with ROWS where an aggregate is ordered. */
function checkWindow(tokens: readonly Token[], at: number): void {
  const name = (tokens[at] as Token).value
  const open = at + 1
  const over = closing(tokens, open) + 1
  if (!isWord(tokens[over], 'over')) return
  if (!isSymbol(tokens[over + 1], '(')) throw syntaxError(tokens[over + 1]?.source ?? 'over')
  if (isWord(tokens[open + 1], 'distinct')) {
    throw new RedshiftError({ code: '0A000', message: 'DISTINCT is not supported for window functions' })
  }
  const window = tokens.slice(over + 2, closing(tokens, over + 1))
  const { partition, order, frame } = clausesOf(window)
  if (window.length > 0 && !isWord(window[0], 'partition', 'order', 'rows', 'range', 'groups')) {
    throw syntaxError((window[0] as Token).source)
  }
  for (const item of [...splitList(partition ?? []), ...splitList(order ?? [])]) {
    const isConstant = item[0]?.kind === 'number' || item[0]?.kind === 'string'
    if (isConstant && (item.length === 1 || isWord(item[1], 'asc', 'desc'))) {
      throw new RedshiftError({
        code: '0A000',
        message:
          'constant expressions are not supported in partition by and order by clauses of window functions'
      })
    }
  }
  if (frame !== undefined && !isWord(frame[0], 'rows')) throw syntaxError(frame[0]?.source ?? '')
  if (order !== undefined && frame === undefined && frameFunctions.has(name)) {
    throw new RedshiftError({
      code: '42601',
      message: 'Aggregate window functions with an ORDER BY clause require a frame clause'
    })
  }
}

function clausesOf(window: readonly Token[]): Record<'partition' | 'order' | 'frame', Token[] | undefined> {
  const starts: Record<'partition' | 'order' | 'frame', number> = { partition: -1, order: -1, frame: -1 }
  let depth = 0
  for (const [at, token] of window.entries()) {
    if (isSymbol(token, '(')) depth += 1
    if (isSymbol(token, ')')) depth -= 1
    if (depth > 0 || isSymbol(window[at - 1], '.')) continue
    if (isWord(token, 'partition') && isWord(window[at + 1], 'by')) starts.partition = at
    if (isWord(token, 'order') && isWord(window[at + 1], 'by')) starts.order = at
    if (isWord(token, 'rows', 'range', 'groups') && !isName(window[at - 1]) && at > 0) continue
    if (
      isWord(token, 'rows', 'range', 'groups') &&
      isWord(window[at + 1], 'between', 'unbounded', 'current')
    ) {
      starts.frame = at
    }
  }
  const ends = [...Object.values(starts), window.length].filter((start) => start >= 0).sort((a, b) => a - b)
  const part = (start: number, skip: number) =>
    start < 0
      ? undefined
      : window.slice(
          start + skip,
          ends.find((end) => end > start)
        )
  return { partition: part(starts.partition, 2), order: part(starts.order, 2), frame: part(starts.frame, 0) }
}
