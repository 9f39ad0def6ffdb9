/** A paused cluster is resumed by whoever needs it, where the configuration says so. */
import type { ClusterProvider } from '../cloud/cluster-provider.ts'
import { ServiceError } from '../errors.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { Clusters } from './cluster.ts'
import type { JobHandler } from './job-handler.ts'

/** Of all the steps of a job; resuming takes minutes, but is rarely needed. */
const SHARE = 1

/** A job that begins with resuming the cluster, if it is paused. */
export function resumeFirst(handler: JobHandler, provider: ClusterProvider): JobHandler {
  return {
    ...handler,
    steps: { resume: SHARE, ...handler.steps },
    async run(context) {
      await context.step('resume')
      const { status } = await provider.describe()
      if (status === 'paused' || status === 'pausing' || status === 'resuming') {
        await context.event('step', `The cluster is ${status}: it is resumed first`)
        // Its steps are parts of this one.
        await provider.resume({ ...contextOf(context), step: async () => {} })
      }
      return handler.run(context)
    }
  }
}

const contextOf = ({ id, signal, event }: Parameters<JobHandler['run']>[0]) => ({ id, signal, event })

/**
 * The warehouse as queries use it: `used` is told of each. One that finds the cluster paused starts the job that resumes
 * it, and is refused with the job's name.
 */
export function watchQueries(
  warehouse: Warehouse,
  { used, clusters }: { used: () => void; clusters: Clusters | undefined }
): Warehouse {
  async function refuse(error: unknown): Promise<never> {
    if (!(error instanceof ServiceError) || error.code !== 'cluster_paused' || clusters === undefined)
      throw error
    const resumer = { key_id: 'resume_on_demand', name: 'resume on demand', scope: 'operate' } as const
    const { job } = await clusters.resume(resumer, { trigger: { kind: 'query' }, on_conflict: 'return' })
    const detail = `The cluster is paused. ${job.id} resumes it: ask again when that has ended, in some minutes.`
    throw new ServiceError('cluster_paused', detail, { cause: error })
  }
  return {
    ...warehouse,
    run(...question) {
      used()
      return warehouse.run(...question).catch(refuse)
    },
    async *stream(...question) {
      used()
      try {
        yield* warehouse.stream(...question)
      } catch (error) {
        await refuse(error)
      }
    }
  }
}
