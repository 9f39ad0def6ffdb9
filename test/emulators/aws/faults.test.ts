/** Every scripted fault, as the SDK meets it. */
import { DescribeVpcsCommand } from '@aws-sdk/client-ec2'
import { CreateRoleCommand, GetRoleCommand } from '@aws-sdk/client-iam'
import {
  CreateClusterCommand,
  DeleteClusterCommand,
  DescribeClustersCommand,
  PauseClusterCommand,
  ResumeClusterCommand
} from '@aws-sdk/client-redshift'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import t from 'tap'
import type { Fault } from '../aws.ts'
import {
  clusterStatus,
  createAvailableCluster,
  createClients,
  goodCluster,
  refuses,
  startAws,
  type TestAws,
  trust
} from './fixture.ts'

const ClusterIdentifier = 'sparkify'
const create = ({ redshift }: Pick<TestAws, 'redshift'>) =>
  redshift.send(new CreateClusterCommand(goodCluster))

/** One harmless call to each service. */
const probes = {
  sts: ({ sts }: TestAws) => sts.send(new GetCallerIdentityCommand()),
  iam: ({ iam }: TestAws) => iam.send(new GetRoleCommand({ RoleName: 'dwh' })),
  ec2: ({ ec2 }: TestAws) => ec2.send(new DescribeVpcsCommand()),
  redshift: ({ redshift }: TestAws) => redshift.send(new DescribeClustersCommand()),
  s3: ({ s3 }: TestAws) => s3.send(new ListObjectsV2Command({ Bucket: 'dend' }))
}
type Service = keyof typeof probes

async function startWithEverything(t: Parameters<typeof startAws>[0]): Promise<TestAws> {
  const aws = await startAws(t)
  await aws.iam.send(new CreateRoleCommand({ RoleName: 'dwh', AssumeRolePolicyDocument: trust }))
  aws.emulator.s3.createBucket('dend')
  return aws
}

t.test('errors that every service has, in the words of each', async (t) => {
  const aws = await startWithEverything(t)
  const cases: [fault: Fault, expected: Record<Service, [name: string, status: number]>][] = [
    [
      { kind: 'throttle' },
      {
        sts: ['Throttling', 400],
        iam: ['Throttling', 400],
        ec2: ['RequestLimitExceeded', 503],
        redshift: ['Throttling', 400],
        s3: ['SlowDown', 503]
      }
    ],
    [
      { kind: 'http', status: 503 },
      {
        sts: ['ServiceUnavailable', 503],
        iam: ['ServiceUnavailable', 503],
        ec2: ['Unavailable', 503],
        redshift: ['ServiceUnavailable', 503],
        s3: ['ServiceUnavailable', 503]
      }
    ],
    [
      { kind: 'http', status: 500 },
      {
        sts: ['InternalFailure', 500],
        iam: ['InternalFailure', 500],
        ec2: ['InternalError', 500],
        redshift: ['InternalFailure', 500],
        s3: ['InternalError', 500]
      }
    ],
    [
      { kind: 'expired-token' },
      {
        sts: ['ExpiredToken', 403],
        iam: ['ExpiredToken', 403],
        ec2: ['RequestExpired', 400],
        redshift: ['ExpiredToken', 403],
        s3: ['ExpiredToken', 400]
      }
    ],
    [
      { kind: 'access-denied' },
      {
        sts: ['AccessDenied', 403],
        iam: ['AccessDenied', 403],
        ec2: ['UnauthorizedOperation', 403],
        redshift: ['AccessDenied', 403],
        s3: ['AccessDenied', 403]
      }
    ]
  ]
  for (const [fault, expected] of cases) {
    for (const [name, probe] of Object.entries(probes)) {
      const service = name as Service
      aws.emulator.inject({ service, fault })
      const [error, status] = expected[service]
      await refuses(t, probe(aws), { name: error, status }, `${service}: ${fault.kind}`)
      t.ok(await probe(aws), `${service}: only once`)
      t.same(aws.emulator.calls.at(-2)?.faults, [fault.kind])
    }
  }
})

