/** EC2: the ingress rules of security groups. */
import { canonicalCidr, canonicalCidr6 } from './cidr.ts'
import { applyFilters, asTagSet, findGroup, groupById, tagFields, visibleGroups } from './ec2-group.ts'
import { AwsError, invalidValue } from './errors.ts'
import { resourceId } from './ids.ts'
import { type Params, putTags } from './params.ts'
import { type Operation, paginate } from './service.ts'
import type { Rule, SecurityGroup, World } from './world.ts'
import type { XmlTree } from './xml.ts'

type Wanted = Omit<Rule, 'id' | 'tags'>

function readPorts(permission: Params): Pick<Rule, 'protocol' | 'fromPort' | 'toPort'> {
  const protocol = (permission.text('IpProtocol') ?? '').replace(/^6$/, 'tcp').replace(/^17$/, 'udp')
  if (protocol === '-1') return { protocol, fromPort: -1, toPort: -1 }
  if (!['tcp', 'udp', 'icmp', 'icmpv6'].includes(protocol)) {
    throw invalidValue(`Invalid value '${protocol}' for IP protocol. Unknown protocol.`)
  }
  const fromPort = permission.integer('FromPort')
  const toPort = permission.integer('ToPort')
  if (fromPort === undefined || toPort === undefined) {
    throw new AwsError('MissingParameter', 'The request must contain the parameters fromPort and toPort')
  }
  for (const port of protocol.startsWith('icmp') ? [] : [fromPort, toPort]) {
    if (port < 0 || port > 65_535)
      throw invalidValue(`Invalid value '${port}' for portRange. Must be from 0 to 65535`)
  }
  if (fromPort > toPort) throw invalidValue(`Invalid TCP/UDP port range (${fromPort}-${toPort})`)
  return { protocol, fromPort, toPort }
}

function readDescription(range: Params): string | undefined {
  const description = range.text('Description')
  if (description !== undefined && !/^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{0,255}$/.test(description)) {
    throw invalidValue(
      'Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*'
    )
  }
  return description
}

function readRange(text: string, canonical: (text: string) => string | undefined): string {
  const cidr = canonical(text)
  if (cidr === undefined) throw invalidValue(`CIDR block ${text} is malformed`)
  return cidr
}

/** One rule for each source of a permission. */
function readPermission(permission: Params, world: World): Wanted[] {
  const ports = { ...readPorts(permission), egress: false }
  return [
    ...permission.list('IpRanges').map((range) => ({
      ...ports,
      cidr: readRange(range.required('CidrIp'), canonicalCidr),
      description: readDescription(range)
    })),
    ...permission.list('Ipv6Ranges').map((range) => ({
      ...ports,
      cidr6: readRange(range.required('CidrIpv6'), canonicalCidr6),
      description: readDescription(range)
    })),
    ...permission.list('Groups').map((source) => ({
      ...ports,
      groupId: groupById(world, source.required('GroupId')).id,
      description: readDescription(source)
    }))
  ]
}

function readRules(params: Params, world: World): Wanted[] {
  const permissions = params.list('IpPermissions')
  const cidr = params.text('CidrIp')
  if (permissions.length === 0 && cidr !== undefined) {
    return [{ ...readPorts(params), egress: false, cidr: readRange(cidr, canonicalCidr) }]
  }
  const rules = permissions.flatMap((permission) => readPermission(permission, world))
  if (rules.length === 0) {
    throw new AwsError('MissingParameter', 'The request must contain the parameter ipPermissions')
  }
  return rules
}

/** The description is no part of what makes a rule the same. */
const isSame = (left: Wanted, right: Wanted) =>
  (['egress', 'protocol', 'fromPort', 'toPort', 'cidr', 'cidr6', 'groupId'] as const).every(
    (field) => left[field] === right[field]
  )

