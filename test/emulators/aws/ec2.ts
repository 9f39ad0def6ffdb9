/** EC2: security groups, VPCs, subnets, tags. */
import {
  applyFilters,
  asTagSet,
  describeGroup,
  findGroup,
  groupById,
  tagFields,
  visibleGroups
} from './ec2-group.ts'
import { ruleOperations } from './ec2-rules.ts'
import { AwsError, invalidValue } from './errors.ts'
import { resourceId } from './ids.ts'
import { putTags } from './params.ts'
import { type Operation, paginate, type QueryService } from './service.ts'
import { openEgress, type SecurityGroup, type World } from './world.ts'

const namePattern = /^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{1,255}$/

const createGroup: Operation = (params, { world }) => {
  const name = params.required('GroupName')
  const description = params.required('GroupDescription')
  if (!namePattern.test(name) || name.startsWith('sg-')) {
    throw invalidValue(
      `Value (${name}) for parameter GroupName is invalid. Group names may not be in the format sg-*.`
    )
  }
  if (!namePattern.test(description)) {
    const message = `Value (${description}) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.`
    throw invalidValue(message)
  }
  const vpcId = params.text('VpcId') ?? world.vpcs.find(({ isDefault }) => isDefault)?.id
  if (vpcId === undefined) throw new AwsError('VPCIdNotSpecified', 'No default VPC for this user')
  if (!world.vpcs.some(({ id }) => id === vpcId)) {
    throw new AwsError('InvalidVpcID.NotFound', `The vpc ID '${vpcId}' does not exist`)
  }
  for (const other of world.groups.values()) {
    if (other.name !== name || other.vpcId !== vpcId) continue
    throw new AwsError(
      'InvalidGroup.Duplicate',
      `The security group '${name}' already exists for VPC '${vpcId}'`
    )
  }
  const group: SecurityGroup = {
    id: resourceId('sg'),
    name,
    description,
    vpcId,
    createdAt: world.now(),
    tags: new Map(),
    rules: [openEgress()],
    isDefault: false
  }
  for (const specification of params.list('TagSpecification')) {
    if (specification.text('ResourceType') !== 'security-group') {
      throw invalidValue(
        `'${specification.text('ResourceType')}' is not a valid taggable resource type for this operation.`
      )
    }
    putTags(group.tags, specification.tags('Tag'))
  }
  world.groups.set(group.id, group)
  return { return: true, groupId: group.id, tagSet: asTagSet(group.tags) }
}

const describeGroups: Operation = (params, { world }) => {
  const ids = params.texts('GroupId')
  const names = params.texts('GroupName')
  for (const id of ids) groupById(world, id)
  const all = visibleGroups(world)
  const missing = names.find((name) => !all.some((group) => group.name === name))
  if (missing !== undefined) {
    throw new AwsError('InvalidGroup.NotFound', `The security group '${missing}' does not exist`)
  }
  const chosen = all.filter(
    ({ id, name }) => (ids.length === 0 || ids.includes(id)) && (names.length === 0 || names.includes(name))
  )
  const found = applyFilters(params, chosen, (group) => (name) => {
    if (name === 'group-id') return [group.id]
    if (name === 'group-name') return [group.name]
    if (name === 'vpc-id') return [group.vpcId]
    if (name === 'description') return [group.description]
    if (name === 'owner-id') return [world.account]
    const ingress = group.rules.filter(({ egress }) => !egress)
    if (name === 'ip-permission.cidr') return ingress.flatMap(({ cidr }) => cidr ?? [])
    return tagFields(group.tags)(name)
  })
  const { page, next } = paginate(found, params.text('NextToken'), params.integer('MaxResults') ?? 1000)
  return { securityGroupInfo: { item: page.map((group) => describeGroup(group, world)) }, nextToken: next }
}

/** A cluster's network interface, or a rule of another group, holds on to a group. */
function isInUse({ id }: SecurityGroup, world: World): boolean {
  const byCluster = [...world.clusters.values()].some(({ groupIds }) => groupIds.includes(id))
  const byRule = [...world.groups.values()].some(
    (other) => other.id !== id && other.rules.some(({ groupId }) => groupId === id)
  )
  const byLeftover = (world.heldGroups.get(id) ?? 0) > world.now()
  return byCluster || byRule || byLeftover
}

