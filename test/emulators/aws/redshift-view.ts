/** Clusters and snapshots as Redshift shows them. */
import { availability } from './cluster-state.ts'
import { invalidValue } from './errors.ts'
import type { Params } from './params.ts'
import { paginate } from './service.ts'
import type { Cluster, Snapshot, World } from './world.ts'
import type { XmlTree } from './xml.ts'

export const asTags = (tags: ReadonlyMap<string, string>) => ({
  Tag: [...tags].map(([Key, Value]) => ({ Key, Value }))
})

export const clusterArn = (world: World, identifier: string) =>
  `arn:aws:redshift:${world.region}:${world.account}:cluster:${identifier}`
export const snapshotArn = (world: World, snapshot: Snapshot) =>
  `arn:aws:redshift:${world.region}:${world.account}:snapshot:${snapshot.clusterIdentifier}/${snapshot.identifier}`

/** Where clients connect: the test's own server if it set one. */
function endpoint(cluster: Cluster, world: World): XmlTree {
  if (world.endpoint) return { Address: world.endpoint.host, Port: world.endpoint.port }
  const account = `c${world.account.slice(-9)}`
  return {
    Address: `${cluster.identifier}.${account}.${world.region}.redshift.amazonaws.com`,
    Port: cluster.port
  }
}

export function describeCluster(cluster: Cluster, world: World): XmlTree {
  const secret = `arn:aws:secretsmanager:${world.region}:${world.account}:secret:redshift!${cluster.identifier}`
  return {
    ClusterIdentifier: cluster.identifier,
    NodeType: cluster.nodeType,
    ClusterStatus: cluster.status,
    ClusterAvailabilityStatus: availability(cluster.status),
    MasterUsername: cluster.masterUsername,
    DBName: cluster.databaseName,
    Endpoint: cluster.hasEndpoint ? endpoint(cluster, world) : undefined,
    ClusterCreateTime: new Date(cluster.createdAt),
    AutomatedSnapshotRetentionPeriod: cluster.automatedRetention,
    ManualSnapshotRetentionPeriod: cluster.manualRetention,
    ClusterSecurityGroups: {},
    VpcSecurityGroups: {
      VpcSecurityGroup: cluster.groupIds.map((id) => ({ VpcSecurityGroupId: id, Status: 'active' }))
    },
    ClusterParameterGroups: {
      ClusterParameterGroup: [{ ParameterGroupName: cluster.parameterGroup, ParameterApplyStatus: 'in-sync' }]
    },
    ClusterSubnetGroupName: cluster.subnetGroup,
    VpcId: cluster.vpcId,
    AvailabilityZone: cluster.zone,
    PreferredMaintenanceWindow: cluster.maintenanceWindow,
    PendingModifiedValues: cluster.pending,
    ClusterVersion: '1.0',
    AllowVersionUpgrade: true,
    NumberOfNodes: cluster.nodes,
    PubliclyAccessible: cluster.publiclyAccessible,
    Encrypted: cluster.encrypted,
    Tags: asTags(cluster.tags),
    KmsKeyId: cluster.kmsKeyId,
    EnhancedVpcRouting: cluster.enhancedVpcRouting,
    IamRoles: {
      ClusterIamRole: [...cluster.roles].map(([IamRoleArn, ApplyStatus]) => ({ IamRoleArn, ApplyStatus }))
    },
    MaintenanceTrackName: 'current',
    AvailabilityZoneRelocationStatus: 'disabled',
    ClusterNamespaceArn: cluster.namespaceArn,
    TotalStorageCapacityInMegaBytes: 8_000_000 * cluster.nodes,
    DefaultIamRoleArn: cluster.defaultRole,
    MasterPasswordSecretArn: cluster.managedPassword ? secret : undefined,
    MultiAZ: 'Disabled'
  }
}

function snapshotStatus(snapshot: Snapshot, world: World): string {
  if (snapshot.availableAt <= world.now()) return 'available'
  return snapshot.isFinal ? 'final snapshot' : 'creating'
}

export function describeSnapshot(snapshot: Snapshot, world: World): XmlTree {
  return {
    SnapshotIdentifier: snapshot.identifier,
    ClusterIdentifier: snapshot.clusterIdentifier,
    SnapshotCreateTime: new Date(snapshot.createdAt),
    Status: snapshotStatus(snapshot, world),
    Port: snapshot.port,
    AvailabilityZone: snapshot.zone,
    MasterUsername: snapshot.masterUsername,
    ClusterVersion: '1.0',
    SnapshotType: snapshot.type,
    NodeType: snapshot.nodeType,
    NumberOfNodes: snapshot.nodes,
    DBName: snapshot.databaseName,
    VpcId: snapshot.vpcId,
    Encrypted: true,
    OwnerAccount: world.account,
    TotalBackupSizeInMegaBytes: 100,
    ActualIncrementalBackupSizeInMegaBytes: 100,
    Tags: asTags(snapshot.tags),
    ManualSnapshotRetentionPeriod: snapshot.retention,
    SnapshotArn: snapshotArn(world, snapshot)
  }
}

/** `MaxRecords` (20 to 100) and `Marker`, as all of Redshift's lists have them. */
export function pageOf<Item>(params: Params, items: readonly Item[]) {
  const size = params.integer('MaxRecords') ?? 100
  if (size < 20 || size > 100)
    throw invalidValue(`Invalid value ${size} for MaxRecords. Must be between 20 and 100`)
  return paginate(items, params.text('Marker'), size)
}

/** Keeps what has one of the given tag keys, and one of the given tag values. */
export function filterByTags<Item extends { tags: ReadonlyMap<string, string> }>(
  params: Params,
  items: readonly Item[]
): Item[] {
  const keys = params.texts('TagKeys')
  const values = params.texts('TagValues')
  return items.filter(
    ({ tags }) =>
      (keys.length === 0 || keys.some((key) => tags.has(key))) &&
      (values.length === 0 || [...tags.values()].some((value) => values.includes(value)))
  )
}
