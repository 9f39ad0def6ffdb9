/** A cluster that somebody else runs: used, never changed. Nothing is asked of AWS about it. */
import type { Config } from '../config.ts'
import { ServiceError } from '../errors.ts'
import { parseSql } from '../sql.ts'
import type { Queryable } from '../warehouse/warehouse.ts'
import type { ClusterProvider, ClusterState } from './cluster-provider.ts'
import { rememberIsolationLevel } from './isolation-level.ts'
import { remember } from './remember.ts'

const probe = parseSql('attached-cluster/probe', 'select 1')
/** How long the cluster may take to answer before it counts as unreachable, in ms. */
const PROBE_TIMEOUT = 10_000
const STATUS_LIFETIME = 15_000

export interface AttachedClusterOptions {
  warehouse: Queryable
  config: Pick<
    Config,
    'CLUSTER_IDENTIFIER' | 'DATABASE_NAME' | 'REDSHIFT_HOST' | 'REDSHIFT_PORT' | 'IAM_ROLE_ARN' | 'AWS_REGION'
  >
}

/** Shows the cluster at `REDSHIFT_HOST`; every operation that would change it throws `cluster_attached`. */
export function createAttachedCluster({ warehouse, config }: AttachedClusterOptions): ClusterProvider {
  const endpoint = `${config.REDSHIFT_HOST}:${config.REDSHIFT_PORT}`
  const isolation = rememberIsolationLevel(warehouse, config.DATABASE_NAME)
  const status = remember(STATUS_LIFETIME, () => probeStatus(warehouse))
  const refuse = async () => {
    throw attached(endpoint)
  }

  async function describe(): Promise<ClusterState> {
    const state = await probeStatus(warehouse)
    return {
      ...{ status: state, ownership: 'attached', availability: null, endpoint },
      ...{ role_arn: config.IAM_ROLE_ARN ?? null, ingress_cidrs: [], node_type: null, number_of_nodes: 0 },
      ...{ publicly_accessible: null, encrypted: null, size_bytes: null },
      isolation_level: state === 'available' ? await isolation() : null,
      ...{ account_id: null, region: config.AWS_REGION ?? null },
      ...{ desired: null, drift: [], resources: [], estimated_cost: null }
    }
  }

  return {
    steps: {
      provision: { connect: 1 },
      teardown: { refuse: 1 },
      pause: { refuse: 1 },
      resume: { refuse: 1 }
    },
    allows(operation) {
      if (operation !== 'provision') throw attached(endpoint)
    },
    status,
    describe,
    plan: async () => ({ account_id: null, region: null, actions: [], estimated_cost: null }),
    async provision({ step, signal }) {
      await step('connect')
      await warehouse.run(probe, undefined, { signal })
    },
    teardown: refuse,
    pause: refuse,
    resume: refuse
  }
}

/** `available`, or `unreachable` with whatever reason: the log of the service has it. */
async function probeStatus(warehouse: Queryable): Promise<string> {
  const { promise: late, resolve } = Promise.withResolvers<string>()
  const timer = setTimeout(resolve, PROBE_TIMEOUT, 'unreachable')
  const answer = warehouse.run(probe).then(
    () => 'available',
    () => 'unreachable'
  )
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}

const attached = (endpoint: string) =>
  new ServiceError(
    'cluster_attached',
    `The cluster at ${endpoint} is attached: the service uses it and never changes it. Whoever runs it can.`
  )
