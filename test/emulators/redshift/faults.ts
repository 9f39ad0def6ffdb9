/** What goes wrong on purpose. */
import { cancelled, deadlock, diskFull, RedshiftError, serializationFailure } from './errors.ts'
import type { Plan } from './plan.ts'

export type Fault =
  /** 1023: another transaction was in the way. */
  | { type: 'serialization'; table?: number }
  | { type: 'deadlock' }
  /** The statement ran into statement_timeout; at once. */
  | { type: 'timeout' }
  /** Somebody cancelled the statement; at once. */
  | { type: 'cancelled' }
  | { type: 'disk_full' }
  /** The connection breaks before the statement runs, in the middle of it (COPY only), or after it has run and before
   * the client hears of it. */
  | { type: 'disconnect'; when: 'before' | 'during' | 'after' }
  /** The statement takes longer; statement_timeout and cancelling work meanwhile. */
  | { type: 'delay'; ms: number }
  | { type: 'error'; code: string; message: string; detail?: string }

export interface Injection {
  /** Statements whose text matches, every COMMIT, or every COPY. */
  match: RegExp | 'commit' | 'copy'
  /** How often; 1 unless told. */
  times?: number
  fault: Fault
}

export interface Faults {
  inject(injection: Injection): void
  /** The fault of this statement, which is thereby used up once. */
  take(text: string, plan: Plan): Fault | undefined
  /** Injections that have not happened as often as they should. */
  pending(): Injection[]
  clear(): void
}

export function createFaults(): Faults {
  let injections: { injection: Injection; left: number }[] = []
  return {
    inject(injection) {
      injections.push({ injection, left: injection.times ?? 1 })
    },
    take(text, plan) {
      const found = injections.find(({ injection: { match } }) =>
        typeof match === 'string' ? plan.kind === match : match.test(text)
      )
      if (found === undefined) return undefined
      found.left -= 1
      if (found.left <= 0) injections = injections.filter((each) => each !== found)
      return found.injection.fault
    },
    pending: () => injections.map(({ injection }) => injection),
    clear() {
      injections = []
    }
  }
}

/** The error of a fault that is one. */
export function errorOf(fault: Fault, query: number): RedshiftError | undefined {
  switch (fault.type) {
    case 'serialization':
      return serializationFailure(fault.table ?? 100_423)
    case 'deadlock':
      return deadlock()
    case 'timeout':
    case 'cancelled':
      return cancelled(query)
    case 'disk_full':
      return diskFull(query)
    case 'error': {
      const { type: _, ...fields } = fault
      return new RedshiftError(fields)
    }
    default:
      return undefined
  }
}
