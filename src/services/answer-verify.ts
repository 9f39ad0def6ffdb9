/** Compares what a canned query answers with rows that somebody expects, and tells exactly what differs. */
import { parse } from 'csv-parse/sync'
import { ServiceError } from '../errors.ts'
import type { AnalyticsResults, Values } from '../schemas/analytics.ts'
import type { AnswerVerification, VerifyAnswer } from '../schemas/analytics-verify.ts'
import type { Value } from '../warehouse/warehouse.ts'

/** Differences that are listed; more are counted. */
const DIFFERENCES_SHOWN = 100

type Difference = AnswerVerification['differences'][number]
type Columns = AnalyticsResults['columns']

/** Throws `invalid_request` for expected rows that cannot be read, or that name other columns. */
export function verifyAnswer(results: AnalyticsResults, request: VerifyAnswer): AnswerVerification {
  const { columns, rows } = results
  const expected = readExpected(request.expected, columns)
  const isSame = (a: Values, b: Values) =>
    columns.every(({ name }) => isEqual(a[name] ?? null, b[name] ?? null, request.tolerance))
  const differences = request.ordered
    ? compareLists(rows, expected, columns, request.tolerance)
    : compareSets(rows, expected, isSame)
  return {
    query: results.query,
    params: results.params,
    equal: differences.length === 0,
    ...{ expected_rows: expected.length, found_rows: rows.length },
    difference_count: differences.length,
    differences: differences.slice(0, DIFFERENCES_SHOWN),
    data_version: results.data_version
  }
}

function readExpected(expected: VerifyAnswer['expected'], columns: Columns): Values[] {
  const rows = typeof expected === 'string' ? readCsv(expected, columns) : expected
  const names = columns.map(({ name }) => name)
  for (const [index, row] of rows.entries()) {
    const unknown = Object.keys(row).find((name) => !names.includes(name))
    const missing = names.find((name) => !(name in row))
    if (unknown !== undefined)
      throw invalid(`/expected/${index}/${unknown}`, `is no column; there are: ${names.join(', ')}`)
    if (missing !== undefined) throw invalid(`/expected/${index}/${missing}`, 'is missing')
  }
  return rows
}

/** CSV as the results come in: a heading, and nothing for null. */
function readCsv(text: string, columns: Columns): Values[] {
  const types = new Map(columns.map(({ name, type }) => [name, type]))
  try {
    return parse(text, {
      ...{ bom: true, columns: true, skip_empty_lines: true },
      cast: (value, { header, column }) => (header ? value : fromText(value, types.get(String(column))))
    }) as Values[]
  } catch (error) {
    throw invalid('/expected', `is not CSV: ${(error as Error).message}`)
  }
}

function fromText(value: string, type: Columns[number]['type'] | undefined): Value {
  if (value === '') return null
  if (type === 'integer' || type === 'number') return Number(value)
  if (type === 'boolean') return value === 'true'
  // What the results have put in front of a text that a spreadsheet would run.
  return type === 'string' ? value.replace(/^'(?=[=+\-@\t\r])/, '') : value
}

const invalid = (pointer: string, message: string) =>
  new ServiceError('invalid_request', `${pointer} ${message}.`, {
    errors: [{ pointer, code: 'expected', message }]
  })

/** Numbers may differ by `tolerance`, relative to the larger one where that is above 1. */
function isEqual(a: Value, b: Value, tolerance: number): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return a === b
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b))
}

function compareLists(rows: Values[], expected: Values[], columns: Columns, tolerance: number): Difference[] {
  const count = Math.max(rows.length, expected.length)
  return Array.from({ length: count }, (_, index): Difference[] => {
    const [found, wanted] = [rows[index], expected[index]]
    if (found === undefined)
      return [{ row: index + 1, kind: 'missing', expected: wanted ?? null, found: null }]
    if (wanted === undefined) return [{ row: index + 1, kind: 'unexpected', expected: null, found }]
    const wrong = columns
      .map(({ name }) => name)
      .filter((name) => !isEqual(found[name] ?? null, wanted[name] ?? null, tolerance))
    return wrong.length === 0
      ? []
      : [{ row: index + 1, kind: 'different', columns: wrong, expected: wanted, found }]
  }).flat()
}

/** Every row finds its own: rows may be there more than once. */
function compareSets(
  rows: Values[],
  expected: Values[],
  isSame: (a: Values, b: Values) => boolean
): Difference[] {
  const left = [...rows.entries()]
  const missing = expected.flatMap((wanted, index): Difference[] => {
    const place = left.findIndex(([, found]) => isSame(found, wanted))
    if (place === -1) return [{ row: index + 1, kind: 'missing', expected: wanted, found: null }]
    left.splice(place, 1)
    return []
  })
  return [
    ...missing,
    ...left.map(
      ([index, found]): Difference => ({ row: index + 1, kind: 'unexpected', expected: null, found })
    )
  ]
}
