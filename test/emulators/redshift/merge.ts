/** MERGE: what Redshift's grammar takes, which is less than PostgreSQL's. */
import { notEmulated, RedshiftError, syntaxError } from './errors.ts'
import { relationsOf } from './relations.ts'
import { readTokens } from './token-reader.ts'
import { isSymbol, isWord, type Token } from './tokens.ts'

/** Throws unless it is `MERGE INTO target USING source ON ... WHEN MATCHED ... WHEN NOT MATCHED ...`. */
export function checkMerge(tokens: readonly Token[]): void {
  const reader = readTokens(tokens.slice(1))
  reader.expect('into')
  const target = reader.qualifiedName()
  // No alias on the target.
  reader.expect('using')
  const clauses = tokens.flatMap((_, at) => (isWhen(tokens, at) ? [at] : []))
  if (tokens.some((token, at) => isWord(token, 'remove') && isWord(tokens[at + 1], 'duplicates'))) {
    throw notEmulated('MERGE ... REMOVE DUPLICATES')
  }
  const using = tokens.slice(tokens.findIndex((token) => isWord(token, 'using')))
  if (relationsOf(using).some(({ name }) => name === target.name)) {
    throw new RedshiftError({
      code: '0A000',
      message: 'Source view/subquery in Merge statement cannot reference target table.'
    })
  }
  const [matched, notMatched, extra] = clauses
  if (matched === undefined || notMatched === undefined) {
    throw new RedshiftError({ code: '42601', message: 'syntax error at end of input' })
  }
  if (extra !== undefined) throw syntaxError('WHEN')
  expectClause(tokens, matched, ['matched', 'then'])
  expectClause(tokens, notMatched, ['not', 'matched', 'then'])
  if (isWord(tokens[matched + 3], 'do') || isWord(tokens[notMatched + 4], 'do')) throw syntaxError('DO')
}

/** WHEN of the MERGE itself, not of a CASE. */
function isWhen(tokens: readonly Token[], at: number): boolean {
  if (!isWord(tokens[at], 'when')) return false
  let depth = 0
  for (let index = 0; index < at; index += 1) {
    if (isSymbol(tokens[index], '(') || isWord(tokens[index], 'case')) depth += 1
    if (isSymbol(tokens[index], ')') || isWord(tokens[index], 'end')) depth -= 1
  }
  return depth === 0
}

function expectClause(tokens: readonly Token[], at: number, words: string[]): void {
  for (const [index, word] of words.entries()) {
    const token = tokens[at + 1 + index]
    if (!isWord(token, word)) throw syntaxError(token?.source ?? '')
  }
}
