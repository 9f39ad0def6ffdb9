/** The cluster and what is around it, looked at: as it is, against what it should be, and what PUT would do. */
import type { Cluster } from '@aws-sdk/client-redshift'
import { ServiceError } from '../errors.ts'
import type { Change } from './change.ts'
import { asDrift, clusterChanges, lastingDrift } from './cluster-changes.ts'
import type {
  ClusterState,
  DesiredCluster,
  OwnedResource,
  PlannedAction,
  ProvisionPlan
} from './cluster-provider.ts'
import { clusterFailed, foreignCluster, phaseOf, statusOf } from './cluster-status.ts'
import type { Deployment } from './deployment.ts'
import type { ObservedRole } from './iam-role.ts'
import { isOwned } from './ownership.ts'
import { type CostEstimate, estimateCost, estimatePausedCost } from './pricing.ts'
import type { ObservedGroup } from './security-group.ts'

interface Observed {
  account_id: string
  cluster: Cluster | undefined
  isForeign: boolean
  role: ObservedRole | undefined
  roleArn: string | undefined
  /** The group of the cluster's VPC. */
  group: ObservedGroup | undefined
  groups: ObservedGroup[]
}

async function observe(deployment: Deployment, signal: AbortSignal): Promise<Observed> {
  const { api, owner, config } = deployment
  const [identity, cluster, role, groups] = await Promise.all([
    deployment.identity(signal),
    api.describe(signal),
    deployment.role?.find(signal),
    deployment.groups.findOurs(signal)
  ])
  return {
    ...{ account_id: identity.account_id, cluster, role, groups },
    isForeign: cluster !== undefined && !isOwned(owner, cluster.Tags),
    roleArn: config.IAM_ROLE_ARN ?? role?.arn,
    group: cluster?.VpcId === undefined ? groups[0] : groups.find(({ vpcId }) => vpcId === cluster.VpcId)
  }
}

/** What PUT would change, in order, as far as it can be told before the first change. */
function changesOf({ role: iamRole, groups, config, api }: Deployment, observed: Observed): Change[] {
  const { cluster, role, roleArn, group } = observed
  const wanted = { roleArn, groupId: group?.id }
  return [
    ...(iamRole?.changes(role) ?? []),
    ...groups.changes(group, () => undefined),
    ...(cluster !== undefined && phaseOf(cluster) === 'available'
      ? clusterChanges(cluster, config, wanted, api)
      : [])
  ]
}

/** What has to happen to the cluster as a whole. Throws `cluster_failed`. */
function wholeActions({ identifier, config }: Deployment, cluster: Cluster | undefined): PlannedAction[] {
  const resource = `cluster ${identifier}`
  const update = (detail: string) => [{ action: 'update' as const, resource, detail }]
  switch (phaseOf(cluster)) {
    case 'available':
      return []
    case 'paused':
      return update('resume it')
    case 'busy':
      return update(`wait until it is available (it is ${statusOf(cluster)})`)
    case 'failed':
      throw clusterFailed(identifier, cluster)
    default: {
      const access = config.PUBLICLY_ACCESSIBLE ? 'publicly accessible' : 'private'
      const detail = `${config.NUMBER_OF_NODES} x ${config.NODE_TYPE}, encrypted, ${access}, database ${config.DATABASE_NAME} on port ${config.DATABASE_PORT}`
      return [{ action: 'create', resource, detail }]
    }
  }
}

/** What PUT would do. Throws `foreign_cluster`, `foreign_resource`, `open_ingress_refused` and `cluster_failed`. */
export async function plan(deployment: Deployment, signal: AbortSignal): Promise<ProvisionPlan> {
  const observed = await observe(deployment, signal)
  const { cluster, account_id } = observed
  if (observed.isForeign) throw foreignCluster(deployment.identifier)
  const changes = changesOf(deployment, observed).map(({ planned }) => planned)
  const isThere = !['absent', 'leaving'].includes(phaseOf(cluster))
  return {
    ...{ account_id, region: deployment.region },
    actions: [...changes, ...wholeActions(deployment, cluster)],
    estimated_cost: runningCost(deployment, isThere ? cluster : undefined)
  }
}

