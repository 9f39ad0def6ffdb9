/** What the emulated account holds. The services change it; tests look at it. */
import { resourceId } from './ids.ts'

/** How long things take, in ms of the emulator's clock. All may be 0: then the next request sees the end. */
export interface Delays {
  create: number
  modify: number
  resize: number
  pause: number
  resume: number
  delete: number
  /** The `final-snapshot` phase of a deletion, and how long any snapshot is `creating`. */
  snapshot: number
  /** How old a role, and its trust policy, must be before Redshift accepts it. */
  rolePropagation: number
  /** How old a security group must be before EC2 finds it. */
  groupVisible: number
  /** How long the network interfaces of a deleted cluster hold on to its security groups. */
  groupRelease: number
}

export const defaultDelays: Delays = {
  create: 20,
  modify: 10,
  resize: 10,
  pause: 10,
  resume: 10,
  delete: 10,
  snapshot: 10,
  rolePropagation: 0,
  groupVisible: 0,
  groupRelease: 0
}

/** One status that a cluster goes through. */
export interface Phase {
  status: string
  ms: number
}

export type Change = 'create' | 'modify' | 'resize' | 'pause' | 'resume' | 'delete'
/** Replaces the statuses of a change, for example `{ create: [{ status: 'creating', ms: 10 }, ...] }`. */
export type Timelines = Partial<Record<Change, readonly Phase[]>>

export interface Quotas {
  clusters: number
  nodes: number
  snapshots: number
  rulesPerGroup: number
}

export interface Role {
  name: string
  id: string
  arn: string
  path: string
  description: string | undefined
  maxSessionDuration: number
  trust: string
  createdAt: number
  trustChangedAt: number
  tags: Map<string, string>
  inline: Map<string, string>
  /** ARN of each attached managed policy. */
  attached: Set<string>
}

export interface Rule {
  id: string
  egress: boolean
  protocol: string
  fromPort: number
  toPort: number
  cidr?: string
  cidr6?: string
  groupId?: string
  description?: string
  tags: Map<string, string>
}

export interface SecurityGroup {
  id: string
  name: string
  description: string
  vpcId: string
  createdAt: number
  tags: Map<string, string>
  rules: Rule[]
  /** The group that a VPC comes with. */
  isDefault: boolean
}

export interface Vpc {
  id: string
  cidr: string
  isDefault: boolean
}

export interface Subnet {
  id: string
  vpcId: string
  cidr: string
  zone: string
  isDefault: boolean
}

export interface SubnetGroup {
  name: string
  vpcId: string
  subnetIds: string[]
}

export interface Cluster {
  identifier: string
  namespaceArn: string
  status: string
  /** What is to come; when the last phase ends, the status becomes `restsAs` (or the cluster is gone). */
  phases: { status: string; until: number }[]
  restsAs: string | undefined
  /** What a change does when it is complete. */
  onRest: (() => void) | undefined
  createdAt: number
  nodeType: string
  nodes: number
  databaseName: string
  port: number
  masterUsername: string
  masterPassword: string
  managedPassword: boolean
  /** What DescribeClusters shows of a change that is under way. */
  pending: Record<string, string>
  groupIds: string[]
  subnetGroup: string
  vpcId: string
  zone: string
  publiclyAccessible: boolean
  encrypted: boolean
  kmsKeyId: string | undefined
  enhancedVpcRouting: boolean
  automatedRetention: number
  manualRetention: number
  maintenanceWindow: string
  parameterGroup: string
  roles: Map<string, 'in-sync' | 'adding' | 'removing'>
  defaultRole: string | undefined
  tags: Map<string, string>
  /** Once created it never goes away again. */
  hasEndpoint: boolean
  /** Who may log in: the master, whom AutoCreate made, and whom a test told of. */
  dbUsers: Set<string>
}

export interface Snapshot {
  identifier: string
  clusterIdentifier: string
  type: 'manual' | 'automated'
  isFinal: boolean
  createdAt: number
  availableAt: number
  retention: number
  nodeType: string
  nodes: number
  databaseName: string
  masterUsername: string
  port: number
  vpcId: string
  zone: string
  tags: Map<string, string>
}

