/** Why a record is rejected, in words. */
import type { RejectedRow } from './warehouse.ts'

const explanations: Record<string, string> = {
  missing_value: 'is missing or null',
  invalid_type: 'is not a value of its type',
  out_of_range: 'is out of range',
  value_too_long: 'is longer than its column',
  invalid_character: 'a text holds a NUL character, which the warehouse cannot store',
  conflicting_event:
    'an event with the same sessionId, itemInSession, ts and userId but other content is loaded already'
}

/** The reason for a reject, in words. */
export function explain({ code, column_name }: Pick<RejectedRow, 'code' | 'column_name'>): string {
  const text = explanations[code]
  if (text === undefined) throw new Error(`no explanation for the reject code ${code}`)
  return column_name === null ? text : `${column_name} ${text}`
}
