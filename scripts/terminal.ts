/** What the demo shows: a live line while something runs, plain lines where nobody watches, tables. */
import { styleText } from 'node:util'

export interface Column {
  name: string
  type: string
}

export type Cell = string | number | boolean | null

/** A line under way: `update` as often as there is news, `done` once. */
export interface Activity {
  /** `step` names what is going on; without a live terminal a line is written when it changes, and only then. */
  update(step: string, status: string): void
  done(outcome: string): void
}

const widest = 32
const barLength = 20

/** Live display needs a terminal, and somebody before it who wants it. */
export function isLive(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): boolean {
  return Boolean(stream.isTTY) && !env.NO_COLOR && !env.CI && env.TERM !== 'dumb'
}

/** Shows that something has begun. */
export function startActivity(
  label: string,
  stream: NodeJS.WriteStream = process.stdout,
  live = isLive(stream)
): Activity {
  let shown = ''
  const draw = (text: string) => {
    // A line that wraps could not be drawn over.
    stream.write(`\r\u001b[2K${clip(text, (stream.columns ?? 80) - 1)}`)
  }
  if (live) draw(`  ${label}`)
  return {
    update(step, status) {
      if (live) draw(`  ${label}  ${status}`)
      else if (step !== shown) stream.write(`  ${label}: ${status}\n`)
      shown = step
    },
    done(outcome) {
      if (live) stream.write('\r\u001b[2K')
      stream.write(`${styleText('green', '✓', { stream })} ${label.padEnd(20)}  ${outcome}\n`)
    }
  }
}

/** `██████░░░░░░  50 %` */
export function bar(percent: number): string {
  const full = Math.round((Math.min(Math.max(percent, 0), 100) / 100) * barLength)
  return `${'█'.repeat(full)}${'░'.repeat(barLength - full)} ${String(percent).padStart(3)} %`
}

/** Rows under their column names; numbers to the right, long text cut. */
export function renderTable(columns: Column[], rows: Record<string, Cell>[]): string {
  if (rows.length === 0) return '  (no rows)\n'
  const cells = [
    columns.map((column) => column.name),
    ...rows.map((row) => columns.map(({ name }) => clip(show(row[name] ?? null), widest)))
  ]
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => widthOf(line[at] ?? ''))))
  const align = (text: string, at: number) => {
    const blanks = ' '.repeat((widths[at] ?? 0) - widthOf(text))
    const right = ['integer', 'number'].includes(columns[at]?.type ?? '')
    return right ? blanks + text : text + blanks
  }
  const [head = '', ...body] = cells.map((line) => `  ${line.map(align).join('  ').trimEnd()}`)
  const rule = `  ${widths.map((width) => '─'.repeat(width)).join('  ')}`
  return `${[styleText('bold', head, { stream: process.stdout }), rule, ...body].join('\n')}\n`
}

export function figure(value: number): string {
  return value.toLocaleString('en-US')
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}

function show(cell: Cell): string {
  // Below that a comma would look odd in a year.
  if (typeof cell === 'number') return cell < 10_000 ? String(cell) : figure(cell)
  // Names from the data may hold tabs and control characters, which would break the table or the terminal.
  return cell === null ? '' : String(cell).replace(/\p{Cc}/gu, '·')
}

function clip(text: string, width: number): string {
  return widthOf(text) <= width ? text : `${[...text].slice(0, Math.max(width - 1, 0)).join('')}…`
}

/** Columns that a text takes: East Asian characters take two. */
function widthOf(text: string): number {
  return [...text].reduce(
    (sum, char) => sum + (/[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u.test(char) ? 2 : 1),
    0
  )
}