function describeRule(rule: Rule, group: SecurityGroup, world: World): XmlTree {
  return {
    securityGroupRuleId: rule.id,
    groupId: group.id,
    groupOwnerId: world.account,
    isEgress: rule.egress,
    ipProtocol: rule.protocol,
    fromPort: rule.fromPort,
    toPort: rule.toPort,
    cidrIpv4: rule.cidr,
    cidrIpv6: rule.cidr6,
    referencedGroupInfo: rule.groupId ? { groupId: rule.groupId, userId: world.account } : undefined,
    description: rule.description,
    tagSet: asTagSet(rule.tags)
  }
}

function duplicate(rule: Wanted): AwsError {
  const peer = rule.cidr ?? rule.cidr6 ?? rule.groupId
  const what = `peer: ${peer}, ${rule.protocol.toUpperCase()}, from port: ${rule.fromPort}, to port: ${rule.toPort}, ALLOW`
  return new AwsError('InvalidPermission.Duplicate', `the specified rule "${what}" already exists`)
}

const authorize: Operation = (params, { world }) => {
  const group = findGroup(world, params)
  const wanted = readRules(params, world)
  const known: Wanted[] = [...group.rules]
  // One rule that is there already fails the whole request.
  for (const rule of wanted) {
    if (known.some((other) => isSame(other, rule))) throw duplicate(rule)
    known.push(rule)
  }
  if (known.filter(({ egress }) => !egress).length > world.quotas.rulesPerGroup) {
    const message = 'The maximum number of rules per security group has been reached.'
    throw new AwsError('RulesPerSecurityGroupLimitExceeded', message)
  }
  const tags = params.list('TagSpecification').flatMap((specification) => specification.tags('Tag'))
  const added = wanted.map((rule) => ({ ...rule, id: resourceId('sgr'), tags: new Map<string, string>() }))
  for (const rule of added) putTags(rule.tags, tags)
  group.rules.push(...added)
  return {
    return: true,
    securityGroupRuleSet: { item: added.map((rule) => describeRule(rule, group, world)) }
  }
}

const ruleNotFound = (id: string) =>
  new AwsError('InvalidSecurityGroupRuleId.NotFound', `The security group rule ID '${id}' does not exist`)

const revoke: Operation = (params, { world }) => {
  const group = findGroup(world, params)
  const ingress = group.rules.filter(({ egress }) => !egress)
  const ids = params.texts('SecurityGroupRuleId')
  const byId = ids.map((id) => {
    const rule = ingress.find((found) => found.id === id)
    if (!rule) throw ruleNotFound(id)
    return rule
  })
  const byValue = (ids.length > 0 ? [] : readRules(params, world)).map((wanted) => {
    const rule = ingress.find((found) => isSame(found, wanted))
    if (rule) return rule
    const message = 'The specified rule does not exist in this security group.'
    throw new AwsError('InvalidPermission.NotFound', message)
  })
  const revoked = new Set([...byId, ...byValue])
  group.rules = group.rules.filter((rule) => !revoked.has(rule))
  const item = [...revoked].map((rule) => describeRule(rule, group, world))
  return { return: true, revokedSecurityGroupRuleSet: { item } }
}

const describe: Operation = (params, { world }) => {
  const all = visibleGroups(world).flatMap((group) => group.rules.map((rule) => ({ rule, group })))
  const ids = params.texts('SecurityGroupRuleId')
  const unknown = ids.find((id) => !all.some(({ rule }) => rule.id === id))
  if (unknown !== undefined) throw ruleNotFound(unknown)
  const chosen = ids.length === 0 ? all : all.filter(({ rule }) => ids.includes(rule.id))
  const found = applyFilters(params, chosen, ({ rule, group }) => (name) => {
    if (name === 'group-id') return [group.id]
    if (name === 'security-group-rule-id') return [rule.id]
    return tagFields(rule.tags)(name)
  })
  const { page, next } = paginate(found, params.text('NextToken'), params.integer('MaxResults') ?? 1000)
  const item = page.map(({ rule, group }) => describeRule(rule, group, world))
  return { securityGroupRuleSet: { item }, nextToken: next }
}

export const ruleOperations: Record<string, Operation> = {
  AuthorizeSecurityGroupIngress: authorize,
  RevokeSecurityGroupIngress: revoke,
  DescribeSecurityGroupRules: describe
}
