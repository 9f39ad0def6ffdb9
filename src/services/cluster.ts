/** The cluster as the API shows it, and the jobs that create, pause, resume and remove it. */
import type { ClusterOperation, ClusterProvider } from '../cloud/cluster-provider.ts'
import type { Config } from '../config.ts'
import { ServiceError } from '../errors.ts'
import type { Cluster, ClusterPlan, TeardownParams } from '../schemas/cluster.ts'
import { type JobType, WAREHOUSE_LANE } from '../schemas/jobs.ts'
import type { Actor } from './api-keys.ts'
import type { ClusterUsages } from './cluster-usage.ts'
import type { JobContext, JobHandler } from './job-handler.ts'
import type { StartedJob, StartOptions } from './job-start.ts'
import type { Jobs } from './jobs.ts'

export interface ClusterDependencies {
  provider: ClusterProvider
  jobs: Jobs
  usages: ClusterUsages
  config: Pick<Config, 'CLUSTER_IDENTIFIER' | 'DATABASE_NAME' | 'WAREHOUSE'>
}

export type Clusters = ReturnType<typeof createClusters>

export function createClusters({ provider, jobs, usages, config }: ClusterDependencies) {
  async function get(): Promise<Cluster> {
    const observed = await provider.describe()
    return {
      identifier: config.CLUSTER_IDENTIFIER,
      engine: config.WAREHOUSE,
      database: config.DATABASE_NAME,
      ...observed,
      usage: await usages.read(observed.estimated_cost?.currency)
    }
  }

  /** Refuses while jobs that use the warehouse are not finished; a repetition of `type` itself is none of them. */
  async function requireIdle(type: JobType, deed: string): Promise<void> {
    const active = (await jobs.active(WAREHOUSE_LANE)).filter((job) => job.type !== type)
    if (active.length === 0) return
    const ids = active.map((job) => `${job.id} (${job.type})`).join(', ')
    throw new ServiceError('jobs_active', `Wait for these jobs, then ${deed} the cluster: ${ids}.`)
  }

  /** Refuses what cannot be done to the cluster as it is. */
  async function requireCluster(deed: string): Promise<void> {
    const { status, ownership } = await provider.describe()
    if (status === 'absent') throw new ServiceError('cluster_not_found', `There is no cluster to ${deed}.`)
    if (ownership === 'foreign') throw foreign(deed)
  }

  async function checkRemovable(): Promise<void> {
    await requireIdle('cluster.teardown', 'delete')
    const { status, ownership, resources } = await provider.describe()
    // A provision or teardown that was cut off leaves things behind that have to go, cluster or not.
    if (resources.length > 0) return
    if (ownership === 'foreign') throw foreign('delete')
    if (status === 'absent') throw new ServiceError('cluster_not_found', 'There is no cluster to delete.')
  }

  async function checkPausable(): Promise<void> {
    await requireIdle('cluster.pause', 'pause')
    await requireCluster('pause')
  }

  const checkResumable = () => requireCluster('resume')

  function foreign(deed: string): ServiceError {
    return new ServiceError(
      'foreign_cluster',
      `The cluster ${config.CLUSTER_IDENTIFIER} does not carry this deployment's tag, so it is not ours to ${deed}.`
    )
  }

  return {
    get,

    /** What `ensure` would do. */
    async plan(): Promise<ClusterPlan> {
      return {
        identifier: config.CLUSTER_IDENTIFIER,
        engine: config.WAREHOUSE,
        ...(await provider.plan())
      }
    },

    /** Starts the job that makes the cluster exist, or returns the cluster when nothing is missing. */
    async ensure(actor: Actor, options: StartOptions): Promise<Cluster | StartedJob> {
      const replayed = await jobs.replay('cluster.provision', {}, actor, options)
      if (replayed !== undefined) return replayed
      const { actions } = await provider.plan()
      if (actions.length === 0) return get()
      return jobs.start('cluster.provision', {}, actor, options)
    },

    /** Starts the teardown. It refuses while jobs that use the warehouse are not finished. */
    async remove(params: TeardownParams, actor: Actor, options: StartOptions): Promise<StartedJob> {
      provider.allows('teardown')
      if (params.confirm !== config.CLUSTER_IDENTIFIER) {
        throw new ServiceError(
          'confirmation_mismatch',
          `confirm must be the identifier of the cluster, ${config.CLUSTER_IDENTIFIER}.`
        )
      }
      const { final_snapshot } = params
      return jobs.start('cluster.teardown', { final_snapshot }, actor, { ...options, check: checkRemovable })
    },

    /** Starts the pause. It refuses while jobs that use the warehouse are not finished. */
    async pause(actor: Actor, options: StartOptions): Promise<StartedJob> {
      provider.allows('pause')
      return jobs.start('cluster.pause', {}, actor, { ...options, check: checkPausable })
    },

    /** Starts the resumption. */
    async resume(actor: Actor, options: StartOptions): Promise<StartedJob> {
      provider.allows('resume')
      return jobs.start('cluster.resume', {}, actor, { ...options, check: checkResumable })
    },

    provisionHandler: handler('provision', provider.provision),
    pauseHandler: { ...handler('pause', provider.pause), check: checkPausable },
    resumeHandler: { ...handler('resume', provider.resume), check: checkResumable },

    teardownHandler: {
      steps: provider.steps.teardown,
      check: checkRemovable,
      run: async (context: JobContext) => provider.teardown(context.params.final_snapshot === true, context)
    } satisfies JobHandler
  }

  /** A job that ends with the cluster as it is then. */
  function handler(operation: ClusterOperation, work: ClusterProvider['provision']): JobHandler {
    return {
      steps: provider.steps[operation],
      async run(context) {
        await work(context)
        return { cluster: await get() }
      }
    }
  }
}
