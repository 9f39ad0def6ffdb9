/** What is ours and what is not: by tags alone. Nothing of somebody else's is touched. */
import { CreateSecurityGroupCommand } from '@aws-sdk/client-ec2'
import { CreateRoleCommand } from '@aws-sdk/client-iam'
import { CreateClusterCommand } from '@aws-sdk/client-redshift'
import t from 'tap'
import { changesIn, snapshotOf, startDeployment } from './fixture.ts'

const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'redshift.amazonaws.com' }, Action: 'sts:AssumeRole' }]
})
const foreignCluster = {
  ClusterIdentifier: 'sparkify',
  NodeType: 'ra3.large',
  ClusterType: 'single-node',
  MasterUsername: 'somebody',
  MasterUserPassword: 'Abcdefgh1'
}

t.test(
  'a cluster of our name without our tag is not touched, and nothing is created beside it',
  async (t) => {
    const { emulator, clients, provider, run, clock } = await startDeployment(t)
    await clients.redshift.send(new CreateClusterCommand(foreignCluster))
    clock.pass(600_000)
    const before = snapshotOf(emulator)
    const calls = emulator.calls.length

    const foreign = { code: 'foreign_cluster', message: /left as it is: choose another CLUSTER_IDENTIFIER/ }
    await t.rejects(provider.plan(), foreign)
    for (const operation of ['provision', 'pause', 'resume'] as const)
      await t.rejects(run(operation), foreign)
    t.match(await provider.describe(), {
      status: 'available',
      ownership: 'foreign',
      endpoint: null,
      drift: [],
      resources: []
    })
    const { result, events } = await run('teardown', { finalSnapshot: true })
    t.same(result, { final_snapshot: null, snapshots_left: [] })
    t.match(
      events.map(({ type, message }) => `${type}: ${message}`),
      [/AWS account/, /warning: A cluster named sparkify exists without this deployment's tag/]
    )
    t.same(changesIn(emulator, calls), [])
    t.same(snapshotOf(emulator), before)
  }
)

t.test('somebody else was faster with the name: our role and group go, their cluster stays', async (t) => {
  const { emulator, clients, run } = await startDeployment(t)
  emulator.inject({
    operation: 'CreateCluster',
    fault: {
      kind: 'hook',
      before: () => clients.redshift.send(new CreateClusterCommand({ ...foreignCluster }))
    }
  })
  await t.rejects(run('provision'), { code: 'foreign_cluster' })
  t.equal(emulator.state.roles.length, 1)
  await run('teardown')
  t.same(
    emulator.costing().map(({ kind, id }) => ({ kind, id })),
    [{ kind: 'cluster', id: 'sparkify' }]
  )
})

t.test('a cluster that carries our tag is taken over, whoever created it', async (t) => {
  const { emulator, clients, run, provider } = await startDeployment(t)
  const Tags = [{ Key: 'sparkify-warehouse:cluster', Value: 'sparkify' }]
  await clients.redshift.send(new CreateClusterCommand({ ...foreignCluster, Tags }))
  await run('provision')
  const [cluster] = emulator.state.clusters
  t.same([...(cluster?.roles.keys() ?? [])], [`arn:aws:iam::${emulator.account}:role/sparkify-redshift`])
  t.equal(cluster?.groupIds.length, 2, 'the groups that it had stay')
  t.same(
    (await provider.describe()).drift.map(({ field, mended_by }) => [field, mended_by]),
    [
      ['number_of_nodes', 'hand'],
      ['database', 'hand'],
      ['master_username', 'hand']
    ]
  )
  t.same((await provider.plan()).actions, [])
})

t.test('a role and a group of our names without our tag are not touched', async (t) => {
  const { emulator, clients, run, provider } = await startDeployment(t)
  const role = new CreateRoleCommand({ RoleName: 'sparkify-redshift', AssumeRolePolicyDocument: trust })
  await clients.iam.send(role)
  const foreign = { code: 'foreign_resource', message: /IAM role sparkify-redshift.*left as it is/ }
  await t.rejects(run('provision'), foreign)
  await t.rejects(provider.plan(), foreign)
  await run('teardown')
  t.equal(emulator.state.roles.length, 1)

  const other = await startDeployment(t)
  const group = { GroupName: 'sparkify-warehouse-sparkify', Description: 'mine' }
  await other.clients.ec2.send(new CreateSecurityGroupCommand(group))
  other.clock.pass(5_000)
  await t.rejects(other.run('provision'), {
    code: 'foreign_resource',
    message: /security group.*left as it is/
  })
  await other.run('teardown')
  t.same(
    other.emulator.costing().map(({ kind }) => kind),
    ['security-group']
  )
})

t.test('a deployment in another region does not share the role by accident', async (t) => {
  const here = await startDeployment(t)
  await here.run('provision')
  const role = here.emulator.state.roles[0]
  role?.tags.set('sparkify-warehouse:region', 'eu-west-1')
  await t.rejects(here.run('provision'), { code: 'foreign_resource' })
})

t.test('a role that is given is used as it is', async (t) => {
  const { emulator, clients, with: withEnv } = await startDeployment(t)
  const { Role } = await clients.iam.send(
    new CreateRoleCommand({ RoleName: 'theirs', AssumeRolePolicyDocument: trust })
  )
  const IAM_ROLE_ARN = Role?.Arn ?? ''
  const { run, provider } = withEnv({ IAM_ROLE_ARN })
  await run('provision')
  t.equal(emulator.state.clusters[0]?.defaultRole, IAM_ROLE_ARN)
  t.match(await provider.describe(), { role_arn: IAM_ROLE_ARN, drift: [] })
  await run('teardown')
  t.same(
    emulator.costing().map(({ id }) => id),
    ['theirs']
  )
  t.same(
    emulator.calls.filter(({ service }) => service === 'iam').map(({ operation }) => operation),
    ['CreateRole'],
    'nobody asked IAM for anything'
  )

  const elsewhere = withEnv({ IAM_ROLE_ARN: 'arn:aws:iam::999999999999:role/theirs' })
  await t.rejects(elsewhere.run('provision'), {
    code: 'iam_role_not_found',
    message: /must be in the account of the cluster/
  })
})