t.test('any error can be scripted', async (t) => {
  const aws = await startAws(t)
  const fault: Fault = { kind: 'error', code: 'DependentServiceUnavailable', message: 'later', status: 409 }
  aws.emulator.inject({ operation: 'CreateCluster', fault })
  const name = 'DependentServiceUnavailableFault'
  await refuses(t, create(aws), { name: 'DependentServiceUnavailable', status: 409, message: 'later' }, name)
  t.same(aws.emulator.state.clusters, [])
})

t.test('a permission can be missing that is not named like the operation', async (t) => {
  const aws = await startAws(t)
  const resource = 'arn:aws:iam::123456789012:role/dwh'
  const fault: Fault = { kind: 'access-denied', action: 'iam:PassRole', resource }
  aws.emulator.inject({ operation: 'CreateCluster', fault })
  const message = new RegExp(
    `user/sparkify-operator is not authorized to perform: iam:PassRole on resource: ${resource} `
  )
  await refuses(t, create(aws), { name: 'AccessDenied', status: 403, message })
})

t.test('which calls are hit', async (t) => {
  const aws = await startAws(t)
  const fault: Fault = { kind: 'access-denied' }
  const injection = aws.emulator.inject({
    service: 'redshift',
    operation: 'DescribeClusters',
    after: 1,
    times: 2,
    when: ({ ClusterIdentifier: asked }) => asked === undefined,
    fault
  })
  const works = async () => {
    try {
      await probes.redshift(aws)
      return true
    } catch {
      return false
    }
  }
  await refuses(t, clusterStatus(aws), { name: 'ClusterNotFoundFault' }, 'not what `when` asks for')
  t.ok(await probes.ec2(aws), 'another service')
  t.same([await works(), await works(), await works(), await works()], [true, false, false, true])
  t.equal(injection.hits, 2)
  const forever = aws.emulator.inject({ times: Number.POSITIVE_INFINITY, fault })
  t.same([await works(), await works()], [false, false])
  forever.remove()
  forever.remove()
  t.equal(await works(), true)
})

t.test('a lost response: done, but nobody heard', async (t) => {
  const aws = await startAws(t)
  aws.emulator.inject({ operation: 'CreateCluster', fault: { kind: 'lost-response' } })
  await refuses(t, create(aws), { name: 'Error', message: /socket hang up|ECONNRESET/ })
  t.equal(aws.emulator.state.clusters.length, 1)
  t.match(aws.emulator.calls.at(-1), { status: 0, faults: ['lost-response'] })
  aws.emulator.inject({ operation: 'DeleteCluster', fault: { kind: 'lost-response' } })
  const remove = new DeleteClusterCommand({ ClusterIdentifier, SkipFinalClusterSnapshot: true })
  await refuses(t, aws.redshift.send(remove), { name: 'Error' }, 'a refusal is lost too')
  t.match(aws.emulator.calls.at(-1), { status: 0, code: 'InvalidClusterState' })
})

t.test('a refused connection: nothing was done', async (t) => {
  const aws = await startAws(t)
  aws.emulator.inject({ operation: 'CreateCluster', fault: { kind: 'refused' } })
  await refuses(t, create(aws), { name: 'Error', message: /socket hang up|ECONNRESET/ })
  t.equal(aws.emulator.state.clusters.length, 0)
  t.equal((await create(aws)).Cluster?.ClusterStatus, 'creating')
})

t.test('the SDK tries again by itself: after a lost response the cluster is there already', async (t) => {
  const aws = await startAws(t)
  const clients = createClients(t, aws.emulator, { maxAttempts: 3 })
  aws.emulator.inject({ operation: 'CreateCluster', fault: { kind: 'lost-response' } })
  await refuses(t, create(clients), { name: 'ClusterAlreadyExistsFault' })
  aws.emulator.inject({ operation: 'DescribeClusters', times: 2, fault: { kind: 'throttle' } })
  const { Clusters, $metadata } = await clients.redshift.send(new DescribeClustersCommand())
  t.same([Clusters?.length, $metadata.attempts], [1, 3])
  aws.emulator.inject({ operation: 'DescribeClusters', fault: { kind: 'refused' } })
  t.equal((await clients.redshift.send(new DescribeClustersCommand())).$metadata.attempts, 2)
})

