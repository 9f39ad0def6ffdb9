/** The cluster from nothing to nothing, over the real SDK and an emulated account. */
import t from 'tap'
import { changesIn, snapshotOf, startDeployment } from './fixture.ts'

const tags = { 'sparkify-warehouse:cluster': 'sparkify', 'sparkify-warehouse:region': 'us-west-2' }

t.test('it is provisioned step by step, exactly as configured', async (t) => {
  const { emulator, run, statements } = await startDeployment(t)
  const { steps, events } = await run('provision')

  t.same(steps, ['identity', 'role', 'network', 'cluster', 'available', 'connect'])
  const { account } = emulator
  const arn = `arn:aws:iam::${account}:role/sparkify-redshift`
  t.same(snapshotOf(emulator), {
    roles: [
      {
        name: 'sparkify-redshift',
        trust: {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Principal: { Service: 'redshift.amazonaws.com' }, Action: 'sts:AssumeRole' }
          ]
        },
        tags,
        attached: [],
        inline: {
          'sparkify-read-sources': {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Action: 's3:GetBucketLocation',
                Resource: ['arn:aws:s3:::sparkify-manifests', 'arn:aws:s3:::udacity-dend']
              },
              {
                Effect: 'Allow',
                Action: 's3:ListBucket',
                Resource: 'arn:aws:s3:::sparkify-manifests',
                Condition: { StringLike: { 's3:prefix': ['loads', 'loads/*'] } }
              },
              {
                Effect: 'Allow',
                Action: 's3:ListBucket',
                Resource: 'arn:aws:s3:::udacity-dend',
                Condition: {
                  StringLike: {
                    's3:prefix': ['log_data', 'log_data/*', 'log_json_path.json', 'song_data', 'song_data/*']
                  }
                }
              },
              {
                Effect: 'Allow',
                Action: 's3:GetObject',
                Resource: [
                  'arn:aws:s3:::sparkify-manifests/loads/*',
                  'arn:aws:s3:::udacity-dend/log_data/*',
                  'arn:aws:s3:::udacity-dend/log_json_path.json',
                  'arn:aws:s3:::udacity-dend/song_data/*'
                ]
              }
            ]
          }
        }
      }
    ],
    groups: [
      {
        name: 'sparkify-warehouse-sparkify',
        tags,
        ingress: ['tcp 5439-5439 2001:db8::/64', 'tcp 5439-5439 203.0.113.7/32']
      }
    ],
    clusters: [
      {
        identifier: 'sparkify',
        status: 'available',
        nodeType: 'ra3.large',
        nodes: 4,
        database: 'sparkify',
        port: 5439,
        masterUsername: 'sparkify_admin',
        publiclyAccessible: false,
        encrypted: true,
        managedPassword: false,
        roles: [[arn, 'in-sync']],
        defaultRole: arn,
        tags,
        groups: ['sparkify-warehouse-sparkify']
      }
    ]
  })
  t.equal(statements.at(-1), 'redshift-cluster/probe', 'a statement proved it')

  const identity = events.findIndex(({ message }) =>
    message.startsWith(`AWS account ${account}, region us-west-2`)
  )
  t.equal(identity, 0, 'account and region come before anything is created')
  t.match(
    events.map(({ message }) => message),
    [
      /^AWS account/,
      /^create IAM role sparkify-redshift: a role/,
      /^create IAM role sparkify-redshift: an inline policy/,
      /^create security group/,
      /ingress from 203.0.113.7\/32 to port 5439/,
      /ingress from 2001:db8::\/64 to port 5439/,
      'create cluster sparkify: 4 x ra3.large',
      'The cluster is creating'
    ]
  )
})

t.test('done again it changes nothing', async (t) => {
  const { emulator, run, provider } = await startDeployment(t)
  await run('provision')
  const before = snapshotOf(emulator)
  const calls = emulator.calls.length
  t.same((await provider.plan()).actions, [])
  await run('provision')
  t.same(changesIn(emulator, calls), [])
  t.same(snapshotOf(emulator), before)
})

t.test('the plan names the same actions and the cost', async (t) => {
  const { emulator, provider } = await startDeployment(t)
  const { account } = emulator
  t.same(await provider.plan(), {
    account_id: account,
    region: 'us-west-2',
    actions: [
      {
        action: 'create',
        resource: 'IAM role sparkify-redshift',
        detail: 'a role that only Redshift may assume'
      },
      {
        action: 'create',
        resource: 'IAM role sparkify-redshift',
        detail: 'an inline policy that reads exactly the configured sources'
      },
      {
        action: 'create',
        resource: 'security group sparkify-warehouse-sparkify',
        detail: 'a security group that admits nobody yet'
      },
      {
        action: 'create',
        resource: 'security group sparkify-warehouse-sparkify',
        detail: 'ingress from 203.0.113.7/32 to port 5439'
      },
      {
        action: 'create',
        resource: 'security group sparkify-warehouse-sparkify',
        detail: 'ingress from 2001:db8::/64 to port 5439'
      },
      {
        action: 'create',
        resource: 'cluster sparkify',
        detail: '4 x ra3.large, encrypted, private, database sparkify on port 5439'
      }
    ],
    estimated_cost: {
      currency: 'USD',
      per_hour: 2.172,
      per_month: 1585.56,
      as_of: '2026-11-20',
      note: 'An estimate: 4 x ra3.large on demand at the prices of us-east-1. us-east-1 stands in for us-west-2, which the table does not have. Managed storage is billed on top, at about 0.024 USD per GB and month.'
    }
  })
  t.same(changesIn(emulator), [], 'nothing is changed')
})

