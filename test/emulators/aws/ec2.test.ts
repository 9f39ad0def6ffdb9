import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  CreateTagsCommand,
  DeleteSecurityGroupCommand,
  DescribeSecurityGroupRulesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  type IpPermission,
  RevokeSecurityGroupIngressCommand
} from '@aws-sdk/client-ec2'
import { DeleteClusterCommand } from '@aws-sdk/client-redshift'
import t from 'tap'
import { createAvailableCluster, refuses, startAws, type TestAws } from './fixture.ts'

const group = { GroupName: 'sparkify', Description: 'Sparkify warehouse' }
const createGroup = async ({ ec2 }: TestAws) => {
  const { GroupId = '' } = await ec2.send(new CreateSecurityGroupCommand(group))
  return GroupId
}
const permission = (CidrIp: string, changes: IpPermission = {}): IpPermission => ({
  IpProtocol: 'tcp',
  FromPort: 5439,
  ToPort: 5439,
  IpRanges: [{ CidrIp, Description: 'sparkify' }],
  ...changes
})
const authorize = ({ ec2 }: TestAws, GroupId: string, ...IpPermissions: IpPermission[]) =>
  ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }))
const describe = ({ ec2 }: TestAws, input = {}) => ec2.send(new DescribeSecurityGroupsCommand(input))

t.test('a group is created in the default VPC, tagged, found and deleted', async (t) => {
  const aws = await startAws(t)
  const created = await aws.ec2.send(
    new CreateSecurityGroupCommand({
      ...group,
      TagSpecifications: [{ ResourceType: 'security-group', Tags: [{ Key: 'app', Value: 'sparkify' }] }]
    })
  )
  const GroupId = created.GroupId ?? ''
  t.match(GroupId, /^sg-[0-9a-f]{17}$/)
  await aws.ec2.send(new CreateTagsCommand({ Resources: [GroupId], Tags: [{ Key: 'b', Value: '2' }] }))
  const byId = await describe(aws, { GroupIds: [GroupId] })
  t.match(byId.SecurityGroups, [{ GroupId, ...group, OwnerId: '123456789012', IpPermissions: [] }])
  t.equal(byId.SecurityGroups?.[0]?.IpPermissionsEgress?.[0]?.IpProtocol, '-1')
  t.same(byId.SecurityGroups?.[0]?.Tags, [
    { Key: 'app', Value: 'sparkify' },
    { Key: 'b', Value: '2' }
  ])
  const { Vpcs } = await aws.ec2.send(
    new DescribeVpcsCommand({ Filters: [{ Name: 'is-default', Values: ['true'] }] })
  )
  t.equal(byId.SecurityGroups?.[0]?.VpcId, Vpcs?.[0]?.VpcId)
  await aws.ec2.send(new DeleteSecurityGroupCommand({ GroupId }))
  t.same(aws.emulator.state.groups, [])
  await refuses(t, aws.ec2.send(new DeleteSecurityGroupCommand({ GroupId })), {
    name: 'InvalidGroup.NotFound'
  })
})

t.test('filters: all have to match, the values of one are alternatives, with wildcards', async (t) => {
  const aws = await startAws(t)
  const GroupId = await createGroup(aws)
  await aws.ec2.send(new CreateTagsCommand({ Resources: [GroupId], Tags: [{ Key: 'app', Value: 'x' }] }))
  await authorize(aws, GroupId, permission('10.0.0.0/8'))
  const vpcId = (await describe(aws, { GroupIds: [GroupId] })).SecurityGroups?.[0]?.VpcId ?? ''
  const found = async (...filters: [string, ...string[]][]) => {
    const Filters = filters.map(([Name, ...Values]) => ({ Name, Values }))
    const { SecurityGroups = [] } = await describe(aws, { Filters })
    return SecurityGroups.map((one) => one.GroupName)
  }
  t.same(await found(['group-name', 'sparkify'], ['vpc-id', vpcId]), ['sparkify'])
  t.same(await found(['group-name', 'other', 'spark*']), ['sparkify'])
  t.same(await found(['group-name', 'spark'], ['vpc-id', vpcId]), [])
  t.same(await found(['group-name', 'sparkify'], ['vpc-id', 'vpc-1']), [])
  t.same(await found(['tag:app', 'x']), ['sparkify'])
  t.same(await found(['tag:app', 'y']), [])
  t.same(await found(['tag-key', 'app']), ['sparkify'])
  t.same(await found(['ip-permission.cidr', '10.0.0.0/8']), ['sparkify'])
  t.same(await found(['group-id', GroupId], ['description', 'Sparkify warehouse']), ['sparkify'])
  await refuses(t, found(['colour', 'red']), { name: 'InvalidParameterValue' })
  const { SecurityGroups, NextToken } = await describe(aws, { MaxResults: 2 })
  t.equal(SecurityGroups?.length, 2)
  const rest = await describe(aws, { MaxResults: 2, NextToken })
  t.same([rest.SecurityGroups?.length, rest.NextToken], [1, undefined])
})

