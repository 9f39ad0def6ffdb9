/** Redshift: the operations, and the lists. */
import { findCluster } from './cluster-state.ts'
import { AwsError } from './errors.ts'
import { changeOperations } from './redshift-change.ts'
import { createCluster } from './redshift-create.ts'
import { credentialOperations } from './redshift-credentials.ts'
import { snapshotOperations } from './redshift-snapshots.ts'
import { tagOperations } from './redshift-tags.ts'
import { describeCluster, filterByTags, pageOf } from './redshift-view.ts'
import type { Operation, QueryService } from './service.ts'

const describeClusters: Operation = (params, { world }) => {
  const identifier = params.text('ClusterIdentifier')
  const chosen = identifier === undefined ? [...world.clusters.values()] : [findCluster(world, identifier)]
  const { page, next } = pageOf(params, filterByTags(params, chosen))
  return { Clusters: { Cluster: page.map((cluster) => describeCluster(cluster, world)) }, Marker: next }
}

const describeSubnetGroups: Operation = (params, { world }) => {
  const name = params.text('ClusterSubnetGroupName')
  const found = world.subnetGroups.filter((group) => name === undefined || group.name === name)
  if (name !== undefined && found.length === 0) {
    throw new AwsError('ClusterSubnetGroupNotFoundFault', `Cluster subnet group ${name} not found.`)
  }
  const { page, next } = pageOf(params, found)
  const ClusterSubnetGroup = page.map((group) => ({
    ClusterSubnetGroupName: group.name,
    Description: group.name,
    VpcId: group.vpcId,
    SubnetGroupStatus: 'Complete',
    Subnets: {
      Subnet: group.subnetIds.map((id) => ({
        SubnetIdentifier: id,
        SubnetAvailabilityZone: { Name: world.subnets.find((subnet) => subnet.id === id)?.zone },
        SubnetStatus: 'Active'
      }))
    },
    Tags: {}
  }))
  return { ClusterSubnetGroups: { ClusterSubnetGroup }, Marker: next }
}

export const redshift: QueryService = {
  name: 'redshift',
  version: '2012-12-01',
  namespace: 'http://redshift.amazonaws.com/doc/2012-12-01/',
  operations: {
    CreateCluster: createCluster,
    DescribeClusters: describeClusters,
    DescribeClusterSubnetGroups: describeSubnetGroups,
    ...changeOperations,
    ...snapshotOperations,
    ...tagOperations,
    ...credentialOperations
  }
}
