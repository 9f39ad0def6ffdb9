import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListInstanceProfilesForRoleCommand,
  ListRolePoliciesCommand,
  ListRoleTagsCommand,
  PutRolePolicyCommand,
  RemoveRoleFromInstanceProfileCommand,
  TagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  waitUntilRoleExists
} from '@aws-sdk/client-iam'
import t from 'tap'
import { createRole, refuses, startAws, trust } from './fixture.ts'

const permissions = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::udacity-dend/*' }]
})
const readOnly = 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess'
const RoleName = 'dwh'

t.test('a role is created, shown with its documents URL-encoded, and deleted', async (t) => {
  const aws = await startAws(t)
  const { iam } = aws
  const created = await iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: trust,
      Description: 'reads <S3> & more',
      Tags: [{ Key: 'app', Value: 'sparkify' }]
    })
  )
  t.equal(created.Role?.Arn, 'arn:aws:iam::123456789012:role/dwh')
  t.match(created.Role?.RoleId, /^AROA[A-Z0-9]{17}$/)
  await waitUntilRoleExists({ client: iam, maxWaitTime: 5 }, { RoleName })
  const { Role } = await iam.send(new GetRoleCommand({ RoleName }))
  t.equal(Role?.Description, 'reads <S3> & more')
  t.same(Role?.Tags, [{ Key: 'app', Value: 'sparkify' }])
  t.equal(Role?.MaxSessionDuration, 3600)
  t.same(Role?.CreateDate, new Date('2026-01-02T03:04:05Z'))
  t.match(Role?.AssumeRolePolicyDocument, /^%7B%22Version%22/)
  t.equal(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''), trust)
  t.equal(aws.emulator.state.roles[0]?.trust, trust)
  await iam.send(new DeleteRoleCommand({ RoleName }))
  await refuses(t, iam.send(new GetRoleCommand({ RoleName })), {
    name: 'NoSuchEntityException',
    status: 404,
    message: 'The role with name dwh cannot be found.'
  })
})

t.test('role names are unique whatever their case', async (t) => {
  const aws = await startAws(t)
  await createRole(aws, 'Dwh')
  const again = new CreateRoleCommand({ RoleName: 'dwh', AssumeRolePolicyDocument: trust })
  await refuses(t, aws.iam.send(again), { name: 'EntityAlreadyExistsException', status: 409 })
  t.equal(aws.emulator.state.roles.length, 1)
})

t.test('the trust policy can be replaced', async (t) => {
  const aws = await startAws(t)
  await createRole(aws)
  const document = trust.replace('redshift.', 'ec2.')
  await aws.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: document }))
  const { Role } = await aws.iam.send(new GetRoleCommand({ RoleName }))
  t.equal(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''), document)
  const bad = new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: '{' })
  await refuses(t, aws.iam.send(bad), { name: 'MalformedPolicyDocumentException' })
})

t.test('tags are added, replaced, listed and limited', async (t) => {
  const { iam, ...aws } = await startAws(t)
  await createRole({ iam, ...aws })
  const tag = (...Tags: { Key: string; Value: string }[]) => iam.send(new TagRoleCommand({ RoleName, Tags }))
  await tag({ Key: 'a', Value: '1' }, { Key: 'b', Value: '2' })
  await tag({ Key: 'a', Value: '3' })
  const { Tags } = await iam.send(new ListRoleTagsCommand({ RoleName }))
  t.same(Tags, [
    { Key: 'a', Value: '3' },
    { Key: 'b', Value: '2' }
  ])
  const twice = tag({ Key: 'x', Value: '1' }, { Key: 'x', Value: '2' })
  await refuses(t, twice, { name: 'InvalidInputException' })
  await refuses(t, tag({ Key: 'aws:x', Value: '1' }), { name: 'InvalidInputException' })
  const many = Array.from({ length: 49 }, (_, index) => ({ Key: `k${index}`, Value: '' }))
  await refuses(t, tag(...many), { name: 'LimitExceededException', status: 409 })
})

t.test('inline policies', async (t) => {
  const aws = await startAws(t)
  await createRole(aws)
  const put = (PolicyName: string, PolicyDocument = permissions) =>
    aws.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }))
  await put('read')
  await put('read')
  await put('more')
  const { PolicyNames, IsTruncated } = await aws.iam.send(new ListRolePoliciesCommand({ RoleName }))
  t.same([PolicyNames, IsTruncated], [['read', 'more'], false])
  const first = await aws.iam.send(new ListRolePoliciesCommand({ RoleName, MaxItems: 1 }))
  t.same([first.PolicyNames, first.IsTruncated], [['read'], true])
  const second = await aws.iam.send(
    new ListRolePoliciesCommand({ RoleName, MaxItems: 1, Marker: first.Marker })
  )
  t.same([second.PolicyNames, second.IsTruncated], [['more'], false])
  const policy = await aws.iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: 'read' }))
  t.match(policy.PolicyDocument, /^%7B/)
  t.equal(decodeURIComponent(policy.PolicyDocument ?? ''), permissions)
  await aws.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'read' }))
  const gone = { name: 'NoSuchEntityException', message: 'The role policy with name read cannot be found.' }
  await refuses(t, aws.iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: 'read' })), gone)
  await refuses(t, aws.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'read' })), gone)
  const long = permissions.replace('udacity-dend', 'x'.repeat(11_000))
  await refuses(t, put('long', long), { name: 'LimitExceededException' })
})

t.test('managed policies', async (t) => {
  const aws = await startAws(t)
  await createRole(aws)
  const attach = (PolicyArn: string) => aws.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }))
  await attach(readOnly)
  await attach(readOnly)
  const { AttachedPolicies } = await aws.iam.send(new ListAttachedRolePoliciesCommand({ RoleName }))
  t.same(AttachedPolicies, [{ PolicyName: 'AmazonS3ReadOnlyAccess', PolicyArn: readOnly }])
  await refuses(t, attach('arn:aws:iam::aws:policy/NoSuch'), { name: 'NoSuchEntityException', status: 404 })
  await refuses(t, attach('AmazonS3ReadOnlyAccess'), { name: 'InvalidInputException' })
  const detach = () => aws.iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn: readOnly }))
  await detach()
  await refuses(t, detach(), { name: 'NoSuchEntityException' })
})

t.test('a role is deleted only when nothing depends on it', async (t) => {
  const aws = await startAws(t)
  await createRole(aws)
  aws.emulator.addInstanceProfile('profile', RoleName)
  await aws.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: readOnly }))
  await aws.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'read', PolicyDocument: permissions }))
  const conflict = (message: RegExp) =>
    refuses(t, aws.iam.send(new DeleteRoleCommand({ RoleName })), {
      name: 'DeleteConflictException',
      status: 409,
      message
    })
  await conflict(/instance profile/)
  const profiles = await aws.iam.send(new ListInstanceProfilesForRoleCommand({ RoleName }))
  t.match(profiles.InstanceProfiles, [{ InstanceProfileName: 'profile', Roles: [{ RoleName }] }])
  const InstanceProfileName = 'profile'
  const leave = () =>
    aws.iam.send(new RemoveRoleFromInstanceProfileCommand({ RoleName, InstanceProfileName }))
  await leave()
  await refuses(t, leave(), { name: 'NoSuchEntityException' })
  await conflict(/detach all policies/)
  await aws.iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn: readOnly }))
  await conflict(/delete policies/)
  await aws.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'read' }))
  await aws.iam.send(new DeleteRoleCommand({ RoleName }))
  t.same(aws.emulator.state.roles, [])
  await refuses(t, aws.iam.send(new DeleteRoleCommand({ RoleName })), { name: 'NoSuchEntityException' })
})

t.test('wrong roles are refused', async (t) => {
  const { iam } = await startAws(t)
  const statement = JSON.parse(trust).Statement[0]
  const document = (changes: object) => JSON.stringify({ Statement: [{ ...statement, ...changes }] })
  const refused: [title: string, name: string, input: object][] = [
    ['name', 'ValidationError', { RoleName: 'no blanks' }],
    ['long name', 'ValidationError', { RoleName: 'x'.repeat(65) }],
    ['session', 'ValidationError', { MaxSessionDuration: 60 }],
    ['no JSON', 'MalformedPolicyDocumentException', { AssumeRolePolicyDocument: '{' }],
    ['no object', 'MalformedPolicyDocumentException', { AssumeRolePolicyDocument: '[]' }],
    ['version', 'MalformedPolicyDocumentException', { AssumeRolePolicyDocument: '{"Version":"2020-01-01"}' }],
    ['no statement', 'MalformedPolicyDocumentException', { AssumeRolePolicyDocument: '{}' }],
    ['effect', 'MalformedPolicyDocumentException', { AssumeRolePolicyDocument: document({ Effect: 'Yes' }) }],
    ['actions', 'MalformedPolicyDocumentException', { AssumeRolePolicyDocument: document({ Action: [] }) }],
    [
      'other action',
      'MalformedPolicyDocumentException',
      { AssumeRolePolicyDocument: document({ Action: 's3:GetObject' }) }
    ],
    [
      'resource',
      'MalformedPolicyDocumentException',
      { AssumeRolePolicyDocument: document({ Resource: '*' }) }
    ],
    [
      'no principal',
      'MalformedPolicyDocumentException',
      { AssumeRolePolicyDocument: document({ Principal: undefined }) }
    ],
    [
      'unknown principal',
      'MalformedPolicyDocumentException',
      { AssumeRolePolicyDocument: document({ Principal: { Service: 'redshit.amazonaws.com' } }) }
    ]
  ]
  for (const [title, name, input] of refused) {
    const command = new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust, ...input })
    await refuses(t, iam.send(command), { name, status: 400 }, title)
  }
})

t.test('wrong permissions policies are refused', async (t) => {
  const aws = await startAws(t)
  await createRole(aws)
  const good = JSON.parse(permissions).Statement[0]
  const refused: [title: string, changes: object, message: RegExp][] = [
    ['no vendor', { Action: 'GetObject' }, /vendor/],
    ['no resource', { Resource: undefined }, /must contain resources/],
    ['no ARN', { Resource: 'udacity-dend/*' }, /must be in ARN format/],
    ['principal', { Principal: { Service: 'redshift.amazonaws.com' } }, /should not specify a principal/]
  ]
  for (const [title, changes, message] of refused) {
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: { ...good, ...changes } })
    const command = new PutRolePolicyCommand({ RoleName, PolicyName: 'read', PolicyDocument })
    await refuses(t, aws.iam.send(command), { name: 'MalformedPolicyDocumentException', message }, title)
  }
})
