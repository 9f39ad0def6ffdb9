/** Scripted faults: what goes wrong, in which call, how often. */
import { AwsError, accessDenied, expiredToken, type ServiceName, serverError, throttled } from './errors.ts'
import type { Effects } from './service.ts'

export type Fault =
  /** The service's own throttling error. */
  | { kind: 'throttle' }
  /** A failure of the service itself. */
  | { kind: 'http'; status: 500 | 502 | 503 | 504 }
  /** The operation is carried out, but the connection breaks before the response. */
  | { kind: 'lost-response' }
  /** Half of the response's body is sent, then the connection breaks. */
  | { kind: 'cut-body' }
  /** The connection breaks before anything is done. */
  | { kind: 'refused' }
  /** The operation waits this long in real time, then goes on. */
  | { kind: 'delay'; ms: number }
  /** Any error that the service can report. */
  | { kind: 'error'; code: string; message: string; status?: number }
  | { kind: 'expired-token' }
  /** `action`: what is missing, if it is not the operation itself: `iam:PassRole`. */
  | { kind: 'access-denied'; action?: string; resource?: string }
  /** CreateCluster, ResumeCluster: InsufficientClusterCapacity. */
  | { kind: 'insufficient-capacity' }
  /** CreateCluster: ClusterQuotaExceeded. */
  | { kind: 'quota-exceeded' }
  /** CreateCluster: `creating` lasts this long, in ms of the emulator's clock. */
  | { kind: 'slow-creation'; ms: number }
  /** CreateCluster: creation ends in this status instead of `available`; default `incompatible-network`. */
  | { kind: 'failed-creation'; status?: string }
  /** The test's own code runs around the operation; the response waits for it. */
  | { kind: 'hook'; before?: () => unknown; after?: () => unknown }

export interface Injection {
  /** Default: any. */
  service?: ServiceName
  /** Default: any. */
  operation?: string
  /** How many calls are hit; default 1. */
  times?: number
  /** How many matching calls go well before; default 0. */
  after?: number
  /** Only calls whose parameters please it. */
  when?: (params: Readonly<Record<string, string>>) => boolean
  fault: Fault
}

/** An injection that is in force. */
export interface ActiveInjection {
  /** How many calls were hit so far. */
  readonly hits: number
  remove(): void
}

/** What is known of a call before it is carried out. */
export interface Target {
  service: ServiceName
  operation: string
  params: Readonly<Record<string, string>>
}

export class Faults {
  readonly #active: (Injection & { hits: number; skipped: number })[] = []

  inject(injection: Injection): ActiveInjection {
    const active = { ...injection, hits: 0, skipped: 0 }
    this.#active.push(active)
    return {
      get hits() {
        return active.hits
      },
      remove: () => {
        const index = this.#active.indexOf(active)
        if (index >= 0) this.#active.splice(index, 1)
      }
    }
  }

  /** The faults that hit this call, in the order of their injection. */
  take({ service, operation, params }: Target): Fault[] {
    const faults: Fault[] = []
    for (const active of this.#active) {
      if (active.service !== undefined && active.service !== service) continue
      if (active.operation !== undefined && active.operation !== operation) continue
      if (active.hits >= (active.times ?? 1) || (active.when && !active.when(params))) continue
      if (active.skipped < (active.after ?? 0)) {
        active.skipped += 1
        continue
      }
      active.hits += 1
      faults.push(active.fault)
    }
    return faults
  }
}

/** The error a fault consists of; undefined for those that consist of something else. */
export function errorOf(fault: Fault, { service, operation }: Target, caller: string): AwsError | undefined {
  switch (fault.kind) {
    case 'throttle':
      return throttled(service)
    case 'http':
      return serverError(service, fault.status)
    case 'error':
      return new AwsError(fault.code, fault.message, fault.status)
    case 'expired-token':
      return expiredToken(service)
    case 'access-denied':
      return accessDenied(service, fault.action ?? `${service}:${operation}`, caller, fault.resource)
    case 'insufficient-capacity': {
      const message =
        'There is insufficient capacity for the requested node type. Try again later or in another zone.'
      return new AwsError('InsufficientClusterCapacity', message)
    }
    case 'quota-exceeded':
      return new AwsError('ClusterQuotaExceeded', 'You have reached the maximum number of clusters.')
    default:
      return undefined
  }
}

export function effectsOf(faults: readonly Fault[]): Effects {
  const effects: Effects = {}
  for (const fault of faults) {
    if (fault.kind === 'slow-creation') effects.creationMs = fault.ms
    if (fault.kind === 'failed-creation') effects.creationEndsAs = fault.status ?? 'incompatible-network'
  }
  return effects
}
