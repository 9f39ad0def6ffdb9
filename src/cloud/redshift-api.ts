/** The calls of Redshift about one cluster, with their errors as ours. */
import {
  type Cluster,
  CreateClusterCommand,
  type CreateClusterMessage,
  DeleteClusterCommand,
  DescribeClusterSubnetGroupsCommand,
  DescribeClustersCommand,
  GetClusterCredentialsCommand,
  ModifyClusterCommand,
  ModifyClusterIamRolesCommand,
  type ModifyClusterMessage,
  PauseClusterCommand,
  paginateDescribeClusterSnapshots,
  type RedshiftClient,
  ResumeClusterCommand,
  type Snapshot
} from '@aws-sdk/client-redshift'
import { callAws, isAwsError } from './aws-errors.ts'

export type RedshiftApi = ReturnType<typeof createRedshiftApi>

/** Every call but `describe` throws `ClusterNotFoundFault`; every change throws `InvalidClusterStateFault`. */
export function createRedshiftApi(client: RedshiftClient, ClusterIdentifier: string) {
  /** Undefined when Redshift does not know the cluster. */
  async function listSnapshots(
    filter: { ClusterExists?: boolean },
    signal: AbortSignal
  ): Promise<Snapshot[] | undefined> {
    const snapshots: Snapshot[] = []
    const input = { ClusterIdentifier, SnapshotType: 'manual', ...filter }
    try {
      await callAws('redshift:DescribeClusterSnapshots', signal, async (options) => {
        for await (const page of paginateDescribeClusterSnapshots({ client }, input, options)) {
          snapshots.push(...(page.Snapshots ?? []))
        }
      })
      return snapshots
    } catch (error) {
      if (isAwsError(error, 'ClusterNotFoundFault', 'ClusterSnapshotNotFoundFault')) return undefined
      throw error
    }
  }

  return {
    /** The cluster; undefined when there is none. */
    async describe(signal: AbortSignal): Promise<Cluster | undefined> {
      try {
        const { Clusters } = await callAws('redshift:DescribeClusters', signal, (options) =>
          client.send(new DescribeClustersCommand({ ClusterIdentifier }), options)
        )
        return Clusters?.[0]
      } catch (error) {
        if (isAwsError(error, 'ClusterNotFoundFault')) return undefined
        throw error
      }
    },

    /** Throws `ClusterAlreadyExistsFault`: there is no token that would make it safe to repeat. */
    async create(input: Omit<CreateClusterMessage, 'ClusterIdentifier'>, signal: AbortSignal): Promise<void> {
      const secrets = input.MasterUserPassword === undefined ? [] : [input.MasterUserPassword]
      const send = (options: { abortSignal: AbortSignal }) =>
        client.send(new CreateClusterCommand({ ClusterIdentifier, ...input }), options)
      await callAws('redshift:CreateCluster', signal, send, secrets)
    },

    async modify(input: Omit<ModifyClusterMessage, 'ClusterIdentifier'>, signal: AbortSignal): Promise<void> {
      await callAws('redshift:ModifyCluster', signal, (options) =>
        client.send(new ModifyClusterCommand({ ClusterIdentifier, ...input }), options)
      )
    },

    /** Makes a role the default one; attaches it first unless it is. */
    async attachRole(arn: string, isAttached: boolean, signal: AbortSignal): Promise<void> {
      await callAws('redshift:ModifyClusterIamRoles', signal, (options) => {
        const input = {
          ClusterIdentifier,
          DefaultIamRoleArn: arn,
          ...(!isAttached && { AddIamRoles: [arn] })
        }
        return client.send(new ModifyClusterIamRolesCommand(input), options)
      })
    },

    async pause(signal: AbortSignal): Promise<void> {
      await callAws('redshift:PauseCluster', signal, (options) =>
        client.send(new PauseClusterCommand({ ClusterIdentifier }), options)
      )
    },

    async resume(signal: AbortSignal): Promise<void> {
      await callAws('redshift:ResumeCluster', signal, (options) =>
        client.send(new ResumeClusterCommand({ ClusterIdentifier }), options)
      )
    },

    /** Throws `ClusterSnapshotAlreadyExistsFault`. */
    async remove(finalSnapshot: string | null, signal: AbortSignal): Promise<void> {
      await callAws('redshift:DeleteCluster', signal, (options) => {
        const snapshot =
          finalSnapshot === null
            ? { SkipFinalClusterSnapshot: true }
            : { SkipFinalClusterSnapshot: false, FinalClusterSnapshotIdentifier: finalSnapshot }
        return client.send(new DeleteClusterCommand({ ClusterIdentifier, ...snapshot }), options)
      })
    },

    /** The snapshots that outlive the cluster, whether it is there or not; oldest first. */
    async manualSnapshots(signal: AbortSignal): Promise<Snapshot[]> {
      // Those of a cluster that is gone may have to be asked for as such.
      const found =
        (await listSnapshots({}, signal)) ?? (await listSnapshots({ ClusterExists: false }, signal)) ?? []
      const time = ({ SnapshotCreateTime }: Snapshot) => SnapshotCreateTime?.getTime() ?? 0
      return found.sort((one, other) => time(one) - time(other))
    },

    /** The VPC of a cluster subnet group; undefined when there is no such group. */
    async subnetGroupVpc(name: string, signal: AbortSignal): Promise<string | undefined> {
      try {
        const { ClusterSubnetGroups } = await callAws(
          'redshift:DescribeClusterSubnetGroups',
          signal,
          (options) =>
            client.send(new DescribeClusterSubnetGroupsCommand({ ClusterSubnetGroupName: name }), options)
        )
        return ClusterSubnetGroups?.[0]?.VpcId
      } catch (error) {
        if (isAwsError(error, 'ClusterSubnetGroupNotFoundFault')) return undefined
        throw error
      }
    },

    /** Credentials that log in for the next quarter of an hour. */
    credentials: (DbUser: string, DbName: string, signal: AbortSignal) =>
      callAws('redshift:GetClusterCredentials', signal, (options) => {
        const input = { ClusterIdentifier, DbUser, DbName, AutoCreate: false, DurationSeconds: 900 }
        return client.send(new GetClusterCredentialsCommand(input), options)
      })
  }
}
