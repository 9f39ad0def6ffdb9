/** The states that clusters go through. Nothing runs by itself: every request first brings the world up to date. */
import { AwsError } from './errors.ts'
import type { Change, Cluster, Phase, World } from './world.ts'

const defaultTimelines: Record<Change, (world: World) => Phase[]> = {
  create: ({ delays }) => [{ status: 'creating', ms: delays.create }],
  modify: ({ delays }) => [{ status: 'modifying', ms: delays.modify }],
  resize: ({ delays }) => [
    { status: 'resizing', ms: delays.resize },
    { status: 'available, resize-cleanup', ms: delays.resize }
  ],
  pause: ({ delays }) => [{ status: 'pausing', ms: delays.pause }],
  resume: ({ delays }) => [{ status: 'resuming', ms: delays.resume }],
  delete: ({ delays }) => [{ status: 'deleting', ms: delays.delete }]
}

/** The phases of a change: what the test scripted, else what is usual. */
export const timeline = (world: World, change: Change): readonly Phase[] =>
  world.timelines[change] ?? defaultTimelines[change](world)

/** Sends a cluster through phases, to rest in a status; with none it is gone at the end. */
export function begin(
  world: World,
  cluster: Cluster,
  phases: readonly Phase[],
  restsAs: string | undefined,
  onRest?: () => void
): void {
  let until = world.now()
  cluster.phases = phases.map(({ status, ms }) => {
    until += ms
    return { status, until }
  })
  cluster.restsAs = restsAs
  cluster.onRest = onRest
  cluster.status = phases[0]?.status ?? cluster.status
}

/** Puts a cluster into a status, where it stays. A change that was under way is complete if that is `available`. */
export function putInto(cluster: Cluster, status: string): void {
  cluster.phases = []
  cluster.status = status
  if (status === 'available') cluster.onRest?.()
  cluster.onRest = undefined
  showEndpoint(cluster)
}

/** The endpoint appears when creation ends well, and stays through pauses. */
function showEndpoint(cluster: Cluster): void {
  if (cluster.status !== 'creating' && !cluster.status.startsWith('incompatible')) cluster.hasEndpoint = true
}

/** Deleting a cluster takes its automated snapshots and its credentials along. */
function remove(world: World, cluster: Cluster): void {
  world.clusters.delete(cluster.identifier)
  for (const id of cluster.groupIds) {
    const until = world.now() + world.delays.groupRelease
    world.heldGroups.set(id, Math.max(until, world.heldGroups.get(id) ?? 0))
  }
  for (const [key, snapshot] of world.snapshots) {
    const goes = snapshot.type === 'automated' && snapshot.clusterIdentifier === cluster.identifier
    if (goes) world.snapshots.delete(key)
  }
  const others = world.credentials.filter((issued) => issued.cluster !== cluster.identifier)
  world.credentials.splice(0, world.credentials.length, ...others)
}

/** Brings every cluster to where it is by now. */
export function bringUpToDate(world: World): void {
  const now = world.now()
  for (const cluster of world.clusters.values()) {
    if (cluster.phases.length === 0) continue
    while (cluster.phases[0] && cluster.phases[0].until <= now) cluster.phases.shift()
    const current = cluster.phases[0]
    if (current) {
      cluster.status = current.status
    } else if (cluster.restsAs === undefined) {
      remove(world, cluster)
    } else {
      cluster.status = cluster.restsAs
      cluster.onRest?.()
      cluster.onRest = undefined
    }
    showEndpoint(cluster)
  }
}

/** `ClusterAvailabilityStatus` of a status. */
export function availability(status: string): string {
  if (/^available\b/.test(status)) return 'Available'
  if (/^(incompatible-|hardware-failure)/.test(status)) return 'Failed'
  return ['paused', 'storage-full', 'rebooting'].includes(status) ? 'Unavailable' : 'Modifying'
}

/** Whether a client gets through to the database. */
export const takesConnections = (status: string) =>
  /^available\b/.test(status) || ['modifying', 'resizing', 'renaming', 'storage-full'].includes(status)

export function findCluster(world: World, identifier: string): Cluster {
  const cluster = world.clusters.get(identifier.toLowerCase())
  if (!cluster) throw new AwsError('ClusterNotFound', `Cluster ${identifier.toLowerCase()} not found.`, 404)
  return cluster
}

export const invalidState = (message: string) => new AwsError('InvalidClusterState', message)

/** Changes are accepted only while nothing else happens. */
export function requireAvailable(cluster: Cluster): void {
  if (cluster.status === 'available') return
  if (cluster.status === 'paused') {
    throw invalidState(`Cluster ${cluster.identifier} is paused. Resume the cluster and try again.`)
  }
  const busy =
    "The Cluster is being modified by a concurrent operation. Please check the Cluster's status and try again."
  throw invalidState(busy)
}
