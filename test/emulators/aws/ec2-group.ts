/** EC2: finding a security group and showing it; filters. */
import { AwsError, invalidValue } from './errors.ts'
import type { Params } from './params.ts'
import type { Rule, SecurityGroup, World } from './world.ts'
import type { XmlTree } from './xml.ts'

export const asTagSet = (tags: ReadonlyMap<string, string>) => ({
  item: [...tags].map(([key, value]) => ({ key, value }))
})

const notFound = (id: string) =>
  new AwsError('InvalidGroup.NotFound', `The security group '${id}' does not exist`)

const isVisible = (group: SecurityGroup, world: World) =>
  group.createdAt + world.delays.groupVisible <= world.now()

export const visibleGroups = (world: World) =>
  [...world.groups.values()].filter((group) => isVisible(group, world))

export function groupById(world: World, id: string): SecurityGroup {
  if (!/^sg-[0-9a-f]{8}([0-9a-f]{9})?$/.test(id)) {
    throw new AwsError('InvalidGroupId.Malformed', `Invalid id: "${id}" (expecting "sg-...")`)
  }
  const group = world.groups.get(id)
  if (!group || !isVisible(group, world)) throw notFound(id)
  return group
}

/** By `GroupId`, or by `GroupName` in the default VPC. */
export function findGroup(world: World, params: Params): SecurityGroup {
  const id = params.text('GroupId')
  if (id !== undefined) return groupById(world, id)
  const name = params.text('GroupName')
  if (name === undefined) {
    throw new AwsError('MissingParameter', 'The request must contain the parameter groupName or groupId')
  }
  const vpc = world.vpcs.find(({ isDefault }) => isDefault)
  const group = visibleGroups(world).find((found) => found.name === name && found.vpcId === vpc?.id)
  if (!group) throw notFound(name)
  return group
}

/** Rules with the same protocol and ports are one permission with several sources. */
function describePermissions(rules: readonly Rule[]): XmlTree[] {
  const same = Map.groupBy(rules, ({ protocol, fromPort, toPort }) => `${protocol} ${fromPort} ${toPort}`)
  return [...same.values()].map((sources) => {
    const [{ protocol, fromPort, toPort }] = sources as [Rule]
    const ports = protocol === '-1' ? {} : { fromPort, toPort }
    const item = <Source>(read: (rule: Rule) => Source | undefined) =>
      sources.flatMap((rule) => read(rule) ?? [])
    return {
      ipProtocol: protocol,
      ...ports,
      groups: { item: item(({ groupId, description }) => groupId && { groupId, description }) },
      ipRanges: { item: item(({ cidr, description }) => cidr && { cidrIp: cidr, description }) },
      ipv6Ranges: { item: item(({ cidr6, description }) => cidr6 && { cidrIpv6: cidr6, description }) },
      prefixListIds: {}
    }
  })
}

export function describeGroup(group: SecurityGroup, world: World): XmlTree {
  const permissions = (egress: boolean) => ({
    item: describePermissions(group.rules.filter((rule) => rule.egress === egress))
  })
  return {
    ownerId: world.account,
    groupId: group.id,
    groupName: group.name,
    groupDescription: group.description,
    vpcId: group.vpcId,
    securityGroupArn: `arn:aws:ec2:${world.region}:${world.account}:security-group/${group.id}`,
    ipPermissions: permissions(false),
    ipPermissionsEgress: permissions(true),
    tagSet: asTagSet(group.tags)
  }
}

/** What a thing has under a filter's name; undefined when there is no such filter. */
export type Fields = (name: string) => readonly string[] | undefined

/** `tag:Name` and `tag-key` for things that have tags. */
export const tagFields = (tags: ReadonlyMap<string, string>): Fields => {
  return (name) => {
    if (name === 'tag-key') return [...tags.keys()]
    if (!name.startsWith('tag:')) return undefined
    const value = tags.get(name.slice(4))
    return value === undefined ? [] : [value]
  }
}

const wildcard = (pattern: string) =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/\?/g, '.')}$`
  )

/** Keeps what all filters let through; the values of one filter are alternatives. */
export function applyFilters<Item>(
  params: Params,
  items: readonly Item[],
  fieldsOf: (item: Item) => Fields
): Item[] {
  const filters = params.list('Filter').map((filter) => ({
    name: filter.required('Name'),
    patterns: filter.texts('Value').map(wildcard)
  }))
  const unknown = items[0] && filters.find(({ name }) => fieldsOf(items[0] as Item)(name) === undefined)
  if (unknown) throw invalidValue(`The filter '${unknown.name}' is invalid`)
  return items.filter((item) =>
    filters.every(({ name, patterns }) =>
      fieldsOf(item)(name)?.some((value) => patterns.some((pattern) => pattern.test(value)))
    )
  )
}
