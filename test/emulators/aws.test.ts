import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { DescribeInstancesCommand, DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2'
import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam'
import {
  CreateClusterCommand,
  DeleteClusterCommand,
  DescribeClustersCommand,
  RebootClusterCommand,
  RedshiftClient
} from '@aws-sdk/client-redshift'
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import t from 'tap'
import {
  createAvailableCluster,
  createClients,
  createRole,
  goodCluster,
  refuses,
  startAws
} from './aws/fixture.ts'

const whoAmI = ({ sts }: { sts: STSClient }) => sts.send(new GetCallerIdentityCommand())

t.test('the caller is who the emulator says', async (t) => {
  const aws = await startAws(t, { account: '999999999999', region: 'eu-central-1' })
  t.match(await whoAmI(aws), {
    Account: '999999999999',
    Arn: 'arn:aws:iam::999999999999:user/sparkify-operator',
    UserId: /^AIDA/
  })
  const identity = { arn: 'arn:aws:sts::1:assumed-role/deployer/ci', sessionToken: 'session-token' }
  const asRole = await startAws(t, { identity })
  t.equal((await whoAmI(asRole)).Arn, identity.arn)
  const { accessKeyId, secretAccessKey } = asRole.emulator.client.credentials
  const withoutToken = createClients(t, asRole.emulator, { credentials: { accessKeyId, secretAccessKey } })
  await refuses(t, whoAmI(withoutToken), { name: 'InvalidClientTokenId', status: 403 }, 'no session token')
})

t.test('every service refuses wrong signatures in its own way', async (t) => {
  const { emulator } = await startAws(t)
  const { accessKeyId, secretAccessKey } = emulator.client.credentials
  const wrongKey = { credentials: { accessKeyId: 'AKIAUNKNOWN', secretAccessKey } }
  const wrongSecret = { credentials: { accessKeyId, secretAccessKey: 'wrong' } }
  const unsigned = { signer: { sign: async (request: object) => request } }
  const wrongRegion = { region: 'eu-central-1' }
  const query = async (options: object, name: string) => {
    const clients = createClients(t, emulator, options)
    await refuses(t, whoAmI(clients), { name, status: 403 }, `sts: ${name}`)
    await refuses(
      t,
      clients.iam.send(new GetRoleCommand({ RoleName: 'x' })),
      { name, status: 403 },
      `iam: ${name}`
    )
    const describe = clients.redshift.send(new DescribeClustersCommand())
    await refuses(t, describe, { name, status: 403 }, `redshift: ${name}`)
    const vpcs = clients.ec2.send(new DescribeVpcsCommand())
    await refuses(t, vpcs, { name: 'AuthFailure', status: 401 }, `ec2: ${name}`)
  }
  await query(wrongKey, 'InvalidClientTokenId')
  await query(wrongSecret, 'SignatureDoesNotMatch')
  await query(unsigned, 'MissingAuthenticationToken')
  const elsewhere = createClients(t, emulator, wrongRegion)
  const describe = elsewhere.redshift.send(new DescribeClustersCommand())
  await refuses(t, describe, { name: 'SignatureDoesNotMatch' }, 'another region')
  t.ok(await whoAmI(elsewhere), 'STS is everywhere')
  const forged = await fetch(emulator.url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Basic eDp5' },
    body: 'Action=GetCallerIdentity&Version=2011-06-15'
  })
  t.equal(forged.status, 403)
})

t.test('what the emulator does not know it refuses', async (t) => {
  const aws = await startAws(t)
  const reboot = new RebootClusterCommand({ ClusterIdentifier: 'sparkify' })
  await refuses(t, aws.redshift.send(reboot), {
    name: 'InvalidAction',
    status: 400,
    message: 'The action RebootCluster is not valid for this web service.'
  })
  await refuses(t, aws.ec2.send(new DescribeInstancesCommand()), { name: 'InvalidAction', status: 400 })
})

