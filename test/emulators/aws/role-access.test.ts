import {
  AttachRolePolicyCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand
} from '@aws-sdk/client-iam'
import { ModifyClusterIamRolesCommand } from '@aws-sdk/client-redshift'
import t from 'tap'
import { createAvailableCluster, createRole, startAws, type TestAws, trust } from './fixture.ts'

const RoleName = 'dwh'
const roleArn = 'arn:aws:iam::123456789012:role/dwh'

async function startWithRole(t: Parameters<typeof startAws>[0], ...Statement: object[]): Promise<TestAws> {
  const aws = await startAws(t)
  await createRole(aws)
  if (Statement.length > 0) {
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
    await aws.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'read', PolicyDocument }))
  }
  await createAvailableCluster(aws, { IamRoles: [roleArn] })
  return aws
}

const ask = ({ emulator }: TestAws, action: string, path: string, prefix?: string) =>
  emulator.roleAccess({ cluster: 'sparkify', roleArn, action, resource: `arn:aws:s3:::${path}`, prefix })

t.test('a policy allows what it says and nothing else', async (t) => {
  const aws = await startWithRole(
    t,
    {
      Effect: 'Allow',
      Action: ['s3:ListBucket'],
      Resource: 'arn:aws:s3:::dend',
      Condition: { StringLike: { 's3:prefix': ['log_data', 'log_data/*'] } }
    },
    {
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: ['arn:aws:s3:::dend/log_data/*', `arn:aws:s3:::dend/a\${*}b?`]
    },
    { Effect: 'Deny', Action: 's3:*', Resource: 'arn:aws:s3:::dend/log_data/secret/*' },
    {
      Effect: 'Allow',
      Action: 's3:PutObject',
      Resource: '*',
      Condition: { Bool: { 'aws:SecureTransport': 'true' } }
    }
  )
  const cases: [action: string, path: string, prefix: string | undefined, expected: string][] = [
    ['s3:GetObject', 'dend/log_data/2018/x.json', undefined, 'allowed'],
    ['s3:getobject', 'dend/log_data/x', undefined, 'allowed'],
    ['s3:GetObject', 'dend/song_data/x', undefined, 'denied'],
    ['s3:GetObject', 'dend/log_data/secret/x', undefined, 'denied'],
    ['s3:GetObject', 'dend/a*bc', undefined, 'allowed'],
    ['s3:GetObject', 'dend/axbc', undefined, 'denied'],
    ['s3:GetObject', 'dend/a*bcd', undefined, 'denied'],
    ['s3:PutObject', 'dend/log_data/x', undefined, 'denied'],
    ['s3:ListBucket', 'dend', 'log_data/2018', 'allowed'],
    ['s3:ListBucket', 'dend', 'log_data', 'allowed'],
    ['s3:ListBucket', 'dend', 'song_data', 'denied'],
    ['s3:ListBucket', 'dend', undefined, 'denied'],
    ['s3:ListBucket', 'other', 'log_data', 'denied']
  ]
  for (const [action, path, prefix, expected] of cases) {
    t.equal(ask(aws, action, path, prefix), expected, `${action} ${path} ${prefix ?? ''}`)
  }
})

t.test('a managed policy', async (t) => {
  const aws = await startWithRole(t)
  t.equal(ask(aws, 's3:GetObject', 'dend/x'), 'denied')
  const PolicyArn = 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess'
  await aws.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }))
  t.equal(ask(aws, 's3:GetObject', 'dend/x'), 'allowed')
  t.equal(ask(aws, 's3:PutObject', 'dend/x'), 'denied')
})

t.test('a role has to be attached, and to trust Redshift', async (t) => {
  const aws = await startWithRole(t, { Effect: 'Allow', Action: '*', Resource: '*' })
  t.equal(ask(aws, 's3:GetObject', 'dend/x'), 'allowed')
  const request = { cluster: 'sparkify', roleArn, action: 's3:GetObject', resource: 'arn:aws:s3:::dend/x' }
  t.equal(aws.emulator.roleAccess({ ...request, cluster: 'other' }), 'not-assumable')
  const change = { ClusterIdentifier: 'sparkify', RemoveIamRoles: [roleArn] }
  await aws.redshift.send(new ModifyClusterIamRolesCommand(change))
  t.equal(ask(aws, 's3:GetObject', 'dend/x'), 'not-assumable', 'while it is being removed')
  aws.pass(10_000)
  await aws.redshift.send(
    new ModifyClusterIamRolesCommand({ ClusterIdentifier: 'sparkify', AddIamRoles: [roleArn] })
  )
  t.equal(ask(aws, 's3:GetObject', 'dend/x'), 'not-assumable', 'while it is being added')
  aws.pass(10_000)
  t.equal(ask(aws, 's3:GetObject', 'dend/x'), 'allowed')
  t.equal(aws.emulator.roleAccess({ ...request, roleArn: `${roleArn}2` }), 'not-assumable')
  const PolicyDocument = trust.replace('redshift.', 'ec2.')
  await aws.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }))
  t.equal(ask(aws, 's3:GetObject', 'dend/x'), 'not-assumable')
})
