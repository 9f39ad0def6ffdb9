/** Redshift: changes of a cluster that exists: pause, resume, modify, its roles, and its deletion. */
import { begin, findCluster, invalidState, requireAvailable, timeline } from './cluster-state.ts'
import { AwsError, invalidCombination } from './errors.ts'
import type { Params } from './params.ts'
import {
  checkAutomatedRetention,
  checkEncrypted,
  checkGroups,
  checkManualRetention,
  checkNodes,
  checkPassword,
  checkPort,
  checkRoles
} from './redshift-rules.ts'
import { checkNewSnapshot, takeSnapshot } from './redshift-snapshots.ts'
import { describeCluster } from './redshift-view.ts'
import type { Operation } from './service.ts'
import type { Cluster, World } from './world.ts'

const target = (params: Params, world: World) => findCluster(world, params.required('ClusterIdentifier'))

const pause: Operation = (params, { world }) => {
  const cluster = target(params, world)
  if (cluster.status !== 'available') {
    throw invalidState(
      `Cluster ${cluster.identifier} cannot be paused: it is ${cluster.status}, not available.`
    )
  }
  const stamp = new Date(world.now()).toISOString().slice(0, 19).replace(/[T:]/g, '-')
  takeSnapshot(world, cluster, { identifier: `rs:${cluster.identifier}-${stamp}`, type: 'automated' })
  begin(world, cluster, timeline(world, 'pause'), 'paused')
  return { Cluster: describeCluster(cluster, world) }
}

const resume: Operation = (params, { world }) => {
  const cluster = target(params, world)
  if (cluster.status !== 'paused') {
    throw invalidState(
      `Cluster ${cluster.identifier} cannot be resumed: it is ${cluster.status}, not paused.`
    )
  }
  begin(world, cluster, timeline(world, 'resume'), 'available')
  return { Cluster: describeCluster(cluster, world) }
}

/** What a modification asks for, checked; `apply` makes it so. */
function readModification(params: Params, cluster: Cluster, world: World) {
  const password = params.text('MasterUserPassword')
  if (password !== undefined) checkPassword(password)
  checkEncrypted(params.boolean('Encrypted'))
  const port = params.integer('Port') ?? cluster.port
  checkPort(port)
  const automatedRetention = params.integer('AutomatedSnapshotRetentionPeriod') ?? cluster.automatedRetention
  checkAutomatedRetention(automatedRetention)
  const manualRetention = params.integer('ManualSnapshotRetentionPeriod') ?? cluster.manualRetention
  checkManualRetention(manualRetention)
  const groupIds = params.has('VpcSecurityGroupIds') ? params.texts('VpcSecurityGroupIds') : cluster.groupIds
  checkGroups(world, groupIds, cluster.vpcId)
  if (params.has('NewClusterIdentifier')) {
    throw new AwsError('UnsupportedOperation', 'The emulator does not rename clusters.')
  }
  const isResize = params.has('NodeType') || params.has('NumberOfNodes') || params.has('ClusterType')
  const nodeType = params.text('NodeType') ?? cluster.nodeType
  const type = params.text('ClusterType') ?? (cluster.nodes === 1 ? 'single-node' : 'multi-node')
  const asked = params.integer('NumberOfNodes') ?? (type === 'multi-node' ? cluster.nodes : undefined)
  const nodes = isResize ? checkNodes(type, nodeType, asked) : cluster.nodes
  const apply = () => {
    cluster.masterPassword = password ?? cluster.masterPassword
    Object.assign(cluster, { port, automatedRetention, manualRetention, nodeType, nodes })
    cluster.publiclyAccessible = params.boolean('PubliclyAccessible') ?? cluster.publiclyAccessible
    cluster.enhancedVpcRouting = params.boolean('EnhancedVpcRouting') ?? cluster.enhancedVpcRouting
  }
  return { isResize, groupIds, apply }
}

