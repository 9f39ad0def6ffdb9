/** What the query services have in common. */
import type { ServiceName } from './errors.ts'
import type { Params } from './params.ts'
import type { Identity } from './sigv4.ts'
import type { World } from './world.ts'
import type { XmlTree } from './xml.ts'

/** How a scripted fault bends an operation that is carried out otherwise. */
export interface Effects {
  /** Creation takes this long instead. */
  creationMs?: number
  /** Creation ends in this status instead of `available`. */
  creationEndsAs?: string
}

export interface Call {
  world: World
  caller: Identity
  effects: Effects
}

/** Carries out an operation. What it returns becomes the result; undefined for operations without one. */
export type Operation = (params: Params, call: Call) => XmlTree | undefined

export interface QueryService {
  name: Exclude<ServiceName, 's3'>
  /** The API version, which every request names. */
  version: string
  namespace: string
  operations: Readonly<Record<string, Operation>>
}

/** One page of a list, by an opaque marker. */
export function paginate<Item>(items: readonly Item[], marker: string | undefined, size: number) {
  const start = marker ? Number(Buffer.from(marker, 'base64url').toString()) : 0
  const end = start + size
  const next = end < items.length ? Buffer.from(String(end)).toString('base64url') : undefined
  return { page: items.slice(start, end), next }
}
