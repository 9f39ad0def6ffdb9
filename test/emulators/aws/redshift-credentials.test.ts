import {
  DeleteClusterCommand,
  DescribeClustersCommand,
  GetClusterCredentialsCommand,
  type GetClusterCredentialsCommandInput,
  GetClusterCredentialsWithIAMCommand,
  PauseClusterCommand
} from '@aws-sdk/client-redshift'
import t from 'tap'
import { createAvailableCluster, refuses, startAws, type TestAws } from './fixture.ts'

const ClusterIdentifier = 'sparkify'
const get = ({ redshift }: TestAws, input: Partial<GetClusterCredentialsCommandInput> = {}) =>
  redshift.send(new GetClusterCredentialsCommand({ ClusterIdentifier, DbUser: 'awsuser', ...input }))

t.test('temporary credentials open the cluster until they expire', async (t) => {
  const aws = await startAws(t)
  const { emulator } = aws
  await createAvailableCluster(aws)
  const first = await get(aws, { DurationSeconds: 900 })
  t.equal(first.DbUser, 'IAM:awsuser')
  t.same(first.Expiration, new Date(Date.parse('2026-01-02T03:04:15Z') + 900_000))
  t.equal(emulator.authenticate('IAM:awsuser'), first.DbPassword)
  aws.pass(1000)
  const second = await get(aws, { DurationSeconds: 3600 })
  t.not(second.DbPassword, first.DbPassword)
  t.equal(emulator.authenticate('IAM:awsuser'), second.DbPassword)
  const passwords = () => emulator.credentials('IAM:awsuser').map(({ password }) => password)
  t.same(passwords(), [second.DbPassword, first.DbPassword])
  aws.pass(899_000)
  t.same(passwords(), [second.DbPassword])
  emulator.expireCredentials()
  t.same(passwords(), [])
  t.equal(emulator.authenticate('IAM:awsuser'), undefined)
  t.same(emulator.credentials('awsuser'), [
    {
      cluster: 'sparkify',
      user: 'awsuser',
      password: 'Correct-horse-1',
      expires: null,
      dbUser: 'awsuser',
      dbGroups: []
    }
  ])
})

t.test('a user that does not exist gets credentials that open nothing', async (t) => {
  const aws = await startAws(t)
  const { emulator } = aws
  await createAvailableCluster(aws)
  const { DbUser } = await get(aws, { DbUser: 'loader' })
  t.equal(DbUser, 'IAM:loader')
  t.equal(emulator.authenticate('IAM:loader'), undefined)
  emulator.createDbUser('sparkify', 'loader')
  t.ok(emulator.authenticate('IAM:loader'))
  const created = await get(aws, { DbUser: 'other', AutoCreate: true, DbGroups: ['loaders'] })
  t.equal(created.DbUser, 'IAMA:other')
  t.match(emulator.credentials('IAMA:other'), [{ password: created.DbPassword, dbGroups: ['loaders'] }])
})

t.test('credentials for the caller itself', async (t) => {
  const asUser = await startAws(t)
  await createAvailableCluster(asUser)
  const ask = ({ redshift }: TestAws, input = {}) =>
    redshift.send(new GetClusterCredentialsWithIAMCommand({ ClusterIdentifier, ...input }))
  const user = await ask(asUser)
  t.equal(user.DbUser, 'IAM:sparkify-operator')
  t.equal(asUser.emulator.authenticate('IAM:sparkify-operator'), user.DbPassword)
  await refuses(t, ask(asUser, { ClusterIdentifier: undefined }), { name: 'UnsupportedOperationFault' })
  const arn = 'arn:aws:sts::123456789012:assumed-role/deployer/session'
  const asRole = await startAws(t, { identity: { arn, sessionToken: 'token' } })
  await createAvailableCluster(asRole)
  const role = await ask(asRole)
  t.equal(role.DbUser, 'IAMR:deployer')
  t.equal(asRole.emulator.authenticate('IAMR:deployer', 'sparkify'), role.DbPassword)
})

t.test('wrong requests are refused', async (t) => {
  const aws = await startAws(t)
  await createAvailableCluster(aws)
  const refused: [Partial<GetClusterCredentialsCommandInput>, name: string][] = [
    [{ ClusterIdentifier: 'none' }, 'ClusterNotFoundFault'],
    [{ DurationSeconds: 899 }, 'InvalidParameterValue'],
    [{ DurationSeconds: 3601 }, 'InvalidParameterValue'],
    [{ DbUser: undefined }, 'MissingParameter'],
    [{ DbUser: 'a:b' }, 'InvalidParameterValue'],
    [{ DbUser: 'select' }, 'InvalidParameterValue']
  ]
  for (const [input, name] of refused) await refuses(t, get(aws, input), { name }, JSON.stringify(input))
})

t.test('what cannot be reached cannot be logged in to', async (t) => {
  const aws = await startAws(t)
  const { emulator, redshift } = aws
  t.equal(emulator.takesConnections('sparkify'), false, 'not there')
  await createAvailableCluster(aws)
  await get(aws)
  t.equal(emulator.takesConnections('sparkify'), true)
  await redshift.send(new PauseClusterCommand({ ClusterIdentifier }))
  aws.pass(10_000)
  t.equal(emulator.takesConnections('sparkify'), false)
  t.equal(emulator.authenticate('awsuser'), undefined)
  emulator.setClusterStatus('sparkify', 'available')
  t.ok(emulator.authenticate('IAM:awsuser'))
  await redshift.send(new DeleteClusterCommand({ ClusterIdentifier, SkipFinalClusterSnapshot: true }))
  aws.pass(10_000)
  await createAvailableCluster(aws)
  t.equal(emulator.authenticate('IAM:awsuser'), undefined, 'credentials go with their cluster')
})

t.test('the endpoint can point anywhere', async (t) => {
  const aws = await startAws(t, { redshiftEndpoint: { host: '127.0.0.1', port: 12345 } })
  await createAvailableCluster(aws)
  const endpoint = async () =>
    (await aws.redshift.send(new DescribeClustersCommand())).Clusters?.[0]?.Endpoint
  t.match(await endpoint(), { Address: '127.0.0.1', Port: 12345 })
  aws.emulator.redshiftEndpoint = { host: 'localhost', port: 23456 }
  t.match(await endpoint(), { Address: 'localhost', Port: 23456 })
  t.same(aws.emulator.redshiftEndpoint, { host: 'localhost', port: 23456 })
})