const pendingFields = [
  'NodeType',
  'NumberOfNodes',
  'ClusterType',
  'AutomatedSnapshotRetentionPeriod',
  'PubliclyAccessible',
  'EnhancedVpcRouting'
]

const modify: Operation = (params, { world }) => {
  const cluster = target(params, world)
  requireAvailable(cluster)
  const { isResize, groupIds, apply } = readModification(params, cluster, world)
  cluster.groupIds = groupIds
  cluster.pending = Object.fromEntries(
    pendingFields.flatMap((field) => (params.has(field) ? [[field, params.text(field) ?? '']] : []))
  )
  if (params.has('MasterUserPassword')) cluster.pending.MasterUserPassword = '****'
  begin(world, cluster, timeline(world, isResize ? 'resize' : 'modify'), 'available', () => {
    apply()
    cluster.pending = {}
  })
  return { Cluster: describeCluster(cluster, world) }
}

const modifyRoles: Operation = (params, { world }) => {
  const cluster = target(params, world)
  requireAvailable(cluster)
  const added = params.texts('AddIamRoles')
  const removed = params.texts('RemoveIamRoles')
  checkRoles(world, added)
  const missing = removed.find((arn) => !cluster.roles.has(arn))
  if (missing !== undefined) {
    throw invalidCombination(`The IAM role ${missing} is not associated with the cluster.`)
  }
  const defaultRole = params.text('DefaultIamRoleArn')
  if (defaultRole && !cluster.roles.has(defaultRole) && !added.includes(defaultRole)) {
    throw invalidCombination(`The default IAM role ${defaultRole} is not associated with the cluster.`)
  }
  for (const arn of added) cluster.roles.set(arn, 'adding')
  for (const arn of removed) cluster.roles.set(arn, 'removing')
  if (defaultRole !== undefined) cluster.defaultRole = defaultRole || undefined
  begin(world, cluster, timeline(world, 'modify'), 'available', () => {
    for (const arn of added) cluster.roles.set(arn, 'in-sync')
    for (const arn of removed) cluster.roles.delete(arn)
  })
  return { Cluster: describeCluster(cluster, world) }
}

function checkDeletable(cluster: Cluster, world: World): void {
  const deletable =
    [
      'available',
      'incompatible-network',
      'incompatible-hsm',
      'incompatible-restore',
      'hardware-failure'
    ].includes(cluster.status) ||
    (cluster.status === 'paused' && world.deletesPaused)
  if (deletable) return
  throw invalidState('There is an operation running on the Cluster. Please try to delete it at a later time.')
}

const remove: Operation = (params, { world }) => {
  const cluster = target(params, world)
  const skip = params.boolean('SkipFinalClusterSnapshot') ?? false
  const identifier = params.text('FinalClusterSnapshotIdentifier')
  if (skip && identifier !== undefined) {
    throw invalidCombination(
      'FinalClusterSnapshotIdentifier cannot be specified when SkipFinalClusterSnapshot is true.'
    )
  }
  if (!skip && identifier === undefined) {
    const message = 'FinalClusterSnapshotIdentifier is required unless SkipFinalClusterSnapshot is specified.'
    throw invalidCombination(message)
  }
  const retention = params.integer('FinalClusterSnapshotRetentionPeriod') ?? -1
  checkManualRetention(retention)
  checkDeletable(cluster, world)
  const deleting = timeline(world, 'delete')
  if (identifier === undefined) {
    begin(world, cluster, deleting, undefined)
  } else {
    checkNewSnapshot(world, 'FinalClusterSnapshotIdentifier', identifier)
    takeSnapshot(world, cluster, { identifier, isFinal: true, retention })
    begin(world, cluster, [{ status: 'final-snapshot', ms: world.delays.snapshot }, ...deleting], undefined)
  }
  return { Cluster: describeCluster(cluster, world) }
}

export const changeOperations: Record<string, Operation> = {
  PauseCluster: pause,
  ResumeCluster: resume,
  ModifyCluster: modify,
  ModifyClusterIamRoles: modifyRoles,
  DeleteCluster: remove
}
