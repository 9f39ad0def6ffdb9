/** What the account or AWS refuses: each with its own code and advice. */
import t from 'tap'
import { type ErrorCode, ServiceError } from '../../src/errors.ts'
import type { Injection } from '../emulators/aws.ts'
import { changesIn, startDeployment } from './fixture.ts'

t.test('ingress from everywhere is refused unless it is insisted on', async (t) => {
  for (const range of ['0.0.0.0/0', '::/0', '203.0.113.7/0']) {
    const {
      emulator,
      run,
      provider,
      with: withEnv
    } = await startDeployment(t, { env: { INGRESS_CIDRS: range } })
    await t.rejects(provider.plan(), { code: 'open_ingress_refused', message: /ALLOW_OPEN_INGRESS=true/ })
    await t.rejects(run('provision'), { code: 'open_ingress_refused' })
    t.same(changesIn(emulator), [], 'nothing is created')
    await withEnv({ ALLOW_OPEN_INGRESS: 'true' }).run('provision')
    t.equal(emulator.state.clusters.length, 1)
  }
})

t.test('without a default VPC a subnet group is needed', async (t) => {
  const aws = { defaultVpc: false, subnetGroups: ['private'] }
  const { emulator, run, with: withEnv } = await startDeployment(t, { aws })
  await t.rejects(run('provision'), { code: 'network_not_found', message: /name it in SUBNET_GROUP_NAME/ })
  await t.rejects(withEnv({ SUBNET_GROUP_NAME: 'nope' }).run('provision'), {
    code: 'network_not_found',
    message: /no cluster subnet group nope/
  })
  await withEnv({ SUBNET_GROUP_NAME: 'private' }).run('provision')
  t.equal(emulator.state.clusters[0]?.subnetGroup, 'private')
  t.equal(emulator.state.groups[0]?.vpcId, emulator.state.clusters[0]?.vpcId)
})

/** What AWS answers to one call, and what becomes of it. */
const refusals: [Omit<Injection, 'times'>, ErrorCode, RegExp][] = [
  [
    { operation: 'CreateCluster', fault: { kind: 'insufficient-capacity' } },
    'insufficient_capacity',
    /another NODE_TYPE/
  ],
  [
    { operation: 'CreateCluster', fault: { kind: 'quota-exceeded' } },
    'quota_exceeded',
    /maximum number of clusters.*Service Quotas/
  ],
  [
    {
      operation: 'CreateCluster',
      fault: {
        kind: 'error',
        code: 'NumberOfNodesQuotaExceeded',
        message: 'You do not have access to node type'
      }
    },
    'quota_exceeded',
    /You do not have access to node type/
  ],
  [
    { operation: 'CreateRole', fault: { kind: 'access-denied' } },
    'aws_access_denied',
    /^The service may not perform iam:CreateRole\. Add the permission/
  ],
  [
    {
      operation: 'CreateCluster',
      fault: {
        kind: 'error',
        code: 'AccessDenied',
        status: 403,
        message:
          'User: arn:aws:iam::123456789012:user/x is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/sparkify-redshift because no identity-based policy allows the iam:PassRole action'
      }
    },
    'aws_access_denied',
    /may not perform iam:PassRole on arn:aws:iam::123456789012:role\/sparkify-redshift, which redshift:CreateCluster needs/
  ],
  [
    { operation: 'CreateSecurityGroup', fault: { kind: 'access-denied' } },
    'aws_access_denied',
    /may not perform ec2:CreateSecurityGroup/
  ],
  [
    { operation: 'GetCallerIdentity', fault: { kind: 'expired-token' } },
    'aws_credentials_invalid',
    /Renew them/
  ],
  [{ service: 'ec2', fault: { kind: 'expired-token' } }, 'aws_credentials_invalid', /Renew them/],
  [
    {
      operation: 'GetCallerIdentity',
      fault: {
        kind: 'error',
        code: 'SignatureDoesNotMatch',
        status: 403,
        message: 'x-amz-security-token:SECRET'
      }
    },
    'aws_credentials_invalid',
    /^sts:GetCallerIdentity failed \(SignatureDoesNotMatch\)\. The credentials are/
  ],
  [{ operation: 'CreateRole', fault: { kind: 'throttle' } }, 'aws_throttled', /tried again/],
  [{ operation: 'DescribeVpcs', fault: { kind: 'throttle' } }, 'aws_throttled', /tried again/],
  [{ operation: 'CreateCluster', fault: { kind: 'http', status: 503 } }, 'aws_unavailable', /tried again/],
  [{ operation: 'CreateCluster', fault: { kind: 'refused' } }, 'aws_unavailable', /tried again/],
  [
    {
      operation: 'CreateCluster',
      fault: { kind: 'error', code: 'InvalidParameterCombination', message: 'No such combination.' }
    },
    'aws_request_refused',
    /InvalidParameterCombination: No such combination\)\. Check the settings/
  ],
  [
    {
      operation: 'AuthorizeSecurityGroupIngress',
      fault: { kind: 'error', code: 'RulesPerSecurityGroupLimitExceeded', message: 'Too many rules.' }
    },
    'quota_exceeded',
    /Too many rules/
  ],
  [
    { operation: 'CreateCluster', fault: { kind: 'failed-creation' } },
    'cluster_failed',
    /incompatible-network\. Check the subnet group/
  ],
  [
    { operation: 'CreateCluster', fault: { kind: 'slow-creation', ms: 24 * 3_600_000 } },
    'cluster_not_ready',
    /still creating after 75 minutes/
  ]
]

