/**
 * Keeps a forgotten cluster from costing money: counts what it costs, pauses it when nobody uses it, and deletes it at the end
 * of its life. Every replica looks; the jobs are started once.
 */
import { ServiceError } from '../errors.ts'
import type { Actor } from './api-keys.ts'
import type { Audit } from './audit.ts'
import type { Clock } from './clock.ts'
import type { Clusters } from './cluster.ts'
import type { ClusterUsages, UsageRow } from './cluster-usage.ts'
import type { Logger } from './logger.ts'

/** Between two looks, in ms. */
const INTERVAL = 60_000
/** How long before the end of a cluster's life somebody is told, in hours. */
const WARNINGS = [1, 24]

/** In whose name it acts. */
const guard: Actor = { key_id: 'cost_guard', name: 'cost guard', scope: 'admin' }

export interface CostGuardOptions {
  usages: ClusterUsages
  clusters: Clusters
  audit: Audit
  clock: Clock
  identifier: string
  /** Whether the data of a cluster is kept when its life ends. */
  finalSnapshot: boolean
}

export type CostGuard = ReturnType<typeof createCostGuard>

export function createCostGuard(options: CostGuardOptions) {
  const { usages, clusters, audit, clock, identifier, finalSnapshot } = options
  let stopTimer = () => {}
  let looking: Promise<void> | undefined
  let logger: Logger | undefined

  /** Looks once and does what is due. */
  async function look(log: Logger): Promise<void> {
    const seen = await usages.look()
    if (seen === undefined) return
    const { usage, state } = seen
    if (await endsLife(usage, log)) return
    const pausesAt = usages.pausesAt(usage)
    if (state.status !== 'available' || pausesAt === null || pausesAt > clock.now()) return
    const trigger = { kind: 'idle' }
    const { job } = await clusters.pause(guard, { trigger, on_conflict: 'reject' })
    log.info({ job_id: job.id, last_used_at: usage.used_at }, 'nobody uses the cluster: it is paused')
    await record('pauseCluster', job.id)
  }

  /** Deletes a cluster whose life is over, and warns before. True when nothing else is to be done about it. */
  async function endsLife(usage: UsageRow, log: Logger): Promise<boolean> {
    const expiresAt = usages.expiresAt(usage)
    if (expiresAt === null) return false
    const hours = (expiresAt.getTime() - clock.now().getTime()) / 3_600_000
    if (hours > 0) {
      const due = WARNINGS.find((each) => hours <= each)
      if (due !== undefined && (await usages.isFirstToWarn(due))) {
        log.warn(
          { expires_at: expiresAt },
          `the cluster is deleted in less than ${due} hours (CLUSTER_TTL_HOURS)`
        )
        await record('warnOfExpiry', null)
      }
      return false
    }
    const params = { confirm: identifier, final_snapshot: finalSnapshot }
    const { job } = await clusters.remove(params, guard, { trigger: { kind: 'ttl' }, on_conflict: 'reject' })
    log.warn({ job_id: job.id, expires_at: expiresAt }, 'the life of the cluster is over: it is deleted')
    await record('deleteCluster', job.id)
    return true
  }

  /** Its deeds stand beside those of people. */
  const record = (action: string, job_id: string | null) =>
    audit.append({
      ...{
        key_id: guard.key_id,
        key_name: guard.name,
        action,
        path: '/v1/cluster',
        status: job_id ? 202 : 200
      },
      ...{ outcome: 'done', code: null, address: 'service', request_id: '', job_id }
    })

  function next() {
    if (logger === undefined) return
    stopTimer = clock.setTimer(new Date(clock.now().getTime() + INTERVAL), () => {
      const log = logger
      if (log === undefined) return
      looking = look(log)
        .catch((error) => {
          // Jobs use the cluster, or one already does what is due: the next look sees.
          const busy = ['jobs_active', 'job_conflict']
          if (!(error instanceof ServiceError && busy.includes(error.code)))
            log.warn({ err: error }, 'the cost guard could not look at the cluster')
        })
        .finally(next)
    })
  }

  return {
    look,
    start(log: Logger) {
      logger = log
      next()
    },
    /** Resolves when no look is under way. */
    async stop() {
      logger = undefined
      stopTimer()
      await looking
    }
  }
}