t.test('the environment is all that a process needs', async (t) => {
  const child = spawn(process.execPath, [new URL('./aws.ts', import.meta.url).pathname])
  t.teardown(() => child.kill())
  const env: Record<string, string> = {}
  for await (const line of createInterface({ input: child.stdout })) {
    const [name = '', value = ''] = line.split(/=(.*)/s)
    env[name] = value
    if (name === 'AWS_SESSION_TOKEN') break
  }
  const before = { ...process.env }
  Object.assign(process.env, env)
  t.teardown(() => {
    for (const name of Object.keys(env)) delete process.env[name]
    Object.assign(process.env, before)
  })
  const clients = [new STSClient(), new IAMClient(), new EC2Client(), new RedshiftClient()] as const
  const [sts, iam, ec2, redshift] = clients
  t.teardown(() => {
    for (const client of clients) client.destroy()
  })
  t.equal((await sts.send(new GetCallerIdentityCommand())).Account, '123456789012')
  await refuses(t, iam.send(new GetRoleCommand({ RoleName: 'x' })), { name: 'NoSuchEntityException' })
  t.equal((await ec2.send(new DescribeVpcsCommand())).Vpcs?.length, 2)
  t.same((await redshift.send(new DescribeClustersCommand())).Clusters, [])
  child.kill()
  await once(child, 'exit')
})

t.test('calls are recorded with everything in them', async (t) => {
  const aws = await startAws(t)
  const { calls } = aws.emulator
  await aws.redshift.send(new CreateClusterCommand(goodCluster))
  await refuses(t, aws.redshift.send(new CreateClusterCommand(goodCluster)), {
    name: 'ClusterAlreadyExistsFault'
  })
  aws.emulator.s3.createBucket('dend')
  await aws.s3.send(new ListObjectsV2Command({ Bucket: 'dend', Prefix: 'log_data/' }))
  t.match(calls, [
    { service: 'redshift', operation: 'CreateCluster', status: 200, code: undefined, faults: [] },
    { service: 'redshift', operation: 'CreateCluster', status: 400, code: 'ClusterAlreadyExists' },
    { service: 's3', operation: 'ListObjectsV2', params: { Bucket: 'dend', prefix: 'log_data/' } }
  ])
  t.equal(calls[0]?.params.MasterUserPassword, 'Correct-horse-1', 'a canary would be seen')
  t.match(calls[0]?.headers.authorization, /^AWS4-HMAC-SHA256/)
})

t.test('what is left over is listed, but not what was there before', async (t) => {
  const aws = await startAws(t)
  await createRole(aws, 'theirs')
  aws.emulator.startCosting()
  await createRole(aws, 'ours')
  await createAvailableCluster(aws)
  t.same(
    aws.emulator.costing().map(({ kind, id, costsMoney }) => [kind, id, costsMoney]),
    [
      ['cluster', 'sparkify', true],
      ['role', 'ours', false]
    ]
  )
  const FinalClusterSnapshotIdentifier = 'last'
  await aws.redshift.send(
    new DeleteClusterCommand({ ClusterIdentifier: 'sparkify', FinalClusterSnapshotIdentifier })
  )
  t.match(aws.emulator.costing()[0], { kind: 'cluster', detail: '4 x ra3.large, final-snapshot' })
  aws.pass(20_000)
  t.match(aws.emulator.costing(), [{ kind: 'snapshot', id: 'last', costsMoney: true }, { id: 'ours' }])
})

t.test('offline: connections are refused until it is back, with everything it had', async (t) => {
  const aws = await startAws(t)
  await createRole(aws)
  await aws.emulator.goOffline()
  await aws.emulator.goOffline()
  // A client that had connected before might see its old connection break instead.
  const { iam } = createClients(t, aws.emulator)
  const getRole = () => iam.send(new GetRoleCommand({ RoleName: 'dwh' }))
  await refuses(t, getRole(), { name: 'Error', message: /ECONNREFUSED/ })
  await aws.emulator.goOnline()
  await aws.emulator.goOnline()
  t.equal((await getRole()).Role?.RoleName, 'dwh')
})

t.test('a broken upload leaves nothing behind', async (t) => {
  const aws = await startAws(t)
  aws.emulator.s3.createBucket('dend')
  aws.emulator.inject({ operation: 'PutObject', fault: { kind: 'refused' } })
  const put = new PutObjectCommand({ Bucket: 'dend', Key: 'manifest', Body: '{}' })
  await refuses(t, aws.s3.send(put), { name: 'Error' })
  t.same(aws.emulator.s3.keys('dend'), [])
})