t.test(
  'what AWS refuses has a code and an advice of its own, and the next run goes on',
  { timeout: 100_000 },
  async (t) => {
    for (const [injection, code, detail] of refusals) {
      // One try, so that the SDK's own patience does not take the test's time.
      const { emulator, run } = await startDeployment(t, {
        clients: { maxAttempts: 1 },
        aws: { delays: { rolePropagation: 0 } }
      })
      const injected = emulator.inject({ ...injection, times: 1 })
      await t.rejects(
        run('provision'),
        { code, message: detail },
        `${injection.operation} ${injection.fault.kind}`
      )
      t.equal(injected.hits, 1)
      if (code !== 'cluster_failed' && code !== 'cluster_not_ready') {
        await run('provision')
        t.equal(emulator.state.clusters[0]?.status, 'available')
      }
      await emulator.close()
    }
  }
)

t.test('a new role is waited for, but not for ever', async (t) => {
  const slow = await startDeployment(t, { aws: { delays: { rolePropagation: 90_000 } } })
  await slow.run('provision')
  const tries = slow.emulator.calls.filter(({ operation }) => operation === 'CreateCluster')
  t.ok(tries.length > 5)
  t.equal(tries.at(-1)?.status, 200)

  const never = await startDeployment(t, { aws: { delays: { rolePropagation: 3_600_000 } } })
  await t.rejects(never.run('provision'), { code: 'iam_role_not_visible', message: /within 120 s/ })
})

t.test('a cluster that nothing gets through to says what to do', async (t) => {
  const away = new ServiceError('warehouse_unavailable', 'The connection to Redshift timed out.')
  const { run, statements, provider } = await startDeployment(t, { refusal: () => away })
  await t.rejects(run('provision'), {
    code: 'cluster_unreachable',
    message: /Run the service inside its VPC, open a tunnel.*\(The connection to Redshift timed out\.\)$/
  })
  t.ok(statements.length > 10, 'it was tried for a while')
  t.match(await provider.describe(), { status: 'available', isolation_level: null })
})

t.test('a cluster that is slow to answer is waited for; a wrong login is not tried again', async (t) => {
  let refusals = 3
  const slow = () => {
    refusals -= 1
    return refusals >= 0 ? new ServiceError('warehouse_unavailable', 'Not yet.') : undefined
  }
  await (await startDeployment(t, { refusal: slow })).run('provision')

  const refused = new ServiceError('warehouse_login_failed', 'Redshift refused the login.')
  const { run, statements } = await startDeployment(t, { refusal: () => refused })
  await t.rejects(run('provision'), { code: 'warehouse_login_failed' })
  t.equal(statements.length, 1, 'five wrong passwords lock the user')
})
