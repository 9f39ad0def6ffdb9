/** What would be left over in the account, and what of it costs money. */
import type { World } from './world.ts'

export interface Leftover {
  kind: 'cluster' | 'snapshot' | 'security-group' | 'role'
  id: string
  costsMoney: boolean
  detail: string
}

/**
 * Clusters (a paused one costs its storage), snapshots that outlive their cluster, and the groups and roles that
 * somebody made. Automated snapshots go with their cluster, so they are not listed.
 */
export function leftovers(world: World): Leftover[] {
  const clusters = [...world.clusters.values()].map(
    ({ identifier: id, status, nodes, nodeType }): Leftover => {
      return { kind: 'cluster', id, costsMoney: true, detail: `${nodes} x ${nodeType}, ${status}` }
    }
  )
  const snapshots = [...world.snapshots.values()]
    .filter(({ type }) => type === 'manual')
    .map(({ identifier: id, clusterIdentifier }): Leftover => {
      return { kind: 'snapshot', id, costsMoney: true, detail: `of ${clusterIdentifier}` }
    })
  const groups = [...world.groups.values()]
    .filter(({ isDefault }) => !isDefault)
    .map(({ id, name }): Leftover => ({ kind: 'security-group', id, costsMoney: false, detail: name }))
  const roles = [...world.roles.values()].map(({ name: id, arn }): Leftover => {
    return { kind: 'role', id, costsMoney: false, detail: arn }
  })
  return [...clusters, ...snapshots, ...groups, ...roles]
}
