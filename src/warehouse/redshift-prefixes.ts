/**
 * What COPY is told to read where no manifest can be written: it takes everything that begins with a prefix, so the
 * objects of a load need prefixes that cover all of them and nothing else that was listed.
 */
import { ServiceError } from '../errors.ts'
import type { LoadObject } from './warehouse.ts'

/** Each is a COPY; with more of them a manifest is the better way. */
const MOST_PREFIXES = 100

export interface PrefixGroup {
  prefix: string
  objects: LoadObject[]
}

/** Groups of `wanted` by prefixes that no URL of `others` begins with. Throws `manifest_needed` when there are none. */
export function groupByPrefix(wanted: LoadObject[], others: string[]): PrefixGroup[] {
  const groups = split(wanted, others)
  if (groups === undefined || groups.length > MOST_PREFIXES) {
    throw new ServiceError(
      'manifest_needed',
      `Without a manifest COPY reads by prefix, and the ${wanted.length} new objects cannot be told from others in ` +
        `${MOST_PREFIXES} prefixes. Set MANIFEST_PREFIX to a place that the service may write, or load with mode full.`
    )
  }
  return groups
}

/** As few and as long prefixes as do; undefined when another object's name begins with a whole name of these. */
function split(wanted: LoadObject[], others: string[]): PrefixGroup[] | undefined {
  const [first] = wanted
  if (first === undefined) return []
  const prefix = wanted.reduce((shared, { url }) => sharedStart(shared, url), first.url)
  const inTheWay = others.filter((url) => url.startsWith(prefix))
  if (inTheWay.length === 0) return [{ prefix, objects: wanted }]
  const groups: PrefixGroup[] = []
  for (const objects of Map.groupBy(wanted, ({ url }) => url[prefix.length]).values()) {
    if (objects.some(({ url }) => url === prefix)) return undefined
    const ofGroup = split(objects, inTheWay)
    if (ofGroup === undefined) return undefined
    groups.push(...ofGroup)
    if (groups.length > MOST_PREFIXES) return undefined
  }
  return groups
}

function sharedStart(one: string, other: string): string {
  let length = 0
  while (length < one.length && one[length] === other[length]) length += 1
  return one.slice(0, length)
}