/** Temporary credentials that were handed out. */
export interface IssuedCredential {
  cluster: string
  /** The name to log in with: `IAM:x`, `IAMA:x` or `IAMR:x`. */
  user: string
  /** The database user behind it. */
  dbUser: string
  password: string
  expires: Date
  autoCreate: boolean
  dbGroups: string[]
}

export interface World {
  readonly account: string
  readonly region: string
  readonly delays: Delays
  readonly timelines: Timelines
  readonly quotas: Quotas
  /** Whether DeleteCluster takes a paused cluster; the manual and what people met disagree. */
  readonly deletesPaused: boolean
  now(): number
  endpoint: { host: string; port: number } | undefined
  readonly roles: Map<string, Role>
  /** Names of the instance profiles and the role in each. */
  readonly instanceProfiles: Map<string, string>
  readonly groups: Map<string, SecurityGroup>
  /** Until when a group cannot be deleted though its cluster is gone. */
  readonly heldGroups: Map<string, number>
  readonly vpcs: Vpc[]
  readonly subnets: Subnet[]
  readonly subnetGroups: SubnetGroup[]
  readonly clusters: Map<string, Cluster>
  readonly snapshots: Map<string, Snapshot>
  readonly credentials: IssuedCredential[]
}

export interface WorldOptions {
  account?: string
  region?: string
  delays?: Partial<Delays>
  timelines?: Timelines
  quotas?: Partial<Quotas>
  /** False: the account has no default VPC, and a cluster needs a subnet group. */
  defaultVpc?: boolean
  /** Cluster subnet groups, all in the second VPC, which is not the default one. */
  subnetGroups?: string[]
  deletesPaused?: boolean
  /** Milliseconds since 1970; a test may hold or move it. */
  clock?: () => number
}

function addVpc(world: World, cidr: string, isDefault: boolean): Vpc {
  const vpc = { id: resourceId('vpc'), cidr, isDefault }
  world.vpcs.push(vpc)
  for (const [index, letter] of ['a', 'b', 'c'].entries()) {
    const subnet = {
      id: resourceId('subnet'),
      vpcId: vpc.id,
      cidr: cidr.replace('.0.0/16', `.${16 * index}.0/20`)
    }
    world.subnets.push({ ...subnet, zone: world.region + letter, isDefault })
  }
  const id = resourceId('sg')
  world.groups.set(id, {
    id,
    name: 'default',
    description: 'default VPC security group',
    vpcId: vpc.id,
    createdAt: 0,
    tags: new Map(),
    rules: [{ ...allTraffic(), egress: false, groupId: id }, openEgress()],
    isDefault: true
  })
  return vpc
}

const allTraffic = () => ({
  id: resourceId('sgr'),
  protocol: '-1',
  fromPort: -1,
  toPort: -1,
  tags: new Map()
})
/** The rule that every new group comes with. */
export const openEgress = (): Rule => ({ ...allTraffic(), egress: true, cidr: '0.0.0.0/0' })

export function createWorld(options: WorldOptions): World {
  const world: World = {
    account: options.account ?? '123456789012',
    region: options.region ?? 'us-west-2',
    delays: { ...defaultDelays, ...options.delays },
    timelines: options.timelines ?? {},
    quotas: { clusters: 20, nodes: 200, snapshots: 700, rulesPerGroup: 60, ...options.quotas },
    deletesPaused: options.deletesPaused ?? false,
    now: options.clock ?? Date.now,
    endpoint: undefined,
    roles: new Map(),
    instanceProfiles: new Map(),
    groups: new Map(),
    heldGroups: new Map(),
    vpcs: [],
    subnets: [],
    subnetGroups: [],
    clusters: new Map(),
    snapshots: new Map(),
    credentials: []
  }
  const toGroup = (name: string, vpc: Vpc) => {
    const subnetIds = world.subnets.filter(({ vpcId }) => vpcId === vpc.id).map(({ id }) => id)
    world.subnetGroups.push({ name, vpcId: vpc.id, subnetIds })
  }
  if (options.defaultVpc ?? true) toGroup('default', addVpc(world, '172.31.0.0/16', true))
  const other = addVpc(world, '10.20.0.0/16', false)
  for (const name of options.subnetGroups ?? []) toGroup(name, other)
  return world
}
