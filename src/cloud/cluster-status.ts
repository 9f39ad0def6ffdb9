/** What the statuses of Redshift mean to somebody who waits. A status that is not known here is taken to pass. */
import type { Cluster } from '@aws-sdk/client-redshift'
import { ServiceError } from '../errors.ts'

/** `busy` passes by itself, `leaving` ends in absence, `failed` does not end. */
export type Phase = 'absent' | 'available' | 'paused' | 'busy' | 'leaving' | 'failed'

/** What to do about a cluster that does not get out of a status by itself. */
const terminal: Readonly<Record<string, string>> = {
  'hardware-failure': 'Delete the cluster and restore a snapshot.',
  'incompatible-hsm': 'Check the HSM configuration, or delete the cluster.',
  'incompatible-network':
    'Check the subnet group, its free addresses and the VPC, then delete the cluster and create it again.',
  'incompatible-parameters': 'Mend the parameter group and reboot the cluster.',
  'incompatible-restore': 'Delete the cluster and restore a snapshot that fits it.',
  'storage-full': 'Resize the cluster to more nodes in the AWS console, or drop what is not needed.'
}

/** The status as the API shows it. */
export const statusOf = (cluster: Cluster | undefined): string =>
  cluster === undefined ? 'absent' : (cluster.ClusterStatus ?? 'unknown')

export function phaseOf(cluster: Cluster | undefined): Phase {
  const status = statusOf(cluster)
  if (status === 'absent' || status === 'paused') return status
  if (/^available\b/.test(status)) return 'available'
  if (status === 'deleting' || status === 'final-snapshot') return 'leaving'
  return status in terminal || cluster?.ClusterAvailabilityStatus === 'Failed' ? 'failed' : 'busy'
}

/**
 * True when nothing is under way: a cluster can be available while its roles are still being attached, and refuses
 * changes then.
 */
export const isSettled = (cluster: Cluster | undefined): boolean =>
  phaseOf(cluster) === 'available' &&
  (cluster?.IamRoles ?? []).every(({ ApplyStatus = 'in-sync' }) => ApplyStatus === 'in-sync')

export function clusterFailed(identifier: string, cluster: Cluster | undefined): ServiceError {
  const status = statusOf(cluster)
  const advice = terminal[status] ?? 'The AWS console shows why.'
  return new ServiceError('cluster_failed', `The cluster ${identifier} is ${status}. ${advice}`)
}

export const foreignCluster = (identifier: string) =>
  new ServiceError(
    'foreign_cluster',
    `A cluster named ${identifier} exists without this deployment's tag. It is left as it is: choose another CLUSTER_IDENTIFIER, or attach it with REDSHIFT_HOST.`
  )

export const noCluster = (identifier: string) =>
  new ServiceError('cluster_not_found', `There is no cluster ${identifier}. PUT /v1/cluster creates it.`)
