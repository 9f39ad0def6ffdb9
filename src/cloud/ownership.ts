/** How the service knows its own: by tags that are set when a thing is created, in the same call. */

/** Named like this, so that a search in the account finds everything. */
export const CLUSTER_TAG = 'sparkify-warehouse:cluster'
export const REGION_TAG = 'sparkify-warehouse:region'

/** The deployment: the cluster and where it is. */
export interface Owner {
  identifier: string
  region: string
}

interface Tag {
  Key?: string | undefined
  Value?: string | undefined
}

export const ownerTags = ({ identifier, region }: Owner): { Key: string; Value: string }[] => [
  { Key: CLUSTER_TAG, Value: identifier },
  { Key: REGION_TAG, Value: region }
]

/**
 * True if the thing with these tags is this deployment's. A role is seen from every region, so its region counts; a
 * cluster that somebody hands over to the service needs the first tag alone.
 */
export function isOwned({ identifier, region }: Owner, tags: readonly Tag[] = []): boolean {
  const find = (key: string) => tags.find((tag) => tag.Key === key)?.Value
  return find(CLUSTER_TAG) === identifier && (find(REGION_TAG) ?? region) === region
}
