import {
  CreateClusterCommand,
  CreateClusterSnapshotCommand,
  DeleteClusterCommand,
  type DeleteClusterCommandInput,
  DeleteClusterSnapshotCommand,
  DescribeClusterSnapshotsCommand,
  DescribeClustersCommand,
  ModifyClusterCommand,
  type ModifyClusterCommandInput,
  ModifyClusterIamRolesCommand,
  PauseClusterCommand,
  ResumeClusterCommand,
  waitUntilClusterAvailable
} from '@aws-sdk/client-redshift'
import t from 'tap'
import {
  clusterStatus,
  createAvailableCluster,
  createRole,
  goodCluster,
  refuses,
  startAws,
  type TestAws
} from './fixture.ts'

const ClusterIdentifier = 'sparkify'
const step = 10_000
const pause = ({ redshift }: TestAws) => redshift.send(new PauseClusterCommand({ ClusterIdentifier }))
const resume = ({ redshift }: TestAws) => redshift.send(new ResumeClusterCommand({ ClusterIdentifier }))
const remove = ({ redshift }: TestAws, input: Partial<DeleteClusterCommandInput>) =>
  redshift.send(new DeleteClusterCommand({ ClusterIdentifier, ...input }))
const modify = ({ redshift }: TestAws, input: Partial<ModifyClusterCommandInput>) =>
  redshift.send(new ModifyClusterCommand({ ClusterIdentifier, ...input }))
const snapshots = async ({ redshift }: TestAws, input = {}) =>
  (await redshift.send(new DescribeClusterSnapshotsCommand(input))).Snapshots ?? []

t.test('a cluster goes through the scripted statuses', async (t) => {
  const statuses = ['creating', 'modifying', 'available, prep-for-resize', 'rotating-keys']
  const aws = await startAws(t, {
    timelines: { create: statuses.map((status) => ({ status, ms: 100 })) }
  })
  await aws.redshift.send(new CreateClusterCommand(goodCluster))
  const seen: unknown[] = []
  for (let index = 0; index < 5; index += 1) {
    const { Clusters } = await aws.redshift.send(new DescribeClustersCommand())
    const { ClusterStatus, ClusterAvailabilityStatus, Endpoint } = Clusters?.[0] ?? {}
    seen.push([ClusterStatus, ClusterAvailabilityStatus, Endpoint !== undefined])
    aws.pass(100)
  }
  t.same(seen, [
    ['creating', 'Modifying', false],
    ['modifying', 'Modifying', true],
    ['available, prep-for-resize', 'Available', true],
    ['rotating-keys', 'Modifying', true],
    ['available', 'Available', true]
  ])
})

