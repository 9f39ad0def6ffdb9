/** Values on their way into DuckDB and out of it. */
import type { DuckDBValue } from '@duckdb/node-api'
import { DuckDBDateValue, DuckDBTimestampValue } from '@duckdb/node-api'
import type { Value } from './warehouse.ts'

/** A parameter's value for the driver; times are UTC. */
export function toDuckdb(value: unknown): DuckDBValue {
  if (value instanceof Date) return new DuckDBTimestampValue(BigInt(value.getTime()) * 1000n)
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

/** A result's value: exact, and the same text whatever the engine. */
export function fromDuckdb(value: DuckDBValue): Value {
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    typeof value === 'number'
  ) {
    return value
  }
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }
  if (value instanceof DuckDBTimestampValue) return toRfc3339(value.micros)
  if (value instanceof DuckDBDateValue) return value.toString()
  return String(value)
}

/** Milliseconds always, microseconds only where there are any. */
function toRfc3339(micros: bigint): string {
  const rest = ((micros % 1000n) + 1000n) % 1000n
  const text = new Date(Number((micros - rest) / 1000n)).toISOString()
  return rest === 0n ? text : text.replace('Z', `${String(rest).padStart(3, '0')}Z`)
}
