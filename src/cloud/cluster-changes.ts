/** What the cluster should be against what it is: what can be changed while it runs, and what takes a person. */
import type { Cluster } from '@aws-sdk/client-redshift'
import type { Config } from '../config.ts'
import { type Change, change } from './change.ts'
import type { Drift } from './cluster-provider.ts'
import type { RedshiftApi } from './redshift-api.ts'

export interface Wanted {
  /** Undefined while the role or the group does not exist yet. */
  roleArn: string | undefined
  groupId: string | undefined
}

type Settings = Pick<
  Config,
  | 'CLUSTER_IDENTIFIER'
  | 'NODE_TYPE'
  | 'NUMBER_OF_NODES'
  | 'DATABASE_NAME'
  | 'DATABASE_PORT'
  | 'MASTER_USERNAME'
  | 'PUBLICLY_ACCESSIBLE'
  | 'SUBNET_GROUP_NAME'
>

/** The changes that make an available cluster fit; a paused one does not tell the truth and takes none. */
export function clusterChanges(
  cluster: Cluster,
  config: Settings,
  { roleArn, groupId }: Wanted,
  api: RedshiftApi
): Change[] {
  const resource = `cluster ${config.CLUSTER_IDENTIFIER}`
  const changes: Change[] = []
  const roles = (cluster.IamRoles ?? []).map(({ IamRoleArn }) => IamRoleArn)
  const isAttached = roles.includes(roleArn)
  if (!isAttached || cluster.DefaultIamRoleArn !== roleArn) {
    const detail = `attach the IAM role ${roleArn ?? '(to be created)'} as its default`
    const attach = (signal: AbortSignal) => api.attachRole(roleArn ?? '', isAttached, signal)
    changes.push(change('update', resource, detail, attach))
  }
  const groups = (cluster.VpcSecurityGroups ?? []).map(({ VpcSecurityGroupId = '' }) => VpcSecurityGroupId)
  if (groupId === undefined || !groups.includes(groupId)) {
    const detail = `add the security group ${groupId ?? '(to be created)'}`
    // Groups that a person has added stay.
    const input = { VpcSecurityGroupIds: [...groups, groupId ?? ''] }
    changes.push(change('update', resource, detail, (signal) => api.modify(input, signal)))
  }
  const isPublic = cluster.PendingModifiedValues?.PubliclyAccessible ?? cluster.PubliclyAccessible
  if (isPublic !== undefined && isPublic !== config.PUBLICLY_ACCESSIBLE) {
    const input = { PubliclyAccessible: config.PUBLICLY_ACCESSIBLE }
    const detail = config.PUBLICLY_ACCESSIBLE ? 'give it a public address' : 'take its public address away'
    changes.push(change('update', resource, detail, (signal) => api.modify(input, signal)))
  }
  return changes
}

/**
 * Differences that PUT leaves alone: a resize drops sessions and depends on the size that the cluster began with, and
 * the rest cannot be changed at all.
 */
export function lastingDrift(cluster: Cluster, config: Settings): Drift[] {
  const pairs: [string, unknown, unknown][] = [
    ['node_type', config.NODE_TYPE, cluster.NodeType],
    ['number_of_nodes', config.NUMBER_OF_NODES, cluster.NumberOfNodes],
    ['database', config.DATABASE_NAME, cluster.DBName],
    ['port', config.DATABASE_PORT, cluster.Endpoint?.Port],
    ['master_username', config.MASTER_USERNAME, cluster.MasterUsername],
    ['subnet_group', config.SUBNET_GROUP_NAME, cluster.ClusterSubnetGroupName],
    ['encrypted', true, cluster.Encrypted]
  ]
  return pairs
    .filter(
      ([, desired, observed]) => desired !== undefined && observed !== undefined && desired !== observed
    )
    .map(([field, desired, observed]) => ({
      ...{ field, desired: String(desired), observed: String(observed) },
      mended_by: 'hand' as const
    }))
}

const observedAs = { create: 'missing', update: 'different', delete: 'there, but not configured' } as const

/** A change that PUT would make, as a difference. */
export const asDrift = ({ planned }: Change): Drift => ({
  field: planned.resource,
  desired: planned.action === 'delete' ? 'not there' : planned.detail,
  observed: planned.action === 'delete' ? planned.detail : observedAs[planned.action],
  mended_by: 'put'
})
