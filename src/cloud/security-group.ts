/** Who may connect: a security group of our own, with the configured ranges on the port and nothing else. */
import type { EC2Client, IpPermission, SecurityGroup } from '@aws-sdk/client-ec2'
import { isIpv6, isOpen } from '../cidr.ts'
import { ServiceError } from '../errors.ts'
import { isAwsError } from './aws-errors.ts'
import { type Change, change } from './change.ts'
import { createEc2Api } from './ec2-api.ts'
import { CLUSTER_TAG, isOwned, type Owner, ownerTags } from './ownership.ts'
import { type Clock, poll, retry } from './poll.ts'

/** How long EC2 may take to show in one place what it has done in another, in ms. */
const visibility = { firstPause: 1_000, longestPause: 5_000, timeout: 60_000 }
/** The network interfaces of a deleted cluster hold the group for a while, in ms. */
const release = { firstPause: 2_000, longestPause: 20_000, timeout: 15 * 60_000 }

export interface GroupSettings {
  owner: Owner
  port: number
  /** In canonical form. */
  cidrs: string[]
  /** Whether `cidrs` may admit everybody. */
  allowsOpen: boolean
}

export interface ObservedGroup {
  id: string
  vpcId: string
  isOurs: boolean
  rules: Rule[]
}

/** One source of one permission, as EC2 adds and removes it. */
interface Rule {
  permission: IpPermission
  /** `tcp 5439-5439 from 203.0.113.7/32` */
  name: string
  /** The range, if the source is one. */
  cidr: string | undefined
}

export type SecurityGroups = ReturnType<typeof createSecurityGroups>

export function createSecurityGroups(client: EC2Client, settings: GroupSettings, clock: Clock) {
  const { owner, port, cidrs } = settings
  const api = createEc2Api(client)
  const name = `sparkify-warehouse-${owner.identifier}`

  /** The group of our name in a VPC, ours or not. */
  async function findByName(vpcId: string, signal: AbortSignal): Promise<ObservedGroup | undefined> {
    const filters = [
      { Name: 'group-name', Values: [name] },
      { Name: 'vpc-id', Values: [vpcId] }
    ]
    const [group] = await api.listGroups(filters, signal)
    return group && observe(group, owner)
  }

  /** The group that was just created, as soon as EC2 shows it. */
  async function findCreated(vpcId: string, signal: AbortSignal): Promise<ObservedGroup> {
    const found = await poll({
      ...{ clock, signal, ...visibility },
      look: () => findByName(vpcId, signal),
      isDone: (group) => group !== undefined,
      onTimeout: () =>
        new ServiceError('aws_unavailable', `EC2 does not show the group ${name}, which it created.`)
    })
    return found as ObservedGroup
  }

  /** Creates the group; one that is there already is taken over if it is ours. */
  async function create(vpcId: string, signal: AbortSignal): Promise<ObservedGroup> {
    const description = `Connections to the Redshift cluster ${owner.identifier}`
    try {
      await api.createGroup({ name, description, vpcId, tags: ownerTags(owner) }, signal)
    } catch (error) {
      // An earlier answer was lost, or somebody else was faster; the tags tell.
      if (!isAwsError(error, 'InvalidGroup.Duplicate')) throw error
    }
    return requireOurs(await findCreated(vpcId, signal), name)
  }

  async function authorize(groupId: string, cidr: string, signal: AbortSignal): Promise<void> {
    try {
      // One rule a call: a duplicate would refuse the others with it.
      await retry(() => api.authorize(groupId, toPermission(port, cidr), signal), {
        ...{ clock, signal, ...visibility },
        passes: isGroupGone
      })
    } catch (error) {
      if (!isAwsError(error, 'InvalidPermission.Duplicate')) throw error
    }
  }

  async function revoke(groupId: string, rule: Rule, signal: AbortSignal): Promise<void> {
    try {
      await api.revoke(groupId, rule.permission, signal)
    } catch (error) {
      if (!isAwsError(error, 'InvalidPermission.NotFound') && !isGroupGone(error)) throw error
    }
  }

  return {
    name,
    findByName,
    findCreated,
    defaultVpc: api.defaultVpc,
    /** Throws `open_ingress_refused` when the ranges admit everybody and that is not insisted on. */
    refuseOpen: () => refuseOpen(settings),

    /** The groups that carry our tag, in any VPC. */
    async findOurs(signal: AbortSignal): Promise<ObservedGroup[]> {
      const filters = [{ Name: `tag:${CLUSTER_TAG}`, Values: [owner.identifier] }]
      return (await api.listGroups(filters, signal)).map((group) => observe(group, owner))
    },

    /**
     * What is missing or too much. Throws `open_ingress_refused` and, for a group of our name that is not ours,
     * `foreign_resource`. A group that is to be created is created in the VPC that `vpcId` gives.
     */
    changes(observed: ObservedGroup | undefined, vpcId: () => string | undefined): Change[] {
      refuseOpen(settings)
      if (observed !== undefined) requireOurs(observed, name)
      const resource = `security group ${name}`
      let id = observed?.id ?? ''
      const createGroup = async (signal: AbortSignal) => {
        id = (await create(vpcId() ?? '', signal)).id
      }
      const rules = observed?.rules ?? []
      const missing = cidrs.filter((cidr) => !rules.some((rule) => isRuleFor(rule, port, cidr)))
      const stale = rules.filter((rule) => !cidrs.some((cidr) => isRuleFor(rule, port, cidr)))
      return [
        ...(observed === undefined
          ? [change('create', resource, 'a security group that admits nobody yet', createGroup)]
          : []),
        ...missing.map((cidr) =>
          change('create', resource, `ingress from ${cidr} to port ${port}`, (signal) =>
            authorize(id, cidr, signal)
          )
        ),
        ...stale.map((rule) =>
          change('delete', resource, `ingress ${rule.name}`, (signal) => revoke(id, rule, signal))
        )
      ]
    },

    /** Removes a group's ingress and the group; waits until the cluster has let go of it. */
    async remove(group: ObservedGroup, signal: AbortSignal): Promise<void> {
      for (const rule of group.rules) await revoke(group.id, rule, signal)
      await retry(() => unlessGone(api.deleteGroup(group.id, signal)), {
        ...{ clock, signal, ...release },
        passes: (error) => isAwsError(error, 'DependencyViolation')
      })
    }
  }
}

