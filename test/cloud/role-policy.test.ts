import t from 'tap'
import { isSamePolicy, readPolicy, trustPolicy } from '../../src/cloud/role-policy.ts'

t.test('exactly the prefixes and objects may be read', async (t) => {
  const policy = readPolicy('us-west-2', {
    prefixes: ['s3://b/logs', 's3://b/logs/', 's3://a/x/y/'],
    objects: ['s3://b/paths.json']
  })
  t.same(policy.Statement, [
    { Effect: 'Allow', Action: 's3:GetBucketLocation', Resource: ['arn:aws:s3:::a', 'arn:aws:s3:::b'] },
    {
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: 'arn:aws:s3:::a',
      Condition: { StringLike: { 's3:prefix': ['x/y', 'x/y/*'] } }
    },
    {
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: 'arn:aws:s3:::b',
      Condition: { StringLike: { 's3:prefix': ['logs', 'logs/*', 'paths.json'] } }
    },
    {
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: ['arn:aws:s3:::a/x/y/*', 'arn:aws:s3:::b/logs/*', 'arn:aws:s3:::b/paths.json']
    }
  ])
})

t.test('a whole bucket is a prefix too', async (t) => {
  const { Statement } = readPolicy('us-west-2', { prefixes: ['s3://b'], objects: [] })
  t.same(Statement.slice(1), [
    { Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::b' },
    { Effect: 'Allow', Action: 's3:GetObject', Resource: ['arn:aws:s3:::b/*'] }
  ])
})

t.test('what IAM would interpret in a key is taken literally', async (t) => {
  const { Statement } = readPolicy('us-west-2', { prefixes: [`s3://b/*/\${aws:userid}?`], objects: [] })
  t.same(Statement.at(-1)?.Resource, [`arn:aws:s3:::b/\${*}/\${$}{aws:userid}\${?}/*`])
})

t.test('other partitions have ARNs of their own', async (t) => {
  for (const [region, partition] of [
    ['cn-north-1', 'aws-cn'],
    ['us-gov-west-1', 'aws-us-gov'],
    ['eu-west-1', 'aws']
  ] as const) {
    const { Statement } = readPolicy(region, { prefixes: ['s3://b/x/'], objects: [] })
    t.same(Statement.at(-1)?.Resource, [`arn:${partition}:s3:::b/x/*`])
  }
})

t.test('documents are compared by what they say', async (t) => {
  const [statement] = trustPolicy.Statement
  t.ok(
    isSamePolicy(trustPolicy, {
      Statement: { ...statement, Action: ['sts:AssumeRole'] },
      Version: '2012-10-17'
    })
  )
  t.notOk(isSamePolicy(trustPolicy, { ...trustPolicy, Statement: [] }))
  t.notOk(isSamePolicy(trustPolicy, undefined))
})
