/** CreateCluster. */
import { randomUUID } from 'node:crypto'
import { begin, timeline } from './cluster-state.ts'
import { AwsError, invalidCombination } from './errors.ts'
import { secret } from './ids.ts'
import { type Params, putTags } from './params.ts'
import {
  checkAutomatedRetention,
  checkDatabaseName,
  checkEncrypted,
  checkGroups,
  checkIdentifier,
  checkManualRetention,
  checkNodes,
  checkPassword,
  checkPort,
  checkRoles,
  checkUserName
} from './redshift-rules.ts'
import { checkTags } from './redshift-tags.ts'
import { describeCluster } from './redshift-view.ts'
import type { Operation } from './service.ts'
import type { Cluster, SubnetGroup, World } from './world.ts'

function checkQuotas(world: World, nodes: number): void {
  if (world.clusters.size >= world.quotas.clusters) {
    throw new AwsError('ClusterQuotaExceeded', 'You have reached the maximum number of clusters.')
  }
  const running = [...world.clusters.values()].reduce((sum, cluster) => sum + cluster.nodes, 0)
  if (running + nodes > world.quotas.nodes) {
    const message = `The request would exceed the number of nodes allotted to this account: ${world.quotas.nodes}`
    throw new AwsError('NumberOfNodesQuotaExceeded', message)
  }
}

function readPassword(params: Params): { password: string; managed: boolean } {
  const given = params.text('MasterUserPassword')
  const managed = params.boolean('ManageMasterPassword') ?? false
  if (given !== undefined && managed) {
    throw invalidCombination('You cannot specify both MasterUserPassword and ManageMasterPassword.')
  }
  if (given === undefined && !managed) {
    throw invalidCombination('You must specify either MasterUserPassword or ManageMasterPassword.')
  }
  if (given !== undefined) checkPassword(given)
  return { password: given ?? `${secret(24)}aA1`, managed }
}

function findSubnetGroup(world: World, name: string | undefined): SubnetGroup {
  const found = world.subnetGroups.find((group) => group.name === (name ?? 'default'))
  if (found) return found
  if (name !== undefined) {
    throw new AwsError('ClusterSubnetGroupNotFoundFault', `Cluster subnet group ${name} not found.`)
  }
  const message = 'No default subnet detected in VPC. Please contact AWS Support to recreate default Subnets.'
  throw new AwsError('InvalidSubnet', message)
}

function readCluster(params: Params, world: World): Cluster {
  const identifier = params.required('ClusterIdentifier')
  checkIdentifier('ClusterIdentifier', identifier, 63)
  const nodeType = params.required('NodeType')
  const type = params.text('ClusterType')
  const masterUsername = params.required('MasterUsername')
  checkUserName(masterUsername)
  const { password, managed } = readPassword(params)
  const databaseName = params.text('DBName') ?? 'dev'
  checkDatabaseName(databaseName)
  // Without a type the default is multi-node, unless no number of nodes was given either.
  const asked = params.integer('NumberOfNodes')
  const nodes = checkNodes(type ?? (asked === undefined ? 'single-node' : 'multi-node'), nodeType, asked)
  const port = params.integer('Port') ?? 5439
  checkPort(port)
  checkEncrypted(params.boolean('Encrypted'))
  const automatedRetention = params.integer('AutomatedSnapshotRetentionPeriod') ?? 1
  checkAutomatedRetention(automatedRetention)
  const manualRetention = params.integer('ManualSnapshotRetentionPeriod') ?? -1
  checkManualRetention(manualRetention)
  const subnetGroup = findSubnetGroup(world, params.text('ClusterSubnetGroupName'))
  const { vpcId } = subnetGroup
  const groupIds = params.texts('VpcSecurityGroupIds')
  checkGroups(world, groupIds, vpcId)
  const defaultGroup = [...world.groups.values()].find((group) => group.isDefault && group.vpcId === vpcId)
  const roles = params.texts('IamRoles')
  checkRoles(world, roles)
  const defaultRole = params.text('DefaultIamRoleArn')
  if (defaultRole !== undefined && !roles.includes(defaultRole)) {
    throw invalidCombination(`The default IAM role ${defaultRole} is not associated with the cluster.`)
  }
  const tags = params.tags('Tags')
  checkTags(tags, new Map())
  const cluster: Cluster = {
    identifier,
    namespaceArn: `arn:aws:redshift:${world.region}:${world.account}:namespace:${randomUUID()}`,
    status: 'creating',
    phases: [],
    restsAs: 'available',
    onRest: undefined,
    createdAt: world.now(),
    nodeType,
    nodes,
    databaseName,
    port,
    masterUsername,
    masterPassword: password,
    managedPassword: managed,
    pending: managed ? {} : { MasterUserPassword: '****' },
    groupIds: groupIds.length > 0 ? groupIds : defaultGroup ? [defaultGroup.id] : [],
    subnetGroup: subnetGroup.name,
    vpcId,
    zone: params.text('AvailabilityZone') ?? `${world.region}a`,
    publiclyAccessible: params.boolean('PubliclyAccessible') ?? false,
    encrypted: true,
    kmsKeyId: params.text('KmsKeyId'),
    enhancedVpcRouting: params.boolean('EnhancedVpcRouting') ?? false,
    automatedRetention,
    manualRetention,
    maintenanceWindow: params.text('PreferredMaintenanceWindow') ?? 'fri:14:00-fri:14:30',
    parameterGroup: params.text('ClusterParameterGroupName') ?? 'default.redshift-2.0',
    roles: new Map(roles.map((arn) => [arn, 'adding'])),
    defaultRole,
    tags: new Map(),
    hasEndpoint: false,
    dbUsers: new Set([masterUsername])
  }
  putTags(cluster.tags, tags)
  return cluster
}

export const createCluster: Operation = (params, { world, effects }) => {
  const cluster = readCluster(params, world)
  if (world.clusters.has(cluster.identifier)) {
    throw new AwsError('ClusterAlreadyExists', 'Cluster already exists')
  }
  checkQuotas(world, cluster.nodes)
  world.clusters.set(cluster.identifier, cluster)
  const phases =
    effects.creationMs === undefined
      ? timeline(world, 'create')
      : [{ status: 'creating', ms: effects.creationMs }]
  begin(world, cluster, phases, effects.creationEndsAs ?? 'available', () => {
    cluster.pending = {}
    for (const arn of cluster.roles.keys()) cluster.roles.set(arn, 'in-sync')
  })
  return { Cluster: describeCluster(cluster, world) }
}
