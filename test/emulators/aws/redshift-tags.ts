/** Redshift: tags of clusters and snapshots, by ARN. */
import { AwsError } from './errors.ts'
import { putTags, type Tag } from './params.ts'
import { clusterArn, filterByTags, pageOf, snapshotArn } from './redshift-view.ts'
import type { Operation } from './service.ts'
import type { World } from './world.ts'

interface Tagged {
  arn: string
  type: string
  tags: Map<string, string>
}

export function checkTags(added: readonly Tag[], existing: ReadonlyMap<string, string>): void {
  const invalid = added.find(({ key }) => key === '' || key.length > 128 || key.startsWith('aws:'))
  if (invalid) throw new AwsError('InvalidTagFault', `The tag key ${invalid.key} is invalid.`)
  const keys = new Set([...existing.keys(), ...added.map(({ key }) => key)])
  if (keys.size > 50) throw new AwsError('TagLimitExceededFault', 'A resource can have at most 50 tags.')
}

function allTagged(world: World): Tagged[] {
  return [
    ...[...world.clusters.values()].map(({ identifier, tags }) => {
      return { arn: clusterArn(world, identifier), type: 'cluster', tags }
    }),
    ...[...world.snapshots.values()].map((snapshot) => {
      return { arn: snapshotArn(world, snapshot), type: 'snapshot', tags: snapshot.tags }
    })
  ]
}

function findTagged(world: World, arn: string): Tagged {
  const found = allTagged(world).find((tagged) => tagged.arn === arn)
  if (!found) throw new AwsError('ResourceNotFoundFault', `The resource ${arn} could not be found.`, 404)
  return found
}

export const tagOperations: Record<string, Operation> = {
  CreateTags(params, { world }) {
    const { tags } = findTagged(world, params.required('ResourceName'))
    const added = params.tags('Tags')
    checkTags(added, tags)
    putTags(tags, added)
    return undefined
  },

  DeleteTags(params, { world }) {
    const { tags } = findTagged(world, params.required('ResourceName'))
    for (const key of params.texts('TagKeys')) tags.delete(key)
    return undefined
  },

  DescribeTags(params, { world }) {
    const name = params.text('ResourceName')
    const type = params.text('ResourceType')
    const chosen = name === undefined ? allTagged(world) : [findTagged(world, name)]
    const ofType = chosen.filter((tagged) => type === undefined || tagged.type === type)
    const pairs = filterByTags(params, ofType).flatMap(({ arn, type: resourceType, tags }) =>
      [...tags].map(([Key, Value]) => ({
        Tag: { Key, Value },
        ResourceName: arn,
        ResourceType: resourceType
      }))
    )
    const { page, next } = pageOf(params, pairs)
    return { TaggedResources: { TaggedResource: page }, Marker: next }
  }
}
