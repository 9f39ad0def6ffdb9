/** A deployment in an emulated AWS account where time passes only while somebody waits. */
import type { Test } from 'tap'
import { type AwsClientOptions, type AwsClients, createAwsClients } from '../../src/cloud/aws-clients.ts'
import type {
  ClusterOperation,
  ClusterProvider,
  ProvisionContext,
  Teardown
} from '../../src/cloud/cluster-provider.ts'
import type { Clock } from '../../src/cloud/poll.ts'
import { readPriceTable } from '../../src/cloud/pricing.ts'
import { createRedshiftCluster } from '../../src/cloud/redshift-cluster.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { ServiceError } from '../../src/errors.ts'
import type { Queryable } from '../../src/warehouse/warehouse.ts'
import { type AwsEmulator, type AwsEmulatorOptions, type Delays, startAwsEmulator } from '../emulators/aws.ts'

/** What the real service takes, in ms. */
const realistic: Partial<Delays> = {
  create: 300_000,
  modify: 60_000,
  resize: 300_000,
  pause: 240_000,
  resume: 240_000,
  delete: 120_000,
  snapshot: 180_000,
  rolePropagation: 15_000,
  groupVisible: 2_000
}

/** A clock that jumps: whoever sleeps is awake at once, and it is later. */
export interface TestClock extends Clock {
  pass(ms: number): void
}

export function createTestClock(): TestClock {
  let now = Date.UTC(2026, 0, 1)
  return {
    now: () => now,
    random: () => 0.5,
    pass(ms) {
      now += ms
    },
    async sleep(ms, signal) {
      signal.throwIfAborted()
      now += ms
      await new Promise(setImmediate)
      signal.throwIfAborted()
    }
  }
}

export const baseEnv = {
  WAREHOUSE: 'redshift',
  AWS_REGION: 'us-west-2',
  SONG_DATA: 's3://udacity-dend/song_data',
  LOG_DATA: 's3://udacity-dend/log_data',
  LOG_JSONPATHS: 's3://udacity-dend/log_json_path.json',
  MANIFEST_PREFIX: 's3://sparkify-manifests/loads/',
  INGRESS_CIDRS: '203.0.113.7/32, 2001:db8::/64'
}

/** One run of an operation: what it told, and how to stop it. */
export interface TestRun extends ProvisionContext {
  steps: string[]
  events: { type: string; message: string; data?: object | undefined }[]
  abort(reason: unknown): void
}

export function createRun(id = 'job_0193aa'): TestRun {
  const controller = new AbortController()
  const steps: string[] = []
  const events: TestRun['events'] = []
  return {
    id,
    signal: controller.signal,
    steps,
    events,
    abort: (reason) => controller.abort(reason),
    async step(name) {
      controller.signal.throwIfAborted()
      steps.push(name)
    },
    async event(type, message, data) {
      events.push({ type, message, data })
    }
  }
}

export interface TestDeployment {
  emulator: AwsEmulator
  clock: TestClock
  config: Config
  clients: AwsClients
  provider: ClusterProvider
  /** Statements that the warehouse got. */
  statements: string[]
  /** Runs an operation to its end, as a new process would: with clients and state of its own. */
  run(operation: ClusterOperation, options?: RunOptions): Promise<TestRun & { result: Teardown | undefined }>
  /** Another deployment in the same account. */
  with(env: Record<string, string>): TestDeployment
}

export interface RunOptions {
  finalSnapshot?: boolean
  run?: TestRun
  /** Called with the new clients before anything is sent. */
  prepare?: (clients: AwsClients, run: TestRun) => void
}

export interface DeploymentOptions {
  env?: Record<string, string>
  aws?: AwsEmulatorOptions
  clients?: Partial<AwsClientOptions>
  /** What the warehouse throws, whatever the cluster is like. */
  refusal?: () => Error | undefined
}

/** An account without anything of ours. */
export async function startDeployment(t: Test, options: DeploymentOptions = {}): Promise<TestDeployment> {
  const clock = createTestClock()
  const delays = { ...realistic, ...options.aws?.delays }
  const emulator = await startAwsEmulator({ ...options.aws, delays, clock: clock.now })
  t.teardown(() => emulator.close())
  emulator.startCosting()
  return createTestDeployment(t, emulator, clock, options)
}

