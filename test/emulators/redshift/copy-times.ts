/** Dates and times of a load, in the formats that COPY was told. */
import type { CopyStatement } from './copy-statement.ts'
import { LoadError } from './load-error.ts'

const fields: Readonly<Record<string, string>> = {
  YYYY: '(?<year>\\d{4})',
  MM: '(?<month>\\d{1,2})',
  DD: '(?<day>\\d{1,2})',
  HH24: '(?<hour>\\d{1,2})',
  HH: '(?<hour>\\d{1,2})',
  MI: '(?<minute>\\d{1,2})',
  SS: '(?<second>\\d{1,2}(?:\\.\\d{1,6})?)'
}

const patterns = new Map<string, RegExp>()

/** `YYYY-MM-DD HH:MI:SS` as a pattern; what is no field stands for itself. */
function patternOf(format: string): RegExp {
  let pattern = patterns.get(format)
  if (pattern === undefined) {
    const source = format.replace(
      /YYYY|MM|DD|HH24|HH|MI|SS|[\s\S]/g,
      (part) => fields[part] ?? part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    )
    pattern = new RegExp(`^${source}$`)
    patterns.set(format, pattern)
  }
  return pattern
}

const automatic =
  /^(?<year>\d{4})-(?<month>\d{1,2})-(?<day>\d{1,2})(?:[ T](?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2}(?:\.\d{1,6})?))?)?\s*(?:Z|UTC|[-+]\d{2}(?::?\d{2})?)?$/

/** A TIMESTAMP, whose zone is ignored. */
export function toTimestamp(text: string, { timeFormat, acceptAnyDate }: CopyStatement): string | null {
  if (timeFormat === 'epochsecs' || timeFormat === 'epochmillisecs') {
    if (!/^-?\d{1,15}$/.test(text)) throw invalidTime(timeFormat)
    const milliseconds = timeFormat === 'epochsecs' ? Number(text) * 1000 : Number(text)
    const date = new Date(milliseconds)
    if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999) throw invalidTime(timeFormat)
    return date.toISOString().replace('T', ' ').replace('Z', '')
  }
  const found = (timeFormat === 'auto' ? automatic : patternOf(timeFormat)).exec(text)?.groups
  if (found !== undefined && isDay(found)) {
    const { year, month, day, hour = '0', minute = '0', second = '0' } = found as Record<string, string>
    if (Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60) {
      return `${year}-${month}-${day} ${hour}:${minute}:${second}`
    }
  }
  if (acceptAnyDate) return null
  throw invalidTime(timeFormat)
}

const invalidTime = (format: string) => new LoadError(1206, `Invalid timestamp format or value [${format}]`)

export function toDate(text: string, { dateFormat, acceptAnyDate }: CopyStatement): string | null {
  const found = (dateFormat === 'auto' ? automatic : patternOf(dateFormat)).exec(text)?.groups
  if (found !== undefined && isDay(found)) return `${found.year}-${found.month}-${found.day}`
  if (acceptAnyDate) return null
  throw new LoadError(1205, `Invalid Date Format - length must be 10 or more`)
}

function isDay({ year, month, day }: Record<string, string>): boolean {
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
}
