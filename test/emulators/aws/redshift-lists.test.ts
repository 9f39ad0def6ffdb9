/** Redshift: snapshots, tags, and lists in pages. */
import {
  CreateClusterSnapshotCommand,
  CreateTagsCommand,
  DeleteClusterSnapshotCommand,
  DeleteTagsCommand,
  DescribeClusterSnapshotsCommand,
  DescribeClustersCommand,
  DescribeTagsCommand,
  PauseClusterCommand
} from '@aws-sdk/client-redshift'
import t from 'tap'
import { createAvailableCluster, refuses, startAws, type TestAws } from './fixture.ts'

const ClusterIdentifier = 'sparkify'
const snapshots = async ({ redshift }: TestAws, input = {}) =>
  (await redshift.send(new DescribeClusterSnapshotsCommand(input))).Snapshots ?? []

t.test('manual snapshots', async (t) => {
  const aws = await startAws(t, { quotas: { snapshots: 2 } })
  await createAvailableCluster(aws)
  const take = (SnapshotIdentifier: string, input = {}) =>
    aws.redshift.send(new CreateClusterSnapshotCommand({ ClusterIdentifier, SnapshotIdentifier, ...input }))
  const drop = (SnapshotIdentifier: string) =>
    aws.redshift.send(new DeleteClusterSnapshotCommand({ SnapshotIdentifier }))
  const { Snapshot } = await take('one', { Tags: [{ Key: 'a', Value: '1' }] })
  t.match(Snapshot, { Status: 'creating', NodeType: 'ra3.large', NumberOfNodes: 4, DBName: 'sparkify' })
  t.equal(Snapshot?.SnapshotArn, 'arn:aws:redshift:us-west-2:123456789012:snapshot:sparkify/one')
  const { TaggedResources } = await aws.redshift.send(new DescribeTagsCommand({ ResourceType: 'snapshot' }))
  t.match(TaggedResources, [{ Tag: { Key: 'a', Value: '1' }, ResourceName: Snapshot?.SnapshotArn }])
  await refuses(t, drop('one'), { name: 'InvalidClusterSnapshotStateFault' })
  await refuses(t, take('one'), { name: 'ClusterSnapshotAlreadyExistsFault' })
  await take('two')
  await refuses(t, take('three'), { name: 'ClusterSnapshotQuotaExceededFault' })
  await refuses(t, take('x', { ClusterIdentifier: 'none' }), { name: 'ClusterNotFoundFault' })
  t.same(
    (await snapshots(aws, { TagKeys: ['a'] })).map((found) => found.SnapshotIdentifier),
    ['one']
  )
  t.same(await snapshots(aws, { SnapshotType: 'automated' }), [])
  await refuses(t, snapshots(aws, { SnapshotIdentifier: 'none' }), { name: 'ClusterSnapshotNotFoundFault' })
  await refuses(t, snapshots(aws, { ClusterIdentifier: 'none' }), { name: 'ClusterNotFoundFault' })
  const both = snapshots(aws, { ClusterIdentifier, SnapshotIdentifier: 'one' })
  await refuses(t, both, { name: 'InvalidParameterCombination' })
  aws.pass(10_000)
  t.equal((await drop('one')).Snapshot?.Status, 'deleted')
  await refuses(t, drop('one'), { name: 'ClusterSnapshotNotFoundFault' })
  await aws.redshift.send(new PauseClusterCommand({ ClusterIdentifier }))
  const automated = aws.emulator.state.snapshots.find(({ type }) => type === 'automated')
  await refuses(t, drop(automated?.identifier ?? ''), { name: 'InvalidClusterSnapshotStateFault' })
})

t.test('tags', async (t) => {
  const aws = await startAws(t)
  await createAvailableCluster(aws, { Tags: [{ Key: 'a', Value: '1' }] })
  const ResourceName = 'arn:aws:redshift:us-west-2:123456789012:cluster:sparkify'
  const tag = (Key: string, Value: string, name = ResourceName) =>
    aws.redshift.send(new CreateTagsCommand({ ResourceName: name, Tags: [{ Key, Value }] }))
  await tag('a', '2')
  await tag('b', '3')
  await aws.redshift.send(new DeleteTagsCommand({ ResourceName, TagKeys: ['a'] }))
  for (const input of [{ ResourceName }, { ResourceType: 'cluster' }, { TagKeys: ['b'] }, {}]) {
    const { TaggedResources } = await aws.redshift.send(new DescribeTagsCommand(input))
    t.same(TaggedResources, [{ Tag: { Key: 'b', Value: '3' }, ResourceName, ResourceType: 'cluster' }])
  }
  await refuses(t, tag('c', '', `${ResourceName}x`), { name: 'ResourceNotFoundFault', status: 404 })
  await refuses(t, tag('aws:c', ''), { name: 'InvalidTagFault' })
  const many = Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: '' }))
  const tooMany = aws.redshift.send(new CreateTagsCommand({ ResourceName, Tags: many }))
  await refuses(t, tooMany, { name: 'TagLimitExceededFault' })
  const byKey = await aws.redshift.send(new DescribeClustersCommand({ TagKeys: ['b'], TagValues: ['3'] }))
  t.equal(byKey.Clusters?.length, 1)
  const other = await aws.redshift.send(new DescribeClustersCommand({ TagKeys: ['a'] }))
  t.same(other.Clusters, [])
})

t.test('lists come in pages', async (t) => {
  const aws = await startAws(t, { quotas: { clusters: 30 } })
  for (let index = 0; index < 21; index += 1) {
    await createAvailableCluster(aws, { ClusterIdentifier: `c${index}`, NumberOfNodes: 2 })
  }
  const first = await aws.redshift.send(new DescribeClustersCommand({ MaxRecords: 20 }))
  t.equal(first.Clusters?.length, 20)
  const second = await aws.redshift.send(
    new DescribeClustersCommand({ Marker: first.Marker, MaxRecords: 20 })
  )
  t.same([second.Clusters?.[0]?.ClusterIdentifier, second.Marker], ['c20', undefined])
  await refuses(t, aws.redshift.send(new DescribeClustersCommand({ MaxRecords: 10 })), {
    name: 'InvalidParameterValue'
  })
})
