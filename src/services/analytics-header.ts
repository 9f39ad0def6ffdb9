/**
 * Reads the header of a canned query: the YAML in the comment that opens its `.sql` file. What is wrong with
 * it comes back as findings with the line in the file, all of them at once, for whoever is writing the query.
 */
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import {
  type ColumnHeader,
  type Header,
  HeaderSchema,
  type ParameterHeader,
  parameterSchema,
  valueSchema
} from '../schemas/analytics.ts'
import { misfits } from '../shape.ts'

export interface Finding {
  /** Line in the file, from 1. */
  line: number
  message: string
}

export interface ParsedHeader {
  /** Undefined when the header does not have the shape of `HeaderSchema`. */
  header: Header | undefined
  findings: Finding[]
  /** Line of a part of the header, given by its keys; of what encloses it when it is not there. */
  lineOf: (path: readonly string[]) => number
}

type Report = (path: readonly string[], message: string) => void

/** The comment that opens the file, `/*` and its end included. */
export const headerComment = /^\/\*([\s\S]*?)\*\//

// `:name` in SQL knows no digits (src/sql.ts), and a column is what every engine returns unquoted.
const parameterName = /^[a-z][a-z_]*$/
const columnName = /^[a-z][a-z0-9_]*$/
/** Names that the results endpoint needs for itself: a query that took one could never be formatted or paged. */
const reservedNames = ['cursor', 'format', 'min_data_version']

/** Parses and checks the header of a query's file. */
export function parseHeader(source: string): ParsedHeader {
  const yaml = headerComment.exec(source)?.[1]
  if (yaml === undefined) return failed(1, 'the file must start with its header, a comment /* ... */')
  const lines = new LineCounter()
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false })
  // The comment opens the file, so a line of the YAML is the same line of the file.
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line)
  if (document.errors.length > 0) {
    const findings = document.errors.map(({ pos, message }) => ({
      line: lineAt(pos[0]),
      message: `the header is not valid YAML: ${message}`
    }))
    return { header: undefined, findings, lineOf: () => 1 }
  }
  const lineOf = (path: readonly string[]) => lineAt(offsetOf(document.contents, path))
  let value: unknown
  try {
    value = document.toJS()
  } catch (error) {
    // The one thing that YAML finds this late: an alias (`*name`) to nothing.
    return failed(1, `the header is not valid YAML: ${(error as Error).message}`)
  }
  return checkHeader(value, lineOf)
}

function failed(line: number, message: string): ParsedHeader {
  return { header: undefined, findings: [{ line, message }], lineOf: () => line }
}

function checkHeader(value: unknown, lineOf: ParsedHeader['lineOf']): ParsedHeader {
  const findings: Finding[] = []
  const report: Report = (path, message) => {
    findings.push({ line: lineOf(path), message: [path.join('.'), message].filter(Boolean).join(' ') })
  }
  checkShape(value, report)
  if (findings.length > 0) return { header: undefined, findings, lineOf }
  const header = value as Header
  for (const [name, parameter] of Object.entries(header.parameters ?? {})) {
    checkParameter(name, parameter, report)
  }
  for (const [name, column] of Object.entries(header.columns)) checkColumn(name, column, report)
  checkChart(header, report)
  return { header, findings, lineOf }
}

function checkShape(value: unknown, report: Report): void {
  const missing = new Map<string, string[]>()
  for (const { instancePath, keyword, params, message = '' } of misfits(HeaderSchema, value)) {
    const path = instancePath.split('/').slice(1)
    if (keyword === 'additionalProperties') {
      report([...path, params.additionalProperty], 'is not a key of the header')
    } else if (keyword === 'required') {
      missing.set(instancePath, [...(missing.get(instancePath) ?? []), params.missingProperty])
    } else if (keyword === 'enum') report(path, `must be one of ${params.allowedValues.join(', ')}`)
    else report(path, message)
  }
  for (const [place, names] of missing) report(place.split('/').slice(1), `needs ${names.join(' and ')}`)
}

function checkParameter(name: string, parameter: ParameterHeader, report: Report): void {
  const path = ['parameters', name]
  const { type, minimum, maximum, enum: accepted } = parameter
  if (!parameterName.test(name)) report(path, 'must be named in lower-case letters and underscores')
  if (reservedNames.includes(name)) report(path, 'has a name that the results endpoint keeps for itself')
  for (const bound of ['minimum', 'maximum'] as const) {
    if (parameter[bound] === undefined) continue
    if (type === 'integer' || type === 'number') {
      checkValue([...path, bound], valueSchema(type), parameter[bound], report)
    } else report([...path, bound], 'is for integer and number only')
  }
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
    report([...path, 'minimum'], 'is greater than maximum')
  }
  for (const value of accepted ?? []) checkValue([...path, 'enum'], valueSchema(type), value, report)
  for (const key of ['default', 'example'] as const) {
    checkValue([...path, key], parameterSchema(parameter), parameter[key], report)
  }
}

function checkColumn(name: string, column: ColumnHeader, report: Report): void {
  const path = ['columns', name]
  if (!columnName.test(name)) report(path, 'must be named in lower-case letters, digits and underscores')
  checkValue([...path, 'example'], valueSchema(column.type), column.example, report)
}

/** What is drawn must be there, and values must be numbers. */
function checkChart({ chart, columns }: Header, report: Report): void {
  if (chart === undefined) return
  const isNumber = (name: string) => ['integer', 'number'].includes(columns[name]?.type ?? '')
  for (const name of [...chart.x, ...chart.y, ...(chart.series === undefined ? [] : [chart.series])]) {
    if (columns[name] === undefined) report(['chart'], `names ${name}, which is no column`)
  }
  for (const name of chart.y) {
    if (columns[name] !== undefined && !isNumber(name))
      report(['chart', 'y'], `names ${name}, which is no number`)
  }
}

function checkValue(path: readonly string[], schema: object, value: unknown, report: Report): void {
  const error = value === undefined ? undefined : misfits(schema, value)[0]
  if (error === undefined) return
  const message =
    error.keyword === 'enum' ? `must be one of ${error.params.allowedValues.join(', ')}` : error.message
  report(path, `is ${JSON.stringify(value)}: ${message}`)
}

/** Where the part of a YAML document at `path` starts, or the last part on the way to it that is there. */
function offsetOf(contents: unknown, path: readonly string[]): number {
  let node = contents
  let offset = 0
  for (const key of path) {
    if (isSeq(node)) node = node.items[Number(key)]
    else if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
      if (pair === undefined || !isScalar(pair.key)) break
      offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else break
  }
  return offset
}
