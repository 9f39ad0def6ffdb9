/**
 * An emulated AWS: an HTTP server that the real SDK clients talk to, through `AWS_ENDPOINT_URL` or `endpoint`.
 * It speaks the protocols of STS, IAM, EC2, Redshift and S3, and refuses what the services refuse.
 * Time passes on the emulator's clock; nothing runs in the background. Run as a program it prints its environment.
 */
import { bringUpToDate, findCluster, putInto, takesConnections } from './aws/cluster-state.ts'
import { type Leftover, leftovers } from './aws/costing.ts'
import { type ActiveInjection, Faults, type Injection } from './aws/faults.ts'
import { principalId, secret } from './aws/ids.ts'
import { type Login, loginsOf } from './aws/redshift-credentials.ts'
import { type RoleAccess, type RoleRequest, roleAccess } from './aws/role-access.ts'
import { S3Objects, type S3Store } from './aws/s3-store.ts'
import { type AwsCall, startServer } from './aws/server.ts'
import type { Identity } from './aws/sigv4.ts'
import {
  type Cluster,
  createWorld,
  type Role,
  type SecurityGroup,
  type Snapshot,
  type World,
  type WorldOptions
} from './aws/world.ts'

export type { Leftover } from './aws/costing.ts'
export type { ActiveInjection, Fault, Injection } from './aws/faults.ts'
export type { Login } from './aws/redshift-credentials.ts'
export type { RoleAccess, RoleRequest } from './aws/role-access.ts'
export type { BucketOptions, PutOptions, S3Store, StoredObject } from './aws/s3-store.ts'
export type { AwsCall } from './aws/server.ts'
export type { Cluster, Delays, Phase, Role, SecurityGroup, Snapshot, Timelines } from './aws/world.ts'

export interface AwsEmulatorOptions extends WorldOptions {
  host?: string
  /** Default: any free one. */
  port?: number
  /** Who the clients are; the keys are made up when they are not given. */
  identity?: Partial<Identity>
  /** Where every cluster's `Endpoint` points, so that drivers reach an emulated Redshift. */
  redshiftEndpoint?: { host: string; port: number }
  /** Most bytes that S3 keeps in memory; default 256 MiB. */
  maxObjectBytes?: number
}

/** The account as it is now. The records are the emulator's own: look, do not touch. */
export interface AwsState {
  roles: readonly Role[]
  /** Without the groups that VPCs come with. */
  groups: readonly SecurityGroup[]
  clusters: readonly Cluster[]
  snapshots: readonly Snapshot[]
  /** Keys by bucket. */
  objects: Readonly<Record<string, readonly string[]>>
}

export interface AwsEmulator {
  readonly url: string
  readonly account: string
  readonly region: string
  /** For the environment of a process whose SDK is to come here. */
  readonly env: Record<
    'AWS_ENDPOINT_URL' | 'AWS_REGION' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY' | 'AWS_SESSION_TOKEN',
    string
  >
  /** The same for a client's constructor. */
  readonly client: {
    endpoint: string
    region: string
    credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
  }
  readonly calls: readonly AwsCall[]
  readonly state: AwsState
  readonly s3: S3Store
  /** May be set at any time. */
  redshiftEndpoint: { host: string; port: number } | undefined
  inject(injection: Injection): ActiveInjection
  /** What is left over, without what was there at the last `startCosting`. */
  costing(): Leftover[]
  /** What exists now is none of the service's business. */
  startCosting(): void
  /** Every way to log in as this user that is valid now, the newest first. */
  credentials(user: string, cluster?: string): Login[]
  /** The newest password that is valid for a login name, or undefined: no such user, or everything expired. */
  authenticate(user: string, cluster?: string): string | undefined
  /** Whether a cluster can be reached; when not, a Redshift emulator should refuse connections. */
  takesConnections(cluster: string): boolean
  /** Tells of a user that SQL created: from now on GetClusterCredentials without AutoCreate works for it. */
  createDbUser(cluster: string, name: string): void
  /** All temporary credentials end now. */
  expireCredentials(): void
  /** Puts a cluster into any status, where it stays until something changes it. */
  setClusterStatus(cluster: string, status: string): void
  /** What an emulated COPY may do in a role. */
  roleAccess(request: RoleRequest): RoleAccess
  addInstanceProfile(profile: string, roleName: string): void
  /** Until `goOnline` connections are refused (ECONNREFUSED). */
  goOffline(): Promise<void>
  goOnline(): Promise<void>
  close(): Promise<void>
}

