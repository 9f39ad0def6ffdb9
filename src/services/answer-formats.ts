/** Answers of canned queries as bytes, in the formats that callers may ask for. */
import { stringify } from 'csv-stringify/sync'
import type { AnalyticsResults } from '../schemas/analytics.ts'

export const answerFormats = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8'
} as const
export type AnswerFormat = keyof typeof answerFormats

/**
 * CSV as RFC 4180 has it. A text that a spreadsheet would run as a formula gets an apostrophe in front; numbers, negative ones
 * too, stay as they are.
 */
export function formatAnswer(results: AnalyticsResults, format: AnswerFormat): Buffer {
  if (format === 'json') return Buffer.from(JSON.stringify(results))
  const names = results.columns.map(({ name }) => name)
  if (format === 'ndjson') {
    return Buffer.from(results.rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  }
  const isText = new Set(results.columns.filter(({ type }) => type === 'string').map(({ name }) => name))
  const rows = results.rows.map((row) =>
    names.map((name) => (isText.has(name) ? defuse(row[name]) : row[name]))
  )
  const text = stringify([names, ...rows], {
    record_delimiter: 'windows',
    cast: { boolean: (value) => String(value) }
  })
  return Buffer.from(text)
}

const defuse = (value: unknown) =>
  typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value

/** What the caller takes: `format`, else the first type of `Accept` that there is, else JSON. */
export function chooseFormat(format: AnswerFormat | undefined, accept: string | undefined): AnswerFormat {
  if (format !== undefined) return format
  const wanted = (accept ?? '').split(',').map((range) => {
    const [type = '', ...params] = range.split(';').map((part) => part.trim().toLowerCase())
    const q = params.find((param) => param.startsWith('q='))
    return { type, q: q === undefined ? 1 : Number(q.slice(2)) }
  })
  const best = wanted
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q)
    .map(({ type }) => byType.get(type))
    .find((found) => found !== undefined)
  return best ?? 'json'
}

const byType = new Map<string, AnswerFormat>([
  ['application/json', 'json'],
  ['text/csv', 'csv'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/*', 'json'],
  ['*/*', 'json']
])
