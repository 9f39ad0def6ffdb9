/** A cluster that is not as it was left: changed by hand, busy, broken, or leaving things behind. */
import t from 'tap'
import { startDeployment } from './fixture.ts'

const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'redshift.amazonaws.com' }, Action: 'sts:AssumeRole' }]
})
t.test('a failed cluster is told before a job is made of it, and can be torn down', async (t) => {
  const { emulator, run, provider } = await startDeployment(t)
  await run('provision')
  emulator.setClusterStatus('sparkify', 'hardware-failure')
  await t.rejects(provider.plan(), { code: 'cluster_failed', message: /restore a snapshot/ })
  await t.rejects(run('pause'), { code: 'cluster_failed' })
  await run('teardown')
  t.same(emulator.costing(), [])
})

t.test('a change that comes too early is made later', async (t) => {
  const { emulator, run, with: withEnv } = await startDeployment(t)
  await run('provision')
  const message = "The Cluster is being modified by a concurrent operation. Please check the Cluster's status"
  emulator.inject({
    operation: 'ModifyCluster',
    times: 5,
    fault: { kind: 'error', code: 'InvalidClusterState', message }
  })
  await withEnv({ PUBLICLY_ACCESSIBLE: 'true' }).run('provision')
  t.equal(emulator.state.clusters[0]?.publiclyAccessible, true)

  emulator.inject({
    operation: 'PauseCluster',
    times: 1000,
    fault: { kind: 'error', code: 'InvalidClusterState', message }
  })
  await t.rejects(run('pause'), { code: 'invalid_cluster_state', message: /concurrent operation/ })
})

t.test('what was changed by hand is drift, and PUT mends it', async (t) => {
  const { emulator, run, provider } = await startDeployment(t)
  await run('provision')
  const { roles, groups, clusters } = emulator.state
  const [role, group, cluster] = [roles[0], groups[0], clusters[0]]
  role?.inline.set('sparkify-read-sources', '{"Version":"2012-10-17","Statement":[]}')
  role?.inline.set('more', '{"Version":"2012-10-17","Statement":[]}')
  role?.attached.add('arn:aws:iam::aws:policy/AdministratorAccess')
  if (role) role.trust = trust.replace('redshift', 'ec2')
  const open = { protocol: 'tcp', fromPort: 22, toPort: 22, cidr: '0.0.0.0/0', egress: false, id: 'sgr-1' }
  group?.rules.push({ ...open, tags: new Map() })
  cluster?.roles.clear()
  if (cluster) cluster.publiclyAccessible = true

  const { drift } = await provider.describe()
  t.same(
    drift.map(
      ({ field, observed, desired, mended_by }) => `${mended_by}: ${field}: ${observed} -> ${desired}`
    ),
    [
      'put: IAM role sparkify-redshift: different -> its trust policy: only Redshift may assume it',
      'put: IAM role sparkify-redshift: different -> an inline policy that reads exactly the configured sources',
      'put: IAM role sparkify-redshift: the inline policy more -> not there',
      'put: IAM role sparkify-redshift: the managed policy arn:aws:iam::aws:policy/AdministratorAccess -> not there',
      'put: security group sparkify-warehouse-sparkify: ingress tcp 22-22 from 0.0.0.0/0 -> not there',
      `put: cluster sparkify: different -> attach the IAM role arn:aws:iam::${emulator.account}:role/sparkify-redshift as its default`,
      'put: cluster sparkify: different -> take its public address away'
    ]
  )
  t.equal((await provider.plan()).actions.length, drift.length)
  await run('provision')
  t.same((await provider.describe()).drift, [])
  t.same(role?.attached.size, 0)
})

t.test('snapshots that stay are named, because they cost money', async (t) => {
  const { run } = await startDeployment(t)
  await run('provision')
  await run('teardown', { finalSnapshot: true })
  await run('provision')
  const { result, events } = await run('teardown')
  t.same(result, { final_snapshot: null, snapshots_left: ['sparkify-final-job0193aa'] })
  t.match(events.at(-1), { type: 'warning', message: /their storage costs money: sparkify-final-job0193aa$/ })

  await run('provision')
  const again = await run('teardown', { finalSnapshot: true })
  t.equal(
    again.result?.final_snapshot,
    'sparkify-final-job0193aa-2',
    'a name that is taken is not used again'
  )
})

t.test('an unwanted cluster goes even if there is no capacity to wake it up', async (t) => {
  const { emulator, run } = await startDeployment(t, { aws: { deletesPaused: true } })
  await run('provision')
  await run('pause')
  emulator.inject({ operation: 'ResumeCluster', times: 10, fault: { kind: 'insufficient-capacity' } })
  await t.rejects(run('teardown', { finalSnapshot: true }), { code: 'insufficient_capacity' })
  await run('teardown')
  t.same(emulator.costing(), [])
})

t.test('a role that got into an instance profile can be deleted', async (t) => {
  const { emulator, run } = await startDeployment(t)
  await run('provision')
  emulator.addInstanceProfile('by-hand', 'sparkify-redshift')
  await run('teardown')
  t.same(emulator.costing(), [])
})

t.test('the snapshots of a cluster that is gone are found either way', async (t) => {
  const { emulator, run } = await startDeployment(t)
  await run('provision')
  await run('teardown', { finalSnapshot: true })
  const fault = {
    kind: 'error' as const,
    code: 'ClusterNotFound',
    message: 'Cluster sparkify not found.',
    status: 404
  }
  emulator.inject({ operation: 'DescribeClusterSnapshots', fault })
  const { result } = await run('teardown', { finalSnapshot: true })
  t.same(result, { final_snapshot: 'sparkify-final-job0193aa', snapshots_left: [] })
})

t.test('a role that is attached without being the default one becomes it', async (t) => {
  const { emulator, run, provider } = await startDeployment(t)
  await run('provision')
  const [cluster] = emulator.state.clusters
  if (cluster) cluster.defaultRole = undefined
  t.match((await provider.describe()).drift, [{ field: 'cluster sparkify', desired: /as its default$/ }])
  await run('provision')
  t.match(emulator.calls.findLast(({ operation }) => operation === 'ModifyClusterIamRoles')?.params, {
    DefaultIamRoleArn: /role\/sparkify-redshift$/,
    AddIamRoles: undefined
  })
})
