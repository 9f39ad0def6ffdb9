/** A query, checked against what Redshift has and rewritten for PostgreSQL. */
import { RedshiftError } from './errors.ts'
import { checkFunctions } from './functions.ts'
import { checkParameters } from './parameters.ts'
import { refuse } from './refusals.ts'
import { isSystem, type Relation, relationsOf } from './relations.ts'
import { rewrite } from './rewrite.ts'
import { closing, isSymbol, render, type Token } from './tokens.ts'

export interface Reading {
  sql: string
  relations: Relation[]
  hasParameters: boolean
}

/** `targets` are tables that the query writes to and does not name itself, as in CREATE TABLE AS. */
export function readQuery(tokens: readonly Token[], targets: readonly Relation[] = [], query = 0): Reading {
  for (const [at, token] of tokens.entries()) if (isSymbol(token, '(')) closing(tokens, at)
  refuse(tokens)
  checkParameters(tokens, query)
  const relations = [...targets, ...relationsOf(tokens)]
  checkFunctions(tokens, relations)
  return {
    sql: render(rewrite(tokens)),
    relations,
    hasParameters: tokens.some(({ kind }) => kind === 'param')
  }
}

/** Throws for a statement that writes to a system table. */
export function refuseSystemTarget(target: Relation): void {
  if (!isSystem(target)) return
  throw new RedshiftError({ code: '42501', message: `permission denied for relation ${target.name}` })
}
