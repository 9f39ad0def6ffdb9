/**
 * The catalogue of canned queries: every `.sql` file of a folder is one query, named by its file and described
 * by its header. It is read and checked once, at start; a query that is wrong stops the start with every
 * finding named by file and line, because a broken query must not wait for its first caller.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TUnsafe } from 'typebox'
import { type AnalyticsQuery, type Header, querystringSchema, type Values } from '../schemas/analytics.ts'
import { parseSql, type Statement } from '../sql.ts'
import { checkDialect } from './analytics-dialect.ts'
import { type Finding, headerComment, type ParsedHeader, parseHeader } from './analytics-header.ts'

export interface CatalogueEntry extends AnalyticsQuery {
  statement: Statement
  /** Schema of the query string of the results. */
  querystring: TUnsafe<Values>
}

/** The folder of the queries that come with the service. */
export const builtinQueries = fileURLToPath(new URL('../sql/analytics/', import.meta.url))

/** The canned queries are not as they must be; `problems` has one `file:line: message` each. */
export class CatalogueError extends Error {
  readonly problems: string[]

  constructor(problems: string[]) {
    super(`The canned queries are not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.name = 'CatalogueError'
    this.problems = problems
  }
}

let builtin: CatalogueEntry[] | undefined

/** The queries that come with the service, read once. Throws a `CatalogueError` with every problem. */
export const readBuiltinCatalogue = (): CatalogueEntry[] => (builtin ??= readCatalogue(builtinQueries))

/** Reads the queries of a folder in the order of their names. Throws a `CatalogueError` with every problem. */
export function readCatalogue(folder: string): CatalogueEntry[] {
  const entries: CatalogueEntry[] = []
  const problems: string[] = []
  for (const file of listQueries(folder)) {
    const { entry, findings } = readEntry(file)
    if (entry !== undefined) entries.push(entry)
    problems.push(...findings.map(({ line, message }) => `${file}:${line}: ${message}`))
  }
  if (problems.length > 0) throw new CatalogueError(problems)
  return entries
}

/**
 * The queries that come with the service and those of the operator's folder. These must keep to both dialects, read the
 * warehouse's tables alone, and have names of their own. Throws a `CatalogueError` with every problem.
 */
export async function readCatalogues(folder: string | undefined): Promise<CatalogueEntry[]> {
  const builtin = readBuiltinCatalogue()
  if (folder === undefined) return builtin
  const own = readCatalogue(folder)
  const taken = new Set(builtin.map(({ query }) => query))
  // Needed by nobody else: it loads the embedded engine, also where the warehouse is Redshift.
  const { checkQueries } = await import('../warehouse/query-check.ts')
  const refused = await checkQueries(own.map(({ statement }) => statement))
  const problems = own.flatMap(({ query }, index) => {
    const file = join(folder, `${query}.sql`)
    const source = readFileSync(file, 'utf8')
    const start = headerComment.exec(source)?.[0].length ?? 0
    const line = lineOf(source, start + source.slice(start).search(/\S/))
    const findings = checkDialect(source, start)
    if (taken.has(query))
      findings.push({ line: 1, message: 'a query that comes with the service has this name' })
    const refusal = refused[index]
    if (findings.length === 0 && refusal !== undefined) findings.push({ line, message: refusal })
    return findings.map((finding) => `${file}:${finding.line}: ${finding.message}`)
  })
  if (problems.length > 0) throw new CatalogueError(problems)
  return [...builtin, ...own].sort((a, b) => (a.query < b.query ? -1 : 1))
}

function listQueries(folder: string): string[] {
  try {
    const files = readdirSync(folder).filter((file) => file.endsWith('.sql'))
    return files.sort().map((file) => join(folder, file))
  } catch (error) {
    throw new CatalogueError([`${folder} cannot be read (${(error as NodeJS.ErrnoException).code})`])
  }
}

// Every word starts with a letter, so that two names never make the same operationId.
const queryName = /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/

function readEntry(file: string): { entry?: CatalogueEntry; findings: Finding[] } {
  const source = readFileSync(file, 'utf8')
  const query = basename(file, '.sql')
  const parsed = parseHeader(source)
  const findings = [...parsed.findings]
  if (!queryName.test(query)) {
    findings.push({ line: 1, message: 'the file must be named in kebab-case: top-songs.sql' })
  }
  const statement = readStatement(query, source, findings)
  if (parsed.header === undefined || statement === undefined) return { findings }
  findings.push(...compareParameters(source, statement, parsed.header, parsed.lineOf))
  return { entry: toEntry(query, source, statement, parsed.header), findings }
}

function readStatement(query: string, source: string, findings: Finding[]): Statement | undefined {
  const line = lineOf(source, source.indexOf('*/'))
  try {
    const statement = parseSql(`analytics/${query}.sql`, source)
    const [literal] = statement.literals
    const bare = statement.text.replace(/'(?:[^']|'')*'|"[^"]*"/g, "''")
    const misnamed = /(?<!:):[A-Za-z_]\w*/.exec(bare)?.[0]
    if (!/^(select|with)\b/i.test(bare)) findings.push({ line, message: 'the statement must be a SELECT' })
    if (bare.includes(';')) findings.push({ line, message: 'the file must hold one statement' })
    if (literal !== undefined)
      findings.push({ line, message: `:'${literal}' must be a parameter, :${literal}` })
    if (misnamed !== undefined) {
      findings.push({ line, message: `${misnamed} must be in lower-case letters and underscores` })
    }
    return statement
  } catch {
    findings.push({ line, message: 'there is no statement below the header' })
    return undefined
  }
}

function compareParameters(
  source: string,
  statement: Statement,
  header: Header,
  lineOfHeader: ParsedHeader['lineOf']
): Finding[] {
  const declared = Object.keys(header.parameters ?? {})
  const unused = declared.filter((name) => !statement.params.includes(name))
  const undeclared = statement.params.filter((name) => !declared.includes(name))
  const start = headerComment.exec(source)?.[0].length ?? 0
  return [
    ...unused.map((name) => ({
      line: lineOfHeader(['parameters', name]),
      message: `parameters.${name} is not used by the statement`
    })),
    ...undeclared.map((name) => ({
      line: lineOf(source, start + source.slice(start).search(new RegExp(`:${name}\\b`))),
      message: `:${name} is not declared in the header's parameters`
    }))
  ]
}

function lineOf(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length
}

function toEntry(query: string, source: string, statement: Statement, header: Header): CatalogueEntry {
  const parameters = header.parameters ?? {}
  return {
    query,
    title: header.title,
    question: header.question,
    ...(header.description && { description: header.description }),
    parameters: Object.entries(parameters).map(([name, { default: preset = null, ...parameter }]) => ({
      name,
      ...parameter,
      default: preset
    })),
    columns: Object.entries(header.columns).map(([name, column]) => ({ name, ...column })),
    ...(header.chart && { chart: header.chart }),
    sql: source.replace(headerComment, '').trim(),
    statement,
    querystring: querystringSchema(parameters)
  }
}
