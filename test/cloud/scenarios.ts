/** What is done to a cluster, for tests that disturb it everywhere. */
import type { Test } from 'tap'
import type { ClusterOperation } from '../../src/cloud/cluster-provider.ts'
import { changesIn, snapshotOf, startDeployment, type TestDeployment } from './fixture.ts'

export interface Scenario {
  name: string
  operation: ClusterOperation
  finalSnapshot?: boolean
  /** What was done before. */
  before: ClusterOperation[]
  /** What changed in the configuration since. */
  env?: Record<string, string>
}

const provisions: Scenario[] = [
  { name: 'provision', operation: 'provision', before: [] },
  { name: 'provision of a paused cluster', operation: 'provision', before: ['provision', 'pause'] },
  {
    name: 'provision with other ranges, a managed policy and a public address',
    operation: 'provision',
    before: ['provision'],
    env: {
      INGRESS_CIDRS: '198.51.100.0/24',
      IAM_MANAGED_POLICY_ARN: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess',
      PUBLICLY_ACCESSIBLE: 'true'
    }
  }
]

const pauses: Scenario[] = [
  { name: 'pause', operation: 'pause', before: ['provision'] },
  { name: 'resume', operation: 'resume', before: ['provision', 'pause'] }
]

const teardowns: Scenario[] = [
  { name: 'teardown', operation: 'teardown', before: ['provision'] },
  {
    name: 'teardown with a final snapshot',
    operation: 'teardown',
    finalSnapshot: true,
    before: ['provision']
  },
  {
    name: 'teardown of a paused cluster with a final snapshot',
    operation: 'teardown',
    finalSnapshot: true,
    before: ['provision', 'pause']
  }
]

export const scenarios = { provisions, pauses, teardowns }

/**
 * `npm run torture:cloud` disturbs every single call; the suite disturbs every so many, and begins at another one each
 * time, which is one that every scenario reaches: the shortest has nine calls.
 */
const SHORTEST = 9
export const every = Number(process.env.DISTURB_EVERY ?? 24)
export const first = Number(process.env.DISTURB_FIRST ?? Date.now() % Math.min(every, SHORTEST))

/** Long enough for several looks each, short enough for hundreds of runs. */
const delays = {
  ...{ create: 15_000, modify: 5_000, pause: 10_000, resume: 10_000, delete: 10_000, snapshot: 10_000 },
  ...{ rolePropagation: 5_000, groupVisible: 2_000 }
}

/** An account in which the scenario can begin. */
export async function prepare(t: Test, { before, env = {} }: Scenario): Promise<TestDeployment> {
  const started = await startDeployment(t, { aws: { delays } })
  for (const operation of before) await started.run(operation)
  return started.with(env)
}

/** Where the scenario ends when nobody disturbs it. */
export interface Outcome {
  account: ReturnType<typeof snapshotOf>
  snapshots: string[]
  leftovers: string[]
}

export const outcomeOf = ({ emulator }: TestDeployment): Outcome => ({
  account: snapshotOf(emulator),
  snapshots: emulator.state.snapshots
    .filter(({ type }) => type === 'manual')
    .map(({ identifier }) => identifier),
  leftovers: emulator.costing().map(({ kind }) => kind)
})

/** Changes that nobody may make twice with success. */
const once = [
  'CreateRole',
  'CreateSecurityGroup',
  'CreateCluster',
  'PauseCluster',
  'ResumeCluster',
  'DeleteCluster'
]

/** The operations that were carried out more than once since call number `from`. */
export function doneTwice({ emulator }: TestDeployment, from: number): string[] {
  const changes = changesIn(emulator, from)
  return once.filter((operation) => changes.filter((name) => name === operation).length > 1)
}