t.test('rules are authorized, described as one permission per port, and revoked', async (t) => {
  const aws = await startAws(t)
  const GroupId = await createGroup(aws)
  const { SecurityGroupRules = [] } = await authorize(aws, GroupId, permission('203.0.113.7/32'))
  t.match(SecurityGroupRules, [{ GroupId, CidrIpv4: '203.0.113.7/32', FromPort: 5439, IsEgress: false }])
  const six = { IpRanges: undefined, Ipv6Ranges: [{ CidrIpv6: '2001:db8::/32' }] }
  await authorize(aws, GroupId, permission('10.1.2.3/8'), permission('', six))
  await authorize(aws, GroupId, permission('', { IpRanges: undefined, UserIdGroupPairs: [{ GroupId }] }))
  const { SecurityGroups } = await describe(aws, { GroupIds: [GroupId] })
  t.match(SecurityGroups?.[0]?.IpPermissions, [
    {
      IpProtocol: 'tcp',
      FromPort: 5439,
      ToPort: 5439,
      // Bits beyond the prefix are dropped.
      IpRanges: [{ CidrIp: '203.0.113.7/32', Description: 'sparkify' }, { CidrIp: '10.0.0.0/8' }],
      Ipv6Ranges: [{ CidrIpv6: '2001:db8::/32' }],
      UserIdGroupPairs: [{ GroupId }]
    }
  ])
  const rules = await aws.ec2.send(
    new DescribeSecurityGroupRulesCommand({ Filters: [{ Name: 'group-id', Values: [GroupId] }] })
  )
  t.equal(rules.SecurityGroupRules?.filter(({ IsEgress }) => !IsEgress).length, 4)
  const SecurityGroupRuleIds = [SecurityGroupRules[0]?.SecurityGroupRuleId ?? '']
  await aws.ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, SecurityGroupRuleIds }))
  const IpPermissions = [permission('10.0.0.0/8')]
  const revoke = () => aws.ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions }))
  const { RevokedSecurityGroupRules } = await revoke()
  t.match(RevokedSecurityGroupRules, [{ CidrIpv4: '10.0.0.0/8' }])
  await refuses(t, revoke(), {
    name: 'InvalidPermission.NotFound',
    message: 'The specified rule does not exist in this security group.'
  })
  const left = aws.emulator.state.groups[0]?.rules.filter(({ egress }) => !egress)
  t.same(
    left?.map(({ cidr6, groupId }) => cidr6 ?? groupId),
    ['2001:db8::/32', GroupId]
  )
  await refuses(t, aws.ec2.send(new DescribeSecurityGroupRulesCommand({ SecurityGroupRuleIds })), {
    name: 'InvalidSecurityGroupRuleId.NotFound'
  })
})

t.test('one duplicate fails the whole request, whatever the descriptions say', async (t) => {
  const aws = await startAws(t)
  const GroupId = await createGroup(aws)
  await authorize(aws, GroupId, permission('203.0.113.7/32'))
  const again = permission('', { IpRanges: [{ CidrIp: '203.0.113.7/32', Description: 'other' }] })
  await refuses(t, authorize(aws, GroupId, permission('198.51.100.0/24'), again), {
    name: 'InvalidPermission.Duplicate',
    message:
      'the specified rule "peer: 203.0.113.7/32, TCP, from port: 5439, to port: 5439, ALLOW" already exists'
  })
  const nonCanonical = authorize(aws, GroupId, permission('10.0.0.0/8'), permission('10.9.9.9/8'))
  await refuses(t, nonCanonical, { name: 'InvalidPermission.Duplicate' })
  t.equal(aws.emulator.state.groups[0]?.rules.filter(({ egress }) => !egress).length, 1)
})

