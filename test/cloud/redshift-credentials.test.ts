/** Where to connect and as whom, for a cluster of ours, a tunnel to it, and somebody else's. */
import { join } from 'node:path'
import { CreateClusterCommand } from '@aws-sdk/client-redshift'
import t from 'tap'
import {
  createAttachedTarget,
  createManagedTarget,
  findRoleArn
} from '../../src/cloud/redshift-credentials.ts'
import { temporaryDirectory, writeFiles } from '../files.ts'
import { startDeployment } from './fixture.ts'

t.test('our cluster, with a new password for every connection', async (t) => {
  const { emulator, clients, config, run } = await startDeployment(t)
  const target = createManagedTarget(config, clients)
  await t.rejects(target(), { code: 'cluster_not_found' })
  await run('provision')

  const { password, ...place } = await target()
  t.match(place, { port: 5439, database: 'sparkify', user: 'IAM:sparkify_admin', serverName: undefined })
  t.match(place.host, /^sparkify\.\w+\.us-west-2\.redshift\.amazonaws\.com$/)
  t.equal(
    emulator.credentials('IAM:sparkify_admin', 'sparkify').length,
    0,
    'no password before it is asked for'
  )
  const [first, second] = [await password(), await password()]
  t.not(first, second)
  t.same(
    emulator.credentials('IAM:sparkify_admin', 'sparkify').map((login) => login.password),
    [second, first]
  )

  emulator.inject({ operation: 'GetClusterCredentials', fault: { kind: 'access-denied' } })
  await t.rejects(password(), { code: 'aws_access_denied', message: /redshift:GetClusterCredentials/ })
  t.equal(await findRoleArn(config, clients), `arn:aws:iam::${emulator.account}:role/sparkify-redshift`)
})

t.test('a cluster that takes no connections says why', async (t) => {
  const { emulator, clients, config, run } = await startDeployment(t)
  const target = createManagedTarget(config, clients)
  await run('provision')
  await run('pause')
  await t.rejects(target(), { code: 'cluster_paused', message: /POST \/v1\/cluster\/resume/ })
  emulator.setClusterStatus('sparkify', 'deleting')
  await t.rejects(target(), { code: 'cluster_not_found' })

  const other = await startDeployment(t)
  const creating = createManagedTarget(other.config, other.clients)
  other.emulator.inject({
    operation: 'DescribeClusters',
    after: 3,
    fault: {
      kind: 'hook',
      after: () => t.rejects(creating(), { code: 'warehouse_unavailable', message: /creating/ })
    }
  })
  await other.run('provision')
})

t.test('a cluster of our name that is not ours is not connected to', async (t) => {
  const { emulator, clients, config } = await startDeployment(t)
  await clients.redshift.send(
    new CreateClusterCommand({
      ...{ ClusterIdentifier: 'sparkify', NodeType: 'ra3.large', ClusterType: 'single-node' },
      ...{ MasterUsername: 'sparkify_admin', MasterUserPassword: 'Abcdefgh1' }
    })
  )
  await t.rejects(createManagedTarget(config, clients)(), { code: 'foreign_cluster' })
  t.notOk(emulator.calls.some(({ operation }) => operation === 'GetClusterCredentials'))
  await t.rejects(findRoleArn(config, clients), { code: 'iam_role_not_found' })
})

t.test('a tunnel to our cluster is checked against its true name', async (t) => {
  const { run, with: withEnv } = await startDeployment(t)
  await run('provision')
  const tunnel = { CLUSTER_MODE: 'managed', REDSHIFT_HOST: '127.0.0.1', REDSHIFT_PORT: '15439' }
  const { config, clients } = withEnv(tunnel)
  t.match(await createManagedTarget(config, clients)(), {
    host: '127.0.0.1',
    port: 15439,
    user: 'IAM:sparkify_admin',
    serverName: /^sparkify\.\w+\.us-west-2\.redshift\.amazonaws\.com$/
  })
  const named = withEnv({ ...tunnel, REDSHIFT_TLS_SERVER_NAME: 'other.example.com' })
  t.match(await createManagedTarget(named.config, clients)(), { serverName: 'other.example.com' })
})

t.test('an attached cluster, with its password or with credentials of IAM', async (t) => {
  const { emulator, clients, run, with: withEnv } = await startDeployment(t)
  const directory = temporaryDirectory(t)
  writeFiles(directory, { 'ca.pem': 'PEM' })
  const env = {
    REDSHIFT_HOST: 'dwh.example.com',
    REDSHIFT_DATABASE: 'dev',
    REDSHIFT_USER: 'dwhuser',
    IAM_ROLE_ARN: 'arn:aws:iam::123456789012:role/dwhRole',
    REDSHIFT_TLS_CA_FILE: join(directory, 'ca.pem')
  }
  const withPassword = withEnv({ ...env, REDSHIFT_PASSWORD: 'Passw0rd' }).config
  const { password, ...place } = await createAttachedTarget(withPassword, undefined)()
  t.same(place, {
    host: 'dwh.example.com',
    port: 5439,
    database: 'dev',
    user: 'dwhuser',
    serverName: undefined,
    ca: 'PEM'
  })
  t.equal(await password(), 'Passw0rd')
  t.equal(await findRoleArn(withPassword, clients), 'arn:aws:iam::123456789012:role/dwhRole')
  t.same(emulator.calls, [], 'nothing is asked of AWS')

  await run('provision')
  const login = await createAttachedTarget(withEnv(env).config, clients)()
  t.equal(login.user, 'IAM:dwhuser')
  emulator.createDbUser('sparkify', 'dwhuser')
  t.equal(await login.password(), emulator.authenticate('IAM:dwhuser', 'sparkify'))

  const missing = { ...withPassword, REDSHIFT_TLS_CA_FILE: '/none.pem' }
  t.throws(() => createAttachedTarget(missing, undefined), {
    name: 'ConfigError',
    message: /none.pem.*ENOENT/
  })
})
