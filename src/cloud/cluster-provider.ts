/** Creates and removes the cluster, whatever it is made of. Knows nothing of jobs: progress goes to the caller. */

export interface ClusterState {
  /** `absent`, or what the engine calls the state; only `available` takes statements. */
  status: string
  endpoint: string | null
  role_arn: string | null
  ingress_cidrs: string[]
  node_type: string | null
  number_of_nodes: number
  /** What the data takes, in bytes; null where the engine does not tell. */
  size_bytes: number | null
}

/** One thing that `provision` would do. */
export interface PlannedAction {
  action: 'create' | 'update' | 'delete'
  resource: string
  detail: string
}

export interface ProvisionContext {
  signal: AbortSignal
  /** Names the step that begins. */
  step(name: string): Promise<void>
}

export interface ClusterProvider {
  readonly provisionSteps: Readonly<Record<string, number>>
  readonly teardownSteps: Readonly<Record<string, number>>
  describe(): Promise<ClusterState>
  /** What is missing; empty when the cluster is as it should be. */
  plan(): Promise<PlannedAction[]>
  /** Makes the cluster exist; started again after an interruption it goes on where it stopped. */
  provision(context: ProvisionContext): Promise<void>
  /** Removes the cluster; returns where the final snapshot is, if one was asked for. */
  teardown(finalSnapshot: boolean, context: ProvisionContext): Promise<string | null>
}