t.test('the short form of a rule, other protocols, tags on rules', async (t) => {
  const aws = await startAws(t)
  const GroupId = await createGroup(aws)
  const port = { IpProtocol: 'tcp', FromPort: 5439, ToPort: 5439 }
  const short = { GroupId, ...port, CidrIp: '10.0.0.0/8' }
  await aws.ec2.send(new AuthorizeSecurityGroupIngressCommand(short))
  await authorize(aws, GroupId, permission('10.0.0.0/8', { IpProtocol: '-1' }))
  const { SecurityGroupRules = [] } = await aws.ec2.send(
    new AuthorizeSecurityGroupIngressCommand({
      GroupId,
      IpPermissions: [permission('10.0.0.0/8', { IpProtocol: 'icmp', FromPort: -1, ToPort: -1 })],
      TagSpecifications: [{ ResourceType: 'security-group-rule', Tags: [{ Key: 'a', Value: '1' }] }]
    })
  )
  const id = SecurityGroupRules[0]?.SecurityGroupRuleId ?? ''
  await aws.ec2.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'b', Value: '2' }] }))
  const tagged = await aws.ec2.send(
    new DescribeSecurityGroupRulesCommand({ Filters: [{ Name: 'tag:b', Values: ['2'] }] })
  )
  t.match(tagged.SecurityGroupRules, [{ IpProtocol: 'icmp', Tags: [{ Key: 'a' }, { Key: 'b' }] }])
  const { SecurityGroups } = await describe(aws, { GroupNames: ['sparkify'] })
  const [, everything] = SecurityGroups?.[0]?.IpPermissions ?? []
  t.match(everything, { IpProtocol: '-1', FromPort: undefined, ToPort: undefined })
  await aws.ec2.send(new RevokeSecurityGroupIngressCommand(short))
  t.equal(aws.emulator.state.groups[0]?.rules.filter(({ egress }) => !egress).length, 2)
})

t.test('wrong groups and rules are refused', async (t) => {
  const aws = await startAws(t, { quotas: { rulesPerGroup: 1 } })
  const GroupId = await createGroup(aws)
  const create = (changes: object) => aws.ec2.send(new CreateSecurityGroupCommand({ ...group, ...changes }))
  const unknown = 'sg-00000000000000000'
  const range = (changes: object) => ({ IpRanges: [{ CidrIp: '10.0.0.0/8', ...changes }] })
  const refused: [title: string, name: string, call: Promise<unknown>][] = [
    ['name taken', 'InvalidGroup.Duplicate', create({})],
    ['name like an id', 'InvalidParameterValue', create({ GroupName: 'sg-x' })],
    ['name', 'InvalidParameterValue', create({ GroupName: 'ü' })],
    ['description', 'InvalidParameterValue', create({ GroupName: 'x', Description: 'ü' })],
    [
      'tagged type',
      'InvalidParameterValue',
      create({ GroupName: 'x', TagSpecifications: [{ ResourceType: 'vpc', Tags: [] }] })
    ],
    ['no description', 'MissingParameter', create({ GroupName: 'x', Description: undefined })],
    ['VPC', 'InvalidVpcID.NotFound', create({ GroupName: 'x', VpcId: 'vpc-1' })],
    ['dry run', 'DryRunOperation', create({ GroupName: 'x', DryRun: true })],
    ['group', 'InvalidGroup.NotFound', authorize(aws, unknown, permission('10.0.0.0/8'))],
    ['group by name', 'InvalidGroup.NotFound', describe(aws, { GroupNames: ['other'] })],
    ['no group', 'MissingParameter', aws.ec2.send(new DeleteSecurityGroupCommand({}))],
    [
      'deleted by name',
      'InvalidGroup.NotFound',
      aws.ec2.send(new DeleteSecurityGroupCommand({ GroupName: 'other' }))
    ],
    ['group id', 'InvalidGroupId.Malformed', describe(aws, { GroupIds: ['sparkify'] })],
    ['no permission', 'MissingParameter', authorize(aws, GroupId)],
    ['CIDR', 'InvalidParameterValue', authorize(aws, GroupId, permission('10.0.0.0/33'))],
    ['no CIDR', 'InvalidParameterValue', authorize(aws, GroupId, permission('everybody'))],
    [
      'IPv6',
      'InvalidParameterValue',
      authorize(aws, GroupId, permission('', { IpRanges: undefined, Ipv6Ranges: [{ CidrIpv6: '::/129' }] }))
    ],
    ['port', 'InvalidParameterValue', authorize(aws, GroupId, permission('10.0.0.0/8', { ToPort: 70_000 }))],
    ['no port', 'MissingParameter', authorize(aws, GroupId, permission('10.0.0.0/8', { ToPort: undefined }))],
    [
      'rule id',
      'InvalidSecurityGroupRuleId.NotFound',
      aws.ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, SecurityGroupRuleIds: ['sgr-1'] }))
    ],
    [
      'subnet filter',
      'InvalidParameterValue',
      aws.ec2.send(new DescribeSubnetsCommand({ Filters: [{ Name: 'x', Values: ['y'] }] }))
    ],
    ['ports', 'InvalidParameterValue', authorize(aws, GroupId, permission('10.0.0.0/8', { ToPort: 1 }))],
    ['protocol', 'InvalidParameterValue', authorize(aws, GroupId, permission('', { IpProtocol: 'http' }))],
    ['note', 'InvalidParameterValue', authorize(aws, GroupId, permission('', range({ Description: 'ü' })))],
    [
      'too many',
      'RulesPerSecurityGroupLimitExceeded',
      authorize(aws, GroupId, permission('10.0.0.0/8'), permission('11.0.0.0/8'))
    ],
    ['tagged', 'InvalidID', aws.ec2.send(new CreateTagsCommand({ Resources: ['i-1'], Tags: [] }))],
    [
      'tag',
      'InvalidParameterValue',
      aws.ec2.send(new CreateTagsCommand({ Resources: [GroupId], Tags: [{ Key: 'aws:x', Value: '' }] }))
    ],
    ['VPC list', 'InvalidVpcID.NotFound', aws.ec2.send(new DescribeVpcsCommand({ VpcIds: ['vpc-1'] }))],
    ['subnets', 'InvalidSubnetID.NotFound', aws.ec2.send(new DescribeSubnetsCommand({ SubnetIds: ['s'] }))]
  ]
  await Promise.all(refused.map(([title, name, call]) => refuses(t, call, { name }, title)))
  t.equal(aws.emulator.state.groups.length, 1)
})