t.test("the SDK's waiter gets there in real time", async (t) => {
  const { redshift } = await startAws(t, { clock: Date.now, delays: { create: 50 } })
  await redshift.send(new CreateClusterCommand(goodCluster))
  const waited = await waitUntilClusterAvailable(
    { client: redshift, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
    { ClusterIdentifier }
  )
  t.equal(waited.state, 'SUCCESS')
})

t.test('pause and resume', async (t) => {
  const aws = await startAws(t)
  await createAvailableCluster(aws)
  await refuses(t, resume(aws), { name: 'InvalidClusterStateFault', status: 400 })
  t.equal((await pause(aws)).Cluster?.ClusterStatus, 'pausing')
  t.match(await snapshots(aws), [{ SnapshotType: 'automated', ClusterIdentifier }])
  await refuses(t, pause(aws), { name: 'InvalidClusterStateFault' })
  await refuses(t, resume(aws), { name: 'InvalidClusterStateFault' })
  aws.pass(step)
  const { Clusters } = await aws.redshift.send(new DescribeClustersCommand({ ClusterIdentifier }))
  t.match(Clusters, [{ ClusterStatus: 'paused', ClusterAvailabilityStatus: 'Unavailable' }])
  t.match(Clusters?.[0]?.Endpoint?.Address, /^sparkify\./)
  await refuses(t, pause(aws), { name: 'InvalidClusterStateFault' })
  await refuses(t, modify(aws, { Port: 5440 }), { name: 'InvalidClusterStateFault', message: /paused/ })
  await refuses(t, remove(aws, { SkipFinalClusterSnapshot: true }), { name: 'InvalidClusterStateFault' })
  t.equal((await resume(aws)).Cluster?.ClusterStatus, 'resuming')
  aws.pass(step)
  t.equal(await clusterStatus(aws), 'available')
})

t.test('whether a paused cluster can be deleted is a setting', async (t) => {
  const aws = await startAws(t, { deletesPaused: true })
  await createAvailableCluster(aws)
  await pause(aws)
  aws.pass(step)
  await remove(aws, { SkipFinalClusterSnapshot: true })
  aws.pass(step)
  t.same(aws.emulator.state.clusters, [])
})

t.test('modifications apply when they are complete', async (t) => {
  const aws = await startAws(t)
  await createAvailableCluster(aws)
  const modified = await modify(aws, { MasterUserPassword: 'Other-horse-2', PubliclyAccessible: true })
  t.match(modified.Cluster, {
    ClusterStatus: 'modifying',
    PubliclyAccessible: false,
    PendingModifiedValues: { MasterUserPassword: '****', PubliclyAccessible: true }
  })
  t.equal(aws.emulator.authenticate('awsuser'), 'Correct-horse-1')
  await refuses(t, modify(aws, {}), { name: 'InvalidClusterStateFault', message: /concurrent operation/ })
  aws.pass(step)
  const { Clusters } = await aws.redshift.send(new DescribeClustersCommand())
  t.match(Clusters, [{ ClusterStatus: 'available', PubliclyAccessible: true }])
  t.same(Clusters?.[0]?.PendingModifiedValues, {})
  t.equal(aws.emulator.authenticate('awsuser'), 'Other-horse-2')
  await modify(aws, { NumberOfNodes: 2 })
  const seen = [await clusterStatus(aws)]
  aws.pass(step)
  seen.push(await clusterStatus(aws))
  aws.pass(step)
  seen.push(await clusterStatus(aws))
  t.same(seen, ['resizing', 'available, resize-cleanup', 'available'])
  t.equal(aws.emulator.state.clusters[0]?.nodes, 2)
})

t.test('wrong modifications are refused', async (t) => {
  const aws = await startAws(t)
  await createAvailableCluster(aws)
  const refused: [Partial<ModifyClusterCommandInput>, name: string][] = [
    [{ ClusterIdentifier: 'none' }, 'ClusterNotFoundFault'],
    [{ MasterUserPassword: 'short' }, 'InvalidParameterValue'],
    [{ Encrypted: false }, 'InvalidParameterCombination'],
    [{ Port: 80 }, 'InvalidParameterValue'],
    [{ AutomatedSnapshotRetentionPeriod: 0 }, 'InvalidParameterValue'],
    [{ NodeType: 'dc2.large' }, 'InvalidParameterValue'],
    [{ NumberOfNodes: 1 }, 'InvalidParameterCombination'],
    [{ VpcSecurityGroupIds: ['sg-1'] }, 'InvalidParameterValue'],
    [{ NewClusterIdentifier: 'other' }, 'UnsupportedOperationFault']
  ]
  for (const [input, name] of refused) await refuses(t, modify(aws, input), { name }, JSON.stringify(input))
  t.equal(await clusterStatus(aws), 'available')
})

t.test('roles are added and removed', async (t) => {
  const aws = await startAws(t)
  const [first, second] = [await createRole(aws, 'first'), await createRole(aws, 'second')]
  await createAvailableCluster(aws, { IamRoles: [first] })
  const change = (input: object) =>
    aws.redshift.send(new ModifyClusterIamRolesCommand({ ClusterIdentifier, ...input }))
  const { Cluster } = await change({
    AddIamRoles: [second],
    RemoveIamRoles: [first],
    DefaultIamRoleArn: second
  })
  t.same(Cluster?.IamRoles, [
    { IamRoleArn: first, ApplyStatus: 'removing' },
    { IamRoleArn: second, ApplyStatus: 'adding' }
  ])
  await refuses(t, change({ AddIamRoles: [first] }), { name: 'InvalidClusterStateFault' })
  aws.pass(step)
  const { Clusters } = await aws.redshift.send(new DescribeClustersCommand())
  t.same(Clusters?.[0]?.IamRoles, [{ IamRoleArn: second, ApplyStatus: 'in-sync' }])
  t.equal(Clusters?.[0]?.DefaultIamRoleArn, second)
  await refuses(t, change({ RemoveIamRoles: [first] }), { name: 'InvalidParameterCombination' })
  await refuses(t, change({ DefaultIamRoleArn: first }), { name: 'InvalidParameterCombination' })
})

t.test('deletion without a snapshot', async (t) => {
  const aws = await startAws(t)
  const skip = { SkipFinalClusterSnapshot: true }
  await refuses(t, remove(aws, skip), { name: 'ClusterNotFoundFault', status: 404 })
  await aws.redshift.send(new CreateClusterCommand(goodCluster))
  await refuses(t, remove(aws, skip), { name: 'InvalidClusterStateFault' }, 'while creating')
  aws.pass(step)
  t.equal((await remove(aws, skip)).Cluster?.ClusterStatus, 'deleting')
  await refuses(t, remove(aws, skip), {
    name: 'InvalidClusterStateFault',
    message: /try to delete it at a later/
  })
  aws.pass(step)
  const describe = aws.redshift.send(new DescribeClustersCommand({ ClusterIdentifier }))
  await refuses(t, describe, { name: 'ClusterNotFoundFault', message: 'Cluster sparkify not found.' })
  t.same((await aws.redshift.send(new DescribeClustersCommand())).Clusters, [])
  await refuses(t, remove(aws, skip), { name: 'ClusterNotFoundFault' })
})

t.test('deletion with a final snapshot, which outlives the cluster', async (t) => {
  const aws = await startAws(t)
  await createAvailableCluster(aws, { Tags: [{ Key: 'app', Value: 'sparkify' }] })
  await pause(aws)
  aws.pass(step)
  await resume(aws)
  aws.pass(step)
  await remove(aws, { FinalClusterSnapshotIdentifier: 'last', FinalClusterSnapshotRetentionPeriod: 7 })
  t.equal(await clusterStatus(aws), 'final-snapshot')
  t.match(await snapshots(aws, { SnapshotIdentifier: 'last' }), [
    { Status: 'final snapshot', SnapshotType: 'manual', ManualSnapshotRetentionPeriod: 7 }
  ])
  aws.pass(step)
  t.equal(await clusterStatus(aws), 'deleting')
  aws.pass(step)
  t.same(await snapshots(aws), await snapshots(aws, { ClusterIdentifier }))
  t.match(await snapshots(aws, { ClusterIdentifier }), [
    { SnapshotIdentifier: 'last', Status: 'available', Tags: [{ Key: 'app', Value: 'sparkify' }] }
  ])
  t.equal(aws.emulator.state.snapshots.length, 1, 'the automated snapshot went with the cluster')
  await aws.redshift.send(new DeleteClusterSnapshotCommand({ SnapshotIdentifier: 'last' }))
  t.same(aws.emulator.costing(), [])
})

t.test('wrong deletions are refused', async (t) => {
  const aws = await startAws(t)
  await createAvailableCluster(aws)
  const name = (FinalClusterSnapshotIdentifier: string) => ({ FinalClusterSnapshotIdentifier })
  await aws.redshift.send(
    new CreateClusterSnapshotCommand({ ClusterIdentifier, SnapshotIdentifier: 'taken' })
  )
  const refused: [Partial<DeleteClusterCommandInput>, name: string][] = [
    [{}, 'InvalidParameterCombination'],
    [{ SkipFinalClusterSnapshot: false }, 'InvalidParameterCombination'],
    [{ SkipFinalClusterSnapshot: true, ...name('last') }, 'InvalidParameterCombination'],
    [name('1last'), 'InvalidParameterValue'],
    [name('la--st'), 'InvalidParameterValue'],
    [name('last-'), 'InvalidParameterValue'],
    [name('a'.repeat(256)), 'InvalidParameterValue'],
    [name('taken'), 'ClusterSnapshotAlreadyExistsFault'],
    [{ ...name('last'), FinalClusterSnapshotRetentionPeriod: 0 }, 'InvalidRetentionPeriodFault']
  ]
  for (const [input, code] of refused) {
    await refuses(t, remove(aws, input), { name: code }, JSON.stringify(input).slice(0, 80))
  }
  t.equal(await clusterStatus(aws), 'available')
})