t.test('a delay', async (t) => {
  const aws = await startAws(t)
  aws.emulator.inject({ operation: 'GetCallerIdentity', fault: { kind: 'delay', ms: 50 } })
  const before = performance.now()
  await probes.sts(aws)
  t.ok(performance.now() - before >= 49)
  aws.emulator.inject({ operation: 'GetCallerIdentity', fault: { kind: 'delay', ms: 60_000 } })
  const impatient = aws.sts.send(new GetCallerIdentityCommand(), { abortSignal: AbortSignal.timeout(50) })
  await refuses(t, impatient, { name: 'AbortError' })
})

t.test("the test's own code around an operation", async (t) => {
  const aws = await startAws(t)
  const seen: unknown[] = []
  const look = (when: string) => () => seen.push([when, aws.emulator.state.clusters.length])
  aws.emulator.inject({
    operation: 'CreateCluster',
    fault: { kind: 'hook', before: look('before'), after: look('after') }
  })
  await create(aws)
  t.same(seen, [
    ['before', 0],
    ['after', 1]
  ])
})

t.test('faults of one call add up', async (t) => {
  const aws = await startAws(t)
  const operation = 'CreateCluster'
  let hooked = false
  const before = () => {
    hooked = true
  }
  aws.emulator.inject({ operation, fault: { kind: 'slow-creation', ms: 60_000 } })
  aws.emulator.inject({ operation, fault: { kind: 'hook', before } })
  aws.emulator.inject({ operation, fault: { kind: 'lost-response' } })
  await refuses(t, create(aws), { name: 'Error' })
  t.same(aws.emulator.calls[0]?.faults, ['slow-creation', 'hook', 'lost-response'])
  t.ok(hooked)
  aws.pass(59_999)
  t.equal(await clusterStatus(aws), 'creating')
  aws.pass(1)
  t.equal(await clusterStatus(aws), 'available')
})

t.test('failed creations', async (t) => {
  const aws = await startAws(t)
  const operation = 'CreateCluster'
  for (const status of [undefined, 'hardware-failure']) {
    aws.emulator.inject({ operation, fault: { kind: 'failed-creation', status } })
    await create(aws)
    aws.pass(10_000)
    const { Clusters } = await aws.redshift.send(new DescribeClustersCommand())
    const expected = status ?? 'incompatible-network'
    t.match(Clusters, [{ ClusterStatus: expected, ClusterAvailabilityStatus: 'Failed' }])
    const remove = new DeleteClusterCommand({ ClusterIdentifier, SkipFinalClusterSnapshot: true })
    await aws.redshift.send(remove)
    aws.pass(10_000)
    t.same(aws.emulator.costing(), [], 'what failed can be deleted')
  }
})

t.test('capacity and quota', async (t) => {
  const aws = await startAws(t)
  aws.emulator.inject({ operation: 'CreateCluster', fault: { kind: 'insufficient-capacity' } })
  await refuses(t, create(aws), { name: 'InsufficientClusterCapacityFault', status: 400 })
  aws.emulator.inject({ operation: 'CreateCluster', fault: { kind: 'quota-exceeded' } })
  await refuses(t, create(aws), { name: 'ClusterQuotaExceededFault', status: 400 })
  await createAvailableCluster(aws)
  await aws.redshift.send(new PauseClusterCommand({ ClusterIdentifier }))
  aws.pass(10_000)
  aws.emulator.inject({ operation: 'ResumeCluster', fault: { kind: 'insufficient-capacity' } })
  const resume = () => aws.redshift.send(new ResumeClusterCommand({ ClusterIdentifier }))
  await refuses(t, resume(), { name: 'InsufficientClusterCapacityFault' })
  t.equal(await clusterStatus(aws), 'paused')
  t.equal((await resume()).Cluster?.ClusterStatus, 'resuming')
})

t.test('any status can be set', async (t) => {
  const aws = await startAws(t)
  await create(aws)
  aws.emulator.setClusterStatus(ClusterIdentifier, 'storage-full')
  aws.pass(100_000)
  t.equal(await clusterStatus(aws), 'storage-full')
  aws.emulator.setClusterStatus(ClusterIdentifier, 'available')
  const { Clusters } = await aws.redshift.send(new DescribeClustersCommand())
  t.ok(Clusters?.[0]?.Endpoint)
})