t.test('a group in use is not deleted', async (t) => {
  const aws = await startAws(t)
  const GroupId = await createGroup(aws)
  const other = await aws.ec2.send(new CreateSecurityGroupCommand({ ...group, GroupName: 'other' }))
  await createAvailableCluster(aws, { VpcSecurityGroupIds: [GroupId] })
  const remove = (id?: string) => aws.ec2.send(new DeleteSecurityGroupCommand({ GroupId: id }))
  await refuses(t, remove(GroupId), { name: 'DependencyViolation', status: 400 })
  await authorize(
    aws,
    GroupId,
    permission('', { IpRanges: undefined, UserIdGroupPairs: [{ GroupId: other.GroupId }] })
  )
  await refuses(t, remove(other.GroupId), { name: 'DependencyViolation' }, 'named by a rule')
  const { SecurityGroups } = await describe(aws, { GroupNames: ['default'] })
  await refuses(t, remove(SecurityGroups?.[0]?.GroupId), { name: 'CannotDelete' })
})

t.test("a deleted cluster's network interfaces hold its groups for a while", async (t) => {
  const aws = await startAws(t, { delays: { groupRelease: 5000 } })
  const GroupId = await createGroup(aws)
  await createAvailableCluster(aws, { VpcSecurityGroupIds: [GroupId] })
  await aws.redshift.send(
    new DeleteClusterCommand({ ClusterIdentifier: 'sparkify', SkipFinalClusterSnapshot: true })
  )
  aws.pass(10_000)
  t.same(aws.emulator.state.clusters, [])
  const remove = () => aws.ec2.send(new DeleteSecurityGroupCommand({ GroupName: 'sparkify' }))
  await refuses(t, remove(), { name: 'DependencyViolation' })
  aws.pass(5000)
  t.equal((await remove()).GroupId, GroupId)
})

t.test('a new group is not found at once', async (t) => {
  const aws = await startAws(t, { delays: { groupVisible: 1000 } })
  const GroupId = await createGroup(aws)
  await refuses(t, authorize(aws, GroupId, permission('10.0.0.0/8')), { name: 'InvalidGroup.NotFound' })
  aws.pass(1000)
  t.equal((await authorize(aws, GroupId, permission('10.0.0.0/8'))).Return, true)
})
