/** Answers of canned queries as bytes, in the formats that callers may ask for. */
import { stringify } from 'csv-stringify/sync'
import type { OpenAnswer } from './analytics.ts'

export const answerFormats = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8'
} as const
export type AnswerFormat = keyof typeof answerFormats

/** The text of an answer, in parts as its rows are taken. */
export const writeAnswer = (answer: OpenAnswer, format: AnswerFormat): AsyncGenerator<string> =>
  writers[format](answer)

const writers: Record<AnswerFormat, (answer: OpenAnswer) => AsyncGenerator<string>> = {
  async *json({ head, started, batches }) {
    const { query, params, columns, ...version } = head
    let text = `${JSON.stringify({ query, params, columns }).slice(0, -1)},"rows":[`
    let row_count = 0
    for await (const rows of batches) {
      if (rows.length === 0) continue
      yield (row_count > 0 ? ',' : text) + rows.map((row) => JSON.stringify(row)).join(',')
      text = ''
      row_count += rows.length
    }
    const elapsed_ms = Math.round(performance.now() - started)
    yield `${text}],${JSON.stringify({ row_count, truncated: false, ...version, elapsed_ms }).slice(1)}`
  },

  async *ndjson({ batches }) {
    for await (const rows of batches) yield rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  },

  /**
   * CSV as RFC 4180 has it. A text that a spreadsheet would run as a formula gets an apostrophe in front; numbers, negative
   * ones too, stay as they are.
   */
  async *csv({ head, batches }) {
    const names = head.columns.map(({ name }) => name)
    const isText = new Set(head.columns.filter(({ type }) => type === 'string').map(({ name }) => name))
    yield toCsv([names])
    for await (const rows of batches) {
      yield toCsv(rows.map((row) => names.map((name) => (isText.has(name) ? defuse(row[name]) : row[name]))))
    }
  }
}

const toCsv = (rows: unknown[][]) =>
  stringify(rows, { record_delimiter: 'windows', cast: { boolean: (value) => String(value) } })

const defuse = (value: unknown) =>
  typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value

/** What the caller takes: `format`, else the first type of `Accept` that there is, else JSON. */
export function chooseFormat(format: AnswerFormat | undefined, accept: string | undefined): AnswerFormat {
  if (format !== undefined) return format
  if (accept === undefined) return 'json'
  const wanted = accept.split(',').map((range) => {
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
