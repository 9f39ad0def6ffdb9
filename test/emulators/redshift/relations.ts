/** Which relations a statement names, and on which nodes of the cluster it would have to run. */
import { closing, isName, isSymbol, isWord, type Token } from './tokens.ts'

export interface Relation {
  schema: string | undefined
  name: string
}

/** Functions with FROM among their arguments. */
const withFrom = ['extract', 'substring', 'trim', 'overlay', 'position']

/** The relations after FROM, JOIN, USING, INTO, UPDATE and TABLE; names of WITH are left out. */
export function relationsOf(tokens: readonly Token[]): Relation[] {
  const withNames = namesOfWith(tokens)
  const relations: Relation[] = []
  const openers: (Token | undefined)[] = []
  for (const [index, token] of tokens.entries()) {
    if (isSymbol(token, '(')) openers.push(tokens[index - 1])
    if (isSymbol(token, ')')) openers.pop()
    if (!isWord(token, 'from', 'join', 'using', 'into', 'update', 'table')) continue
    if (isWord(token, 'from') && isWord(openers.at(-1), ...withFrom)) continue
    readList(tokens, index + 1, relations)
  }
  return relations.filter(({ schema, name }) => schema !== undefined || !withNames.has(name))
}

/** Reads `a, b.c as d, (select ...) e, f(x)` from `start` on; functions and subqueries are no relations. */
function readList(tokens: readonly Token[], start: number, relations: Relation[]): void {
  let at = start
  for (;;) {
    if (isWord(tokens[at], 'only', 'lateral')) at += 1
    if (isSymbol(tokens[at], '(')) {
      at = closing(tokens, at) + 1
    } else {
      const parts: string[] = []
      while (isName(tokens[at])) {
        parts.push((tokens[at] as Token).value)
        if (!isSymbol(tokens[at + 1], '.')) break
        at += 2
      }
      if (parts.length === 0) return
      at += 1
      const isInto = isWord(tokens[start - 1], 'into')
      if (isSymbol(tokens[at], '(') && !isInto) at = closing(tokens, at) + 1
      else relations.push({ schema: parts.at(-2), name: parts.at(-1) as string })
    }
    if (isWord(tokens[at], 'as')) at += 1
    if (isName(tokens[at])) at += 1
    if (isSymbol(tokens[at], '(')) at = closing(tokens, at) + 1
    if (!isSymbol(tokens[at], ',')) return
    at += 1
  }
}

function namesOfWith(tokens: readonly Token[]): Set<string> {
  const names = new Set<string>()
  for (const [index, token] of tokens.entries()) {
    const as = isSymbol(tokens[index + 1], '(') ? closing(tokens, index + 1) + 1 : index + 1
    if (isName(token) && isWord(tokens[as], 'as') && isSymbol(tokens[as + 1], '(')) names.add(token.value)
  }
  return names
}

const onCompute = /^(?:stl|stv|svl|svv|sys)_/
const onLeader = /^(?:pg_|svv_(?:tables|columns|all_|redshift_|external_))/

export const isCatalog = ({ schema, name }: Relation): boolean =>
  schema === 'information_schema' ||
  ((schema === undefined || schema === 'pg_catalog') && onLeader.test(name))

export const isSystem = (relation: Relation): boolean =>
  isCatalog(relation) ||
  ((relation.schema === undefined || relation.schema === 'pg_catalog') && onCompute.test(relation.name))

/** Tables of users, and the system tables that the compute nodes hold. */
export const runsOnCompute = (relation: Relation): boolean => !isCatalog(relation)
