/** The cluster as the API shows it, and the jobs that create and remove it. */
import type { ClusterProvider } from '../cloud/cluster-provider.ts'
import type { Config } from '../config.ts'
import { ServiceError } from '../errors.ts'
import type { Cluster, ClusterPlan, TeardownParams } from '../schemas/cluster.ts'
import { WAREHOUSE_LANE } from '../schemas/jobs.ts'
import type { Actor } from './api-keys.ts'
import type { JobContext, JobHandler } from './job-handler.ts'
import type { StartedJob, StartOptions } from './job-start.ts'
import type { Jobs } from './jobs.ts'

export interface ClusterDependencies {
  provider: ClusterProvider
  jobs: Jobs
  config: Pick<Config, 'CLUSTER_IDENTIFIER' | 'DATABASE_NAME' | 'WAREHOUSE'>
}

export type Clusters = ReturnType<typeof createClusters>

export function createClusters({ provider, jobs, config }: ClusterDependencies) {
  async function get(): Promise<Cluster> {
    const observed = await provider.describe()
    return {
      identifier: config.CLUSTER_IDENTIFIER,
      engine: config.WAREHOUSE,
      database: config.DATABASE_NAME,
      ...observed
    }
  }

  async function checkRemovable(): Promise<void> {
    const active = (await jobs.active(WAREHOUSE_LANE)).filter((job) => job.type !== 'cluster.teardown')
    if (active.length > 0) {
      const ids = active.map((job) => `${job.id} (${job.type})`).join(', ')
      throw new ServiceError('jobs_active', `Wait for these jobs, then delete the cluster: ${ids}.`)
    }
    const { status } = await provider.describe()
    if (status === 'absent') throw new ServiceError('cluster_not_found', 'There is no cluster to delete.')
  }

  return {
    get,

    /** What `ensure` would do. */
    async plan(): Promise<ClusterPlan> {
      return {
        identifier: config.CLUSTER_IDENTIFIER,
        engine: config.WAREHOUSE,
        actions: await provider.plan()
      }
    },

    /** Starts the job that makes the cluster exist, or returns the cluster when nothing is missing. */
    async ensure(actor: Actor, options: StartOptions): Promise<Cluster | StartedJob> {
      const replayed = await jobs.replay('cluster.provision', {}, actor, options)
      if (replayed !== undefined) return replayed
      const actions = await provider.plan()
      if (actions.length === 0) return get()
      return jobs.start('cluster.provision', {}, actor, options)
    },

    /** Starts the teardown. It refuses while jobs that use the warehouse are not finished. */
    async remove(params: TeardownParams, actor: Actor, options: StartOptions): Promise<StartedJob> {
      if (params.confirm !== config.CLUSTER_IDENTIFIER) {
        throw new ServiceError(
          'confirmation_mismatch',
          `confirm must be the identifier of the cluster, ${config.CLUSTER_IDENTIFIER}.`
        )
      }
      const { final_snapshot } = params
      return jobs.start('cluster.teardown', { final_snapshot }, actor, { ...options, check: checkRemovable })
    },

    provisionHandler: {
      steps: provider.provisionSteps,
      async run(context: JobContext) {
        await provider.provision(context)
        return { cluster: await get() }
      }
    } satisfies JobHandler,

    teardownHandler: {
      steps: provider.teardownSteps,
      check: checkRemovable,
      async run(context: JobContext) {
        const final_snapshot = await provider.teardown(context.params.final_snapshot === true, context)
        return { final_snapshot }
      }
    } satisfies JobHandler
  }
}