t.test('the state is shown, from absent to available to paused', async (t) => {
  const { emulator, run, provider } = await startDeployment(t)
  t.match(await provider.describe(), { status: 'absent', ownership: 'none', drift: [], resources: [] })
  t.equal(await provider.status(), 'absent')

  await run('provision')
  const [group] = emulator.state.groups
  const desired = {
    node_type: 'ra3.large',
    number_of_nodes: 4,
    port: 5439,
    publicly_accessible: false,
    iam_role: 'sparkify-redshift',
    ingress_cidrs: ['203.0.113.7/32', '2001:db8::/64']
  }
  const available = await provider.describe()
  t.match(available.endpoint, /^sparkify\.\w+\.us-west-2\.redshift\.amazonaws\.com:5439$/)
  t.match(available.estimated_cost, { per_hour: 2.172 })
  t.same(
    { ...available, endpoint: null, estimated_cost: null },
    {
      status: 'available',
      ownership: 'ours',
      availability: 'Available',
      endpoint: null,
      role_arn: `arn:aws:iam::${emulator.account}:role/sparkify-redshift`,
      ingress_cidrs: ['203.0.113.7/32', '2001:db8::/64'],
      node_type: 'ra3.large',
      number_of_nodes: 4,
      publicly_accessible: false,
      encrypted: true,
      isolation_level: 'Snapshot Isolation',
      size_bytes: null,
      account_id: emulator.account,
      region: 'us-west-2',
      desired,
      drift: [],
      resources: [
        { type: 'redshift_cluster', id: 'sparkify' },
        { type: 'security_group', id: group?.id },
        { type: 'iam_role', id: 'sparkify-redshift' }
      ],
      estimated_cost: null
    }
  )

  t.same((await run('pause')).steps, ['identity', 'pause', 'paused'])
  t.match(await provider.describe(), {
    status: 'paused',
    isolation_level: null,
    drift: [],
    estimated_cost: { per_hour: 0, note: /^An estimate: a paused cluster/ }
  })
  t.match((await provider.plan()).actions, [
    { action: 'update', resource: 'cluster sparkify', detail: 'resume it' }
  ])
  await run('pause')

  t.same((await run('resume')).steps, ['identity', 'resume', 'available', 'connect'])
  t.equal((await provider.describe()).status, 'available')
  await run('resume')
  t.same(
    changesIn(emulator).filter((name) => /Pause|Resume/.test(name)),
    ['PauseCluster', 'ResumeCluster']
  )
})

t.test('PUT resumes a paused cluster', async (t) => {
  const { emulator, run } = await startDeployment(t)
  await run('provision')
  await run('pause')
  await run('provision')
  t.equal(emulator.state.clusters[0]?.status, 'available')
})

t.test('the teardown leaves nothing behind', async (t) => {
  const { emulator, run, provider } = await startDeployment(t)
  await run('provision')
  const { steps, result, events } = await run('teardown')
  t.same(steps, ['identity', 'resume', 'delete', 'gone', 'network', 'role'])
  t.same(result, { final_snapshot: null, snapshots_left: [] })
  t.same(emulator.costing(), [])
  t.match(await provider.describe(), { status: 'absent', ownership: 'none', resources: [] })
  t.match(events[0]?.message, /^AWS account/)
  t.same(
    (await run('teardown')).result,
    { final_snapshot: null, snapshots_left: [] },
    'repeated, it does nothing'
  )
})

t.test('a final snapshot is made when it is wanted, and named', async (t) => {
  const { emulator, run } = await startDeployment(t)
  await run('provision')
  const { result, events } = await run('teardown', { finalSnapshot: true })
  t.same(result, { final_snapshot: 'sparkify-final-job0193aa', snapshots_left: [] })
  t.same(
    emulator.costing().map(({ kind, id }) => ({ kind, id })),
    [{ kind: 'snapshot', id: 'sparkify-final-job0193aa' }]
  )
  t.match(events.at(-1)?.message, /Snapshots stay.*: sparkify-final-job0193aa$/)
})

t.test('a paused cluster is resumed first, so that nothing is lost', async (t) => {
  const { emulator, run } = await startDeployment(t)
  await run('provision')
  await run('pause')
  const calls = emulator.calls.length
  const { result } = await run('teardown', { finalSnapshot: true })
  t.same(changesIn(emulator, calls).slice(0, 2), ['ResumeCluster', 'DeleteCluster'])
  t.equal(result?.final_snapshot, 'sparkify-final-job0193aa')
})
