/** Redshift: snapshots, the only thing of a cluster that outlives it. */
import { findCluster, requireAvailable } from './cluster-state.ts'
import { AwsError, invalidCombination } from './errors.ts'
import { putTags } from './params.ts'
import { checkIdentifier, checkManualRetention } from './redshift-rules.ts'
import { checkTags } from './redshift-tags.ts'
import { describeSnapshot, filterByTags, pageOf } from './redshift-view.ts'
import type { Operation } from './service.ts'
import type { Cluster, Snapshot, World } from './world.ts'

/** Refuses a snapshot name that is wrong or taken. Names are unique in the account. */
export function checkNewSnapshot(world: World, parameter: string, identifier: string): void {
  checkIdentifier(parameter, identifier, 255)
  if (world.snapshots.has(identifier)) {
    const message = `Cannot create the snapshot because a snapshot with the identifier ${identifier} already exists.`
    throw new AwsError('ClusterSnapshotAlreadyExists', message)
  }
  const manual = [...world.snapshots.values()].filter(({ type }) => type === 'manual')
  if (manual.length >= world.quotas.snapshots) {
    throw new AwsError('ClusterSnapshotQuotaExceeded', 'You have reached the maximum number of snapshots.')
  }
}

export function takeSnapshot(
  world: World,
  cluster: Cluster,
  { identifier, type = 'manual', isFinal = false, retention = -1 }: Partial<Snapshot> & { identifier: string }
): Snapshot {
  const snapshot: Snapshot = {
    identifier,
    clusterIdentifier: cluster.identifier,
    type,
    isFinal,
    createdAt: world.now(),
    availableAt: world.now() + world.delays.snapshot,
    retention,
    nodeType: cluster.nodeType,
    nodes: cluster.nodes,
    databaseName: cluster.databaseName,
    masterUsername: cluster.masterUsername,
    port: cluster.port,
    vpcId: cluster.vpcId,
    zone: cluster.zone,
    // A final snapshot carries the cluster's tags.
    tags: new Map(cluster.tags)
  }
  world.snapshots.set(identifier, snapshot)
  return snapshot
}

function findSnapshot(world: World, identifier: string): Snapshot {
  const snapshot = world.snapshots.get(identifier.toLowerCase())
  if (!snapshot) throw new AwsError('ClusterSnapshotNotFound', `Snapshot ${identifier} not found.`, 404)
  return snapshot
}

export const snapshotOperations: Record<string, Operation> = {
  CreateClusterSnapshot(params, { world }) {
    const identifier = params.required('SnapshotIdentifier')
    const cluster = findCluster(world, params.required('ClusterIdentifier'))
    const retention = params.integer('ManualSnapshotRetentionPeriod') ?? cluster.manualRetention
    checkManualRetention(retention)
    // A paused cluster can be copied too.
    if (cluster.status !== 'paused') requireAvailable(cluster)
    checkNewSnapshot(world, 'SnapshotIdentifier', identifier)
    const tags = params.tags('Tags')
    checkTags(tags, new Map())
    const snapshot = takeSnapshot(world, cluster, { identifier, retention })
    snapshot.tags.clear()
    putTags(snapshot.tags, tags)
    return { Snapshot: describeSnapshot(snapshot, world) }
  },

  DescribeClusterSnapshots(params, { world }) {
    const identifier = params.text('SnapshotIdentifier')
    const cluster = params.text('ClusterIdentifier')?.toLowerCase()
    const type = params.text('SnapshotType')
    if (identifier !== undefined && cluster !== undefined) {
      throw invalidCombination('You cannot specify both ClusterIdentifier and SnapshotIdentifier.')
    }
    // Snapshots of a cluster that is gone are found all the same, if there are any.
    const chosen =
      identifier === undefined ? [...world.snapshots.values()] : [findSnapshot(world, identifier)]
    const found = chosen.filter(
      (snapshot) =>
        (cluster === undefined || snapshot.clusterIdentifier === cluster) &&
        (type === undefined || snapshot.type === type)
    )
    if (cluster !== undefined && found.length === 0) findCluster(world, cluster)
    const { page, next } = pageOf(params, filterByTags(params, found))
    return {
      Snapshots: { Snapshot: page.map((snapshot) => describeSnapshot(snapshot, world)) },
      Marker: next
    }
  },

  DeleteClusterSnapshot(params, { world }) {
    const snapshot = findSnapshot(world, params.required('SnapshotIdentifier'))
    if (snapshot.type === 'automated') {
      throw new AwsError('InvalidClusterSnapshotState', 'Automated snapshots cannot be deleted.')
    }
    if (snapshot.availableAt > world.now()) {
      throw new AwsError('InvalidClusterSnapshotState', 'The snapshot is not in the available state.')
    }
    world.snapshots.delete(snapshot.identifier)
    return { Snapshot: { ...describeSnapshot(snapshot, world), Status: 'deleted' } }
  }
}