const isGroupGone = (error: unknown): boolean => isAwsError(error, 'InvalidGroup.NotFound')

async function unlessGone(work: Promise<unknown>): Promise<void> {
  await work.catch((error) => {
    if (!isGroupGone(error)) throw error
  })
}

function refuseOpen({ cidrs, allowsOpen }: GroupSettings): void {
  const open = cidrs.filter(isOpen)
  if (allowsOpen || open.length === 0) return
  throw new ServiceError(
    'open_ingress_refused',
    `INGRESS_CIDRS holds ${open.join(' and ')}, which lets everybody try to log in. Name the ranges that need to connect; ALLOW_OPEN_INGRESS=true insists.`
  )
}

function requireOurs(group: ObservedGroup, name: string): ObservedGroup {
  if (group.isOurs) return group
  throw new ServiceError(
    'foreign_resource',
    `The security group ${name} (${group.id}) exists and is not this deployment's. It is left as it is: rename it, or choose another CLUSTER_IDENTIFIER.`
  )
}

function toPermission(port: number, cidr: string): IpPermission {
  const Description = 'sparkify-warehouse'
  return {
    ...{ IpProtocol: 'tcp', FromPort: port, ToPort: port },
    ...(isIpv6(cidr)
      ? { Ipv6Ranges: [{ CidrIpv6: cidr, Description }] }
      : { IpRanges: [{ CidrIp: cidr, Description }] })
  }
}

const isRuleFor = ({ permission, cidr }: Rule, port: number, wanted: string): boolean =>
  cidr === wanted &&
  permission.IpProtocol === 'tcp' &&
  permission.FromPort === port &&
  permission.ToPort === port

function observe(group: SecurityGroup, owner: Owner): ObservedGroup {
  return {
    id: group.GroupId ?? '',
    vpcId: group.VpcId ?? '',
    isOurs: isOwned(owner, group.Tags),
    rules: (group.IpPermissions ?? []).flatMap(toRules)
  }
}

/** A permission has many sources; each is a rule of its own. Their descriptions are no part of what they are. */
function toRules(permission: IpPermission): Rule[] {
  const { IpProtocol, FromPort, ToPort } = permission
  const base = { IpProtocol, FromPort, ToPort }
  const ports = IpProtocol === '-1' ? 'all traffic' : `${IpProtocol} ${FromPort}-${ToPort}`
  const rule = (source: string | undefined, part: IpPermission, cidr?: string): Rule => ({
    permission: { ...base, ...part },
    name: `${ports} from ${source}`,
    cidr
  })
  return [
    ...(permission.IpRanges ?? []).map(({ CidrIp }) => rule(CidrIp, { IpRanges: [{ CidrIp }] }, CidrIp)),
    ...(permission.Ipv6Ranges ?? []).map(({ CidrIpv6 }) =>
      rule(CidrIpv6, { Ipv6Ranges: [{ CidrIpv6 }] }, CidrIpv6)
    ),
    ...(permission.UserIdGroupPairs ?? []).map(({ GroupId, UserId }) =>
      rule(GroupId, { UserIdGroupPairs: [{ GroupId, UserId }] })
    ),
    ...(permission.PrefixListIds ?? []).map(({ PrefixListId }) =>
      rule(PrefixListId, { PrefixListIds: [{ PrefixListId }] })
    )
  ]
}
