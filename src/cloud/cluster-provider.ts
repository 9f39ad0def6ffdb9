/** Creates and removes the cluster, whatever it is made of. Knows nothing of jobs: progress goes to the caller. */
import type { CostEstimate } from './pricing.ts'

/** What the configuration asks for. */
export interface DesiredCluster {
  node_type: string
  number_of_nodes: number
  port: number
  publicly_accessible: boolean
  /** The name of the role to create, or the ARN of the one to use. */
  iam_role: string
  ingress_cidrs: string[]
}

/** A difference between what is asked for and what there is. */
export interface Drift {
  field: string
  desired: string
  observed: string
  /** `put`: PUT /v1/cluster removes it. `hand`: it takes a person, or a new cluster. */
  mended_by: 'put' | 'hand'
}

/** One thing in the account that is ours. */
export interface OwnedResource {
  type: string
  id: string
}

export interface ClusterState {
  /** `absent`, or what the engine calls the state; only `available` takes statements. */
  status: string
  /** `none` while there is no cluster; a `foreign` one has our name without our tag and is never touched. */
  ownership: 'none' | 'ours' | 'foreign' | 'attached'
  /** The engine's word for whether it takes statements, where it has one. */
  availability: string | null
  endpoint: string | null
  role_arn: string | null
  ingress_cidrs: string[]
  node_type: string | null
  number_of_nodes: number
  publicly_accessible: boolean | null
  encrypted: boolean | null
  isolation_level: string | null
  /** What the data takes, in bytes; null where the engine does not tell. */
  size_bytes: number | null
  account_id: string | null
  region: string | null
  desired: DesiredCluster | null
  drift: Drift[]
  /** What a teardown would remove. */
  resources: OwnedResource[]
  /** What the cluster costs as it is; null where it costs nothing. */
  estimated_cost: CostEstimate | null
}

/** One thing that `provision` would do. */
export interface PlannedAction {
  action: 'create' | 'update' | 'delete'
  resource: string
  detail: string
}

export interface ProvisionPlan {
  account_id: string | null
  region: string | null
  /** Empty when the cluster is as it should be. */
  actions: PlannedAction[]
  /** What the cluster would cost then; null where it costs nothing. */
  estimated_cost: CostEstimate | null
}

export interface ProvisionContext {
  /** The same for every attempt at the same work. */
  readonly id: string
  readonly signal: AbortSignal
  /** Names the step that begins. */
  step(name: string): Promise<void>
  /** Appends to the story of the work. */
  event(type: string, message: string, data?: object): Promise<void>
}

export interface Teardown {
  /** Where the final snapshot is, if one was asked for. */
  final_snapshot: string | null
  /** What else goes on costing money. */
  snapshots_left?: string[]
}

export type ClusterOperation = 'provision' | 'teardown' | 'pause' | 'resume'

/** Step names with their rough share of the time. */
export type OperationSteps = Readonly<Record<ClusterOperation, Readonly<Record<string, number>>>>

/**
 * Every operation looks first and does what is missing: started again after an interruption it goes on where it
 * stopped, and repeated it changes nothing.
 */
export interface ClusterProvider {
  readonly steps: OperationSteps
  /** The state in one word, cheap enough for a readiness probe; `unknown` when it cannot be told. */
  status(): Promise<string>
  describe(): Promise<ClusterState>
  plan(): Promise<ProvisionPlan>
  provision(context: ProvisionContext): Promise<void>
  teardown(finalSnapshot: boolean, context: ProvisionContext): Promise<Teardown>
  pause(context: ProvisionContext): Promise<void>
  resume(context: ProvisionContext): Promise<void>
  /** Throws when the provider never does this operation, whatever the state. */
  allows(operation: ClusterOperation): void
}
