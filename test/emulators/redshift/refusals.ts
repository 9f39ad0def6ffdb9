/** Clauses and constructs of PostgreSQL that Redshift has not: each rule looks at one place of a statement. */
import { notSupported, RedshiftError, syntaxError, undefinedFunction } from './errors.ts'
import { closing, isCastTarget, isName, isSymbol, isWord, type Token } from './tokens.ts'
import { operators, refusedNames } from './words.ts'

type Rule = (tokens: readonly Token[], at: number) => RedshiftError | undefined

const rules: Rule[] = [
  // E'...', N'...', B'...', X'...': a word right before a quote is a type's name there.
  (tokens, at) =>
    tokens[at]?.kind === 'string' && tokens[at]?.gap === '' && isWord(tokens[at - 1], 'e', 'n', 'b', 'x')
      ? new RedshiftError({
          code: '42704',
          message: `type "${tokens[at - 1]?.value}" does not exist`
        })
      : undefined,
  (tokens, at) => atWords(tokens, at, ['on', 'conflict'], 'conflict'),
  (tokens, at) => atWords(tokens, at, ['returning']),
  (tokens, at) => atWords(tokens, at, ['distinct', 'on'], 'on'),
  (tokens, at) => atWords(tokens, at, ['lateral']),
  (tokens, at) => (isSymbol(tokens[at], ')') ? atWords(tokens, at + 1, ['filter']) : undefined),
  (tokens, at) => atWords(tokens, at, ['is', 'distinct', 'from'], 'distinct'),
  (tokens, at) => atWords(tokens, at, ['is', 'not', 'distinct', 'from'], 'distinct'),
  (tokens, at) =>
    atWords(tokens, at, ['with', 'data'], 'data') ?? atWords(tokens, at, ['with', 'no', 'data'], 'no'),
  (tokens, at) =>
    isWord(tokens[at], 'window') && isName(tokens[at + 1]) && isWord(tokens[at + 2], 'as')
      ? syntaxError('window')
      : undefined,
  (tokens, at) => (isWord(tokens[at], 'except', 'intersect') ? atWords(tokens, at + 1, ['all']) : undefined),
  (tokens, at) => atWords(tokens, at, ['fetch', 'first']) ?? atWords(tokens, at, ['fetch', 'next']),
  (tokens, at) => atWords(tokens, at, ['tablesample']),
  (tokens, at) => atWords(tokens, at, ['overriding']),
  (tokens, at) =>
    isWord(tokens[at], 'for') && isWord(tokens[at + 1], 'update', 'share', 'no', 'key')
      ? notSupported('SELECT FOR UPDATE/SHARE')
      : undefined,
  (tokens, at) =>
    isWord(tokens[at], 'array') && isSymbol(tokens[at + 1], '[') ? syntaxError('[') : undefined,
  (tokens, at) =>
    isSymbol(tokens[at], '[') && (isName(tokens[at - 1]) || isSymbol(tokens[at - 1], ')', ']'))
      ? syntaxError('[')
      : undefined,
  // ANY and ALL take a subquery, never an array.
  (tokens, at) =>
    isWord(tokens[at], 'any', 'all', 'some') &&
    isSymbol(tokens[at + 1], '(') &&
    !isWord(tokens[at + 2], 'select', 'with') &&
    !isSymbol(tokens[at + 2], '(')
      ? notSupported('op ANY/ALL (array)')
      : undefined,
  (tokens, at) =>
    tokens[at]?.kind === 'string' &&
    isWord(tokens[at - 1], 'json', 'jsonb', 'uuid', 'bytea', 'xml', 'inet', 'bit')
      ? new RedshiftError({ code: '42704', message: `type "${tokens[at - 1]?.value}" does not exist` })
      : undefined,
  valuesAsTable,
  writingWith,
  unknownOperator,
  reservedName,
  concatOfMany
]

/** Throws what Redshift says to the first construct that it does not have. */
export function refuse(tokens: readonly Token[]): void {
  for (let at = 0; at < tokens.length; at += 1) {
    for (const rule of rules) {
      const error = rule(tokens, at)
      if (error !== undefined) throw error
    }
  }
}

function atWords(
  tokens: readonly Token[],
  at: number,
  words: string[],
  near = words[0]
): RedshiftError | undefined {
  return words.every((word, index) => isWord(tokens[at + index], word))
    ? syntaxError(near as string)
    : undefined
}

/** VALUES stands only in INSERT. */
function valuesAsTable(tokens: readonly Token[], at: number): RedshiftError | undefined {
  const isTable = isWord(tokens[at], 'values') && (at === 0 || isSymbol(tokens[at - 1], '('))
  return isTable ? syntaxError('values') : undefined
}

/** A WITH query may only read. */
function writingWith(tokens: readonly Token[], at: number): RedshiftError | undefined {
  const body = tokens[at + 2]
  const writes = isWord(tokens[at], 'as') && isSymbol(tokens[at + 1], '(')
  return writes && isWord(body, 'insert', 'update', 'delete', 'merge')
    ? syntaxError((body as Token).source)
    : undefined
}

function unknownOperator(tokens: readonly Token[], at: number): RedshiftError | undefined {
  const token = tokens[at] as Token
  if (token.kind !== 'symbol' || operators.has(token.value)) return undefined
  return new RedshiftError({
    code: '42883',
    message: `operator does not exist: ${token.value}`
  })
}

/** A reserved word as the name of a column, table or alias. After a dot it is one of a kind, and allowed. */
function reservedName(tokens: readonly Token[], at: number): RedshiftError | undefined {
  const token = tokens[at] as Token
  if (token.kind !== 'word' || isSymbol(tokens[at - 1], '.')) return undefined
  if (refusedNames.has(token.value)) return syntaxError(token.source)
  const [before, after] = [tokens[at - 1], tokens[at + 1]]
  const isAllowed = {
    // A type, or the beginning of a literal.
    timestamp: () => after?.kind === 'string' || isSymbol(before, '::') || isCastTarget(tokens, at),
    interval: () => after?.kind === 'string' || isSymbol(before, '::') || isCastTarget(tokens, at),
    partition: () => isWord(after, 'by'),
    nulls: () => isWord(after, 'first', 'last') || isWord(before, 'ignore', 'respect'),
    ignore: () => isWord(after, 'nulls'),
    respect: () => isWord(after, 'nulls'),
    minus: () => isWord(after, 'select') || isSymbol(after, '('),
    without: () => isWord(after, 'time'),
    sysdate: () => !isWord(before, 'as'),
    tag: () => false,
    top: () => isWord(before, 'select')
  }[token.value]
  return isAllowed === undefined || isAllowed() ? undefined : syntaxError(token.source)
}

/** CONCAT takes exactly two. */
function concatOfMany(tokens: readonly Token[], at: number): RedshiftError | undefined {
  if (!isWord(tokens[at], 'concat') || !isSymbol(tokens[at + 1], '(')) return undefined
  const inside = tokens.slice(at + 2, closing(tokens, at + 1))
  let [depth, commas] = [0, 0]
  for (const token of inside) {
    if (isSymbol(token, '(')) depth += 1
    if (isSymbol(token, ')')) depth -= 1
    if (depth === 0 && isSymbol(token, ',')) commas += 1
  }
  return commas === 1 ? undefined : undefinedFunction('concat')
}