const deleteGroup: Operation = (params, { world }) => {
  const group = findGroup(world, params)
  if (group.isDefault) {
    const message = `the specified group: "${group.id}" name: "default" cannot be deleted by a user`
    throw new AwsError('CannotDelete', message)
  }
  if (isInUse(group, world)) {
    throw new AwsError('DependencyViolation', `resource ${group.id} has a dependent object`)
  }
  world.groups.delete(group.id)
  return { return: true, groupId: group.id }
}

const createTags: Operation = (params, { world }) => {
  const tags = params.tags('Tag')
  if (tags.some(({ key }) => key.startsWith('aws:'))) {
    throw invalidValue("Tag keys starting with 'aws:' are reserved for internal use")
  }
  const tagged = params.texts('ResourceId').map((id) => {
    if (id.startsWith('sg-')) return groupById(world, id).tags
    const rule = [...world.groups.values()].flatMap(({ rules }) => rules).find((found) => found.id === id)
    if (!rule) throw new AwsError('InvalidID', `The ID '${id}' is not valid`)
    return rule.tags
  })
  for (const existing of tagged) putTags(existing, tags)
  return { return: true }
}

const describeVpcs: Operation = (params, { world }) => {
  const ids = params.texts('VpcId')
  const unknown = ids.find((id) => !world.vpcs.some((vpc) => vpc.id === id))
  if (unknown !== undefined) {
    throw new AwsError('InvalidVpcID.NotFound', `The vpc ID '${unknown}' does not exist`)
  }
  const chosen = world.vpcs.filter(({ id }) => ids.length === 0 || ids.includes(id))
  const found = applyFilters(params, chosen, (vpc) => (name) => {
    if (name === 'is-default' || name === 'isDefault') return [String(vpc.isDefault)]
    if (name === 'vpc-id') return [vpc.id]
    if (name === 'cidr') return [vpc.cidr]
    return name === 'state' ? ['available'] : tagFields(new Map())(name)
  })
  const item = found.map(({ id, cidr, isDefault }) => ({
    vpcId: id,
    ownerId: world.account,
    state: 'available',
    cidrBlock: cidr,
    isDefault
  }))
  return { vpcSet: { item } }
}

const describeSubnets: Operation = (params, { world }) => {
  const ids = params.texts('SubnetId')
  const unknown = ids.find((id) => !world.subnets.some((subnet) => subnet.id === id))
  if (unknown !== undefined) {
    throw new AwsError('InvalidSubnetID.NotFound', `The subnet ID '${unknown}' does not exist`)
  }
  const chosen = world.subnets.filter(({ id }) => ids.length === 0 || ids.includes(id))
  const found = applyFilters(params, chosen, (subnet) => (name) => {
    if (name === 'vpc-id') return [subnet.vpcId]
    if (name === 'subnet-id') return [subnet.id]
    if (name === 'availability-zone') return [subnet.zone]
    if (name === 'default-for-az') return [String(subnet.isDefault)]
    return name === 'state' ? ['available'] : tagFields(new Map())(name)
  })
  const item = found.map(({ id, vpcId, cidr, zone, isDefault }) => ({
    subnetId: id,
    vpcId,
    cidrBlock: cidr,
    availabilityZone: zone,
    defaultForAz: isDefault,
    mapPublicIpOnLaunch: isDefault,
    state: 'available',
    ownerId: world.account
  }))
  return { subnetSet: { item } }
}

/** A dry run ends where the work would begin: permissions are all it checks. */
const withDryRun = (operation: Operation): Operation => {
  return (params, call) => {
    if (params.boolean('DryRun')) {
      const message = 'Request would have succeeded, but DryRun flag is set.'
      throw new AwsError('DryRunOperation', message, 412)
    }
    return operation(params, call)
  }
}

const operations: Record<string, Operation> = {
  CreateSecurityGroup: createGroup,
  DescribeSecurityGroups: describeGroups,
  DeleteSecurityGroup: deleteGroup,
  CreateTags: createTags,
  DescribeVpcs: describeVpcs,
  DescribeSubnets: describeSubnets,
  ...ruleOperations
}

export const ec2: QueryService = {
  name: 'ec2',
  version: '2016-11-15',
  namespace: 'http://ec2.amazonaws.com/doc/2016-11-15/',
  operations: Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [name, withDryRun(operation)])
  )
}