/** The cost of the cluster while it runs, or of the one that would be created. */
function runningCost({ prices, region, config }: Deployment, cluster: Cluster | undefined): CostEstimate {
  const { NodeType = config.NODE_TYPE, NumberOfNodes = config.NUMBER_OF_NODES } = cluster ?? {}
  return estimateCost(prices, { region, nodeType: NodeType, nodes: NumberOfNodes })
}

/** The state of everything. `isolationLevel` is asked for only when the cluster takes statements. */
export async function describe(
  deployment: Deployment,
  isolationLevel: () => Promise<string | null>,
  signal: AbortSignal
): Promise<ClusterState> {
  const observed = await observe(deployment, signal)
  const { cluster, isForeign, account_id, roleArn, group } = observed
  const phase = phaseOf(cluster)
  const shown = isForeign ? undefined : cluster
  const { Endpoint } = shown ?? {}
  return {
    status: statusOf(cluster),
    ownership: cluster === undefined ? 'none' : isForeign ? 'foreign' : 'ours',
    availability: shown?.ClusterAvailabilityStatus ?? null,
    endpoint: Endpoint?.Address === undefined ? null : `${Endpoint.Address}:${Endpoint.Port}`,
    role_arn: roleArn ?? null,
    ingress_cidrs: group?.rules.flatMap(({ cidr }) => cidr ?? []) ?? [],
    node_type: shown?.NodeType ?? null,
    number_of_nodes: shown?.NumberOfNodes ?? 0,
    publicly_accessible: shown?.PubliclyAccessible ?? null,
    encrypted: shown?.Encrypted ?? null,
    isolation_level: shown !== undefined && phase === 'available' ? await isolationLevel() : null,
    size_bytes: null,
    ...{ account_id, region: deployment.region },
    desired: desiredOf(deployment),
    drift: shown === undefined ? [] : driftOf(deployment, observed, shown),
    resources: resourcesOf(deployment, observed),
    estimated_cost: costOf(deployment, shown)
  }
}

function desiredOf({ config }: Deployment): DesiredCluster {
  return {
    node_type: config.NODE_TYPE,
    number_of_nodes: config.NUMBER_OF_NODES,
    port: config.DATABASE_PORT,
    publicly_accessible: config.PUBLICLY_ACCESSIBLE,
    iam_role: config.IAM_ROLE_ARN ?? config.IAM_ROLE_NAME,
    ingress_cidrs: config.ingress_cidrs
  }
}

/** A cluster that is not available shows fields that do not hold; role and group are told from their own services. */
function driftOf(deployment: Deployment, observed: Observed, cluster: Cluster) {
  const lasting = phaseOf(cluster) === 'available' ? lastingDrift(cluster, deployment.config) : []
  try {
    return [...changesOf(deployment, observed).map(asDrift), ...lasting]
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    // What PUT would refuse to touch, a person has to look at.
    return [
      { field: error.code, desired: '', observed: error.message, mended_by: 'hand' as const },
      ...lasting
    ]
  }
}

function resourcesOf({ identifier, role: iamRole }: Deployment, observed: Observed): OwnedResource[] {
  const { cluster, isForeign, role, groups } = observed
  return [
    ...(cluster !== undefined && !isForeign ? [{ type: 'redshift_cluster', id: identifier }] : []),
    ...groups.map(({ id }) => ({ type: 'security_group', id })),
    ...(iamRole !== undefined && role?.isOurs ? [{ type: 'iam_role', id: iamRole.name }] : [])
  ]
}

function costOf(deployment: Deployment, cluster: Cluster | undefined): CostEstimate | null {
  if (cluster === undefined) return null
  return phaseOf(cluster) === 'paused'
    ? estimatePausedCost(deployment.prices)
    : runningCost(deployment, cluster)
}