function createTestDeployment(
  t: Test,
  emulator: AwsEmulator,
  clock: TestClock,
  { env = {}, clients: clientOptions = {}, refusal }: DeploymentOptions
): TestDeployment {
  const config = loadConfig({ ...baseEnv, AWS_REGION: emulator.region, ...env })
  const statements: string[] = []
  const warehouse = createTestWarehouse(emulator, config.CLUSTER_IDENTIFIER, statements, refusal)
  const prices = readPriceTable()

  function open() {
    const clients = createAwsClients({ ...emulator.client, maxAttempts: 3, ...clientOptions })
    t.teardown(() => clients.close())
    return { clients, provider: createRedshiftCluster({ clients, config, warehouse, prices, clock }) }
  }

  return {
    ...{ emulator, clock, config, statements },
    ...open(),
    async run(operation, { finalSnapshot = false, run = createRun(), prepare } = {}) {
      const { clients, provider } = open()
      prepare?.(clients, run)
      try {
        const result =
          operation === 'teardown'
            ? await provider.teardown(finalSnapshot, run)
            : await provider[operation](run)
        return { ...run, result: result ?? undefined }
      } finally {
        clients.close()
      }
    },
    with: (other) =>
      createTestDeployment(t, emulator, clock, {
        ...{ env: { ...env, ...other }, clients: clientOptions },
        ...(refusal !== undefined && { refusal })
      })
  }
}

/** Answers while the cluster does. */
function createTestWarehouse(
  emulator: AwsEmulator,
  identifier: string,
  statements: string[],
  refusal: DeploymentOptions['refusal']
): Queryable {
  return {
    async run(statement) {
      statements.push(statement.name)
      const refused = refusal?.()
      if (refused !== undefined) throw refused
      const exists = emulator.state.clusters.some((cluster) => cluster.identifier === identifier)
      if (!exists || !emulator.takesConnections(identifier)) {
        throw new ServiceError('warehouse_unavailable', 'The connection to Redshift was refused.')
      }
      const rows = statement.name.includes('isolation') ? [{ isolation_level: 'Snapshot Isolation' }] : []
      return { columns: [], rows, changed: 0 }
    }
  }
}

/** What the account holds, without ids and times, so that two roads to the same place compare equal. */
export function snapshotOf(emulator: AwsEmulator) {
  const { roles, groups, clusters } = emulator.state
  return {
    roles: roles.map(({ name, trust, tags, inline, attached }) => ({
      ...{ name, trust: JSON.parse(trust), tags: Object.fromEntries(tags), attached: [...attached].sort() },
      inline: Object.fromEntries([...inline].map(([policy, document]) => [policy, JSON.parse(document)]))
    })),
    groups: groups.map(({ name, tags, rules }) => ({
      ...{ name, tags: Object.fromEntries(tags) },
      ingress: rules
        .filter(({ egress }) => !egress)
        .map(
          (rule) =>
            `${rule.protocol} ${rule.fromPort}-${rule.toPort} ${rule.cidr ?? rule.cidr6 ?? rule.groupId}`
        )
        .sort()
    })),
    clusters: clusters.map((cluster) => ({
      ...{ identifier: cluster.identifier, status: cluster.status, nodeType: cluster.nodeType },
      ...{ nodes: cluster.nodes, database: cluster.databaseName, port: cluster.port },
      ...{ masterUsername: cluster.masterUsername, publiclyAccessible: cluster.publiclyAccessible },
      ...{ encrypted: cluster.encrypted, managedPassword: cluster.managedPassword },
      ...{
        roles: [...cluster.roles],
        defaultRole: cluster.defaultRole,
        tags: Object.fromEntries(cluster.tags)
      },
      groups: cluster.groupIds.map((id) => groups.find((group) => group.id === id)?.name)
    }))
  }
}

/** The operations that were carried out, without the looks. */
export const changesIn = (emulator: AwsEmulator, from = 0): string[] =>
  emulator.calls
    .slice(from)
    .filter(({ operation, status }) => !/^(Describe|Get|List)/.test(operation) && status === 200)
    .map(({ operation }) => operation)
