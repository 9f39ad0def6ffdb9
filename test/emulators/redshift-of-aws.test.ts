/** Both emulators together: the cluster that one tells of is the one that the other plays. */
import { PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { GetClusterCredentialsCommand, ModifyClusterIamRolesCommand } from '@aws-sdk/client-redshift'
import t from 'tap'
import { createAvailableCluster, createRole, goodCluster, startAws } from './aws/fixture.ts'
import { startRedshift } from './redshift/fixture.ts'
import { clusterOfAws } from './redshift/of-aws.ts'

t.test('logins, roles and objects are those of the AWS emulator', async (t) => {
  const aws = await startAws(t)
  const roleArn = await createRole(aws)
  await createAvailableCluster(aws, { IamRoles: [roleArn] })
  aws.emulator.s3.createBucket('bucket')
  aws.emulator.s3.put('bucket', 'data/a.json', '{"n": 1}')
  const { connect } = await startRedshift(t, clusterOfAws(aws.emulator, 'sparkify'))

  const master = { user: goodCluster.MasterUsername, password: goodCluster.MasterUserPassword }
  const session = await connect(master)
  await session.run('create table numbers (n integer)')
  const copy = (role = roleArn) => `copy numbers from 's3://bucket/data/' iam_role '${role}' json 'auto'`
  t.match(await session.fails(copy()), { message: /^S3ServiceException:Access Denied,Status 403/ })
  const policy = (resource: string) =>
    aws.iam.send(
      new PutRolePolicyCommand({
        RoleName: 'dwh',
        PolicyName: 'read',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::bucket' },
            { Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::bucket/${resource}` }
          ]
        })
      })
    )
  await policy('other/*')
  t.match(await session.fails(copy()), { message: /^S3ServiceException:Access Denied,Status 403/ })
  await policy('data/*')
  await session.run(copy())
  t.same(await session.run('select n from numbers'), [{ n: 1 }])
  t.match(await session.fails(copy(roleArn.replace('/dwh', '/none'))), {
    message: /not authorized to assume/
  })
  await aws.redshift.send(
    new ModifyClusterIamRolesCommand({ ClusterIdentifier: 'sparkify', RemoveIamRoles: [roleArn] })
  )
  aws.pass(60_000)
  t.match(await session.fails(copy()), { message: /not authorized to assume IAM Role/ })

  const issued = await aws.redshift.send(
    new GetClusterCredentialsCommand({
      ClusterIdentifier: 'sparkify',
      DbUser: 'etl',
      AutoCreate: true,
      DurationSeconds: 900
    })
  )
  const temporary = { user: issued.DbUser, password: issued.DbPassword }
  const { run } = await connect(temporary)
  t.same(await run('select current_user as u'), [{ u: 'etl' }])
  aws.pass(901_000)
  t.same(await run('select 1 as a'), [{ a: 1 }], 'a session outlives its password')
  await t.rejects(connect(temporary), { code: '28P01' })
  aws.emulator.setClusterStatus('sparkify', 'paused')
  await t.rejects(connect(master))
})