function createIdentity(world: World, given: Partial<Identity> = {}): Identity {
  return {
    accessKeyId: principalId('AKIA').slice(0, 20),
    secretAccessKey: secret(30),
    arn: `arn:aws:iam::${world.account}:user/sparkify-operator`,
    userId: principalId('AIDA'),
    ...given
  }
}

function readState(world: World, store: S3Objects): AwsState {
  bringUpToDate(world)
  return {
    roles: [...world.roles.values()],
    groups: [...world.groups.values()].filter(({ isDefault }) => !isDefault),
    clusters: [...world.clusters.values()],
    snapshots: [...world.snapshots.values()],
    objects: Object.fromEntries([...store.buckets.keys()].map((name) => [name, store.keys(name)]))
  }
}

export async function startAwsEmulator(options: AwsEmulatorOptions = {}): Promise<AwsEmulator> {
  const world = createWorld(options)
  world.endpoint = options.redshiftEndpoint
  const identity = createIdentity(world, options.identity)
  const { accessKeyId, secretAccessKey, sessionToken } = identity
  const store = new S3Objects(world.region, options.maxObjectBytes ?? 256 * 1024 * 1024, world.now)
  const faults = new Faults()
  const calls: AwsCall[] = []
  const identities = new Map([[accessKeyId, identity]])
  const parts = { world, store, faults, identities, calls }
  const server = await startServer(parts, options.host ?? '127.0.0.1', options.port ?? 0)
  const { url } = server
  const nameOf = ({ kind, id }: Leftover) => `${kind} ${id}`
  let existing = new Set<string>()

  function current(): Leftover[] {
    bringUpToDate(world)
    return leftovers(world)
  }
  function clusterNow(identifier: string): Cluster {
    bringUpToDate(world)
    return findCluster(world, identifier)
  }
  function credentials(user: string, cluster?: string): Login[] {
    bringUpToDate(world)
    return loginsOf(world, user, cluster)
  }

  return {
    url,
    account: world.account,
    region: world.region,
    env: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: world.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken ?? ''
    },
    client: {
      endpoint: url,
      region: world.region,
      credentials: { accessKeyId, secretAccessKey, sessionToken }
    },
    calls,
    s3: store,
    get state() {
      return readState(world, store)
    },
    get redshiftEndpoint() {
      return world.endpoint
    },
    set redshiftEndpoint(endpoint) {
      world.endpoint = endpoint
    },
    inject: (injection) => faults.inject(injection),
    costing: () => current().filter((left) => !existing.has(nameOf(left))),
    startCosting() {
      existing = new Set(current().map(nameOf))
    },
    credentials,
    authenticate: (user, cluster) => credentials(user, cluster)[0]?.password,
    takesConnections(identifier) {
      bringUpToDate(world)
      const cluster = world.clusters.get(identifier)
      return cluster !== undefined && takesConnections(cluster.status)
    },
    createDbUser: (cluster, name) => clusterNow(cluster).dbUsers.add(name),
    expireCredentials() {
      for (const issued of world.credentials) issued.expires = new Date(world.now())
    },
    setClusterStatus(identifier, status) {
      putInto(clusterNow(identifier), status)
    },
    roleAccess(request) {
      bringUpToDate(world)
      return roleAccess(world, request)
    },
    addInstanceProfile: (profile, roleName) => world.instanceProfiles.set(profile, roleName),
    goOffline: () => server.stop(),
    goOnline: () => server.start(),
    close: () => server.stop()
  }
}

if (import.meta.main) {
  const emulator = await startAwsEmulator({ port: Number(process.argv[2] ?? 0) })
  for (const [name, value] of Object.entries(emulator.env)) console.log(`${name}=${value}`)
}
