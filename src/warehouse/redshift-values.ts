/** Values on their way into Redshift and out of it. */
import type pg from 'pg'
import type { Value } from './warehouse.ts'

const OID = {
  bool: 16,
  int8: 20,
  int2: 21,
  int4: 23,
  float4: 700,
  float8: 701,
  date: 1082,
  timestamp: 1114
} as const

/** A parameter's value for the driver. Times go as UTC text without a zone, which a TIMESTAMP would ignore anyway. */
export function toRedshift(value: unknown): string | number | boolean | null {
  if (value instanceof Date) return value.toISOString().replace('T', ' ').replace('Z', '')
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  ) {
    return value
  }
  throw new TypeError(`a ${typeof value} cannot be a statement's parameter`)
}

function parseInteger(text: string): Value {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : text
}

/** Milliseconds always, microseconds only where there are any: as the embedded engine gives them. */
function parseTimestamp(text: string): string {
  const [, seconds, fraction = ''] = /^(.{19})(?:\.(\d+))?/.exec(text) ?? []
  if (seconds === undefined) return text
  const digits = fraction.length > 3 ? fraction.padEnd(6, '0').replace(/000$/, '') : fraction.padEnd(3, '0')
  return `${seconds.replace(' ', 'T')}.${digits}Z`
}

const parsers = new Map<number, (text: string) => Value>([
  [OID.bool, (text) => text === 't'],
  [OID.int2, Number],
  [OID.int4, Number],
  [OID.int8, parseInteger],
  [OID.float4, Number],
  [OID.float8, Number],
  [OID.timestamp, parseTimestamp]
])

/** Parses what comes back: exact numbers, times as RFC 3339 UTC, everything else as text (dates, decimals, SUPER). */
export const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number) => parsers.get(oid) ?? ((text: string) => text)
}
