/** How long the cluster has run, what that has cost, and when it was used last: in the store, for all replicas. */
import type { ClusterProvider, ClusterState } from '../cloud/cluster-provider.ts'
import type { ClusterUsage } from '../schemas/cluster.ts'
import { WAREHOUSE_LANE } from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import { queryMaybe, queryOne, type Store } from '../store/store.ts'
import type { Clock } from './clock.ts'

const observe = readSql('store/cluster-usage/observe.sql')
const get = readSql('store/cluster-usage/get.sql')
const forget = readSql('store/cluster-usage/forget.sql')
const warn = readSql('store/cluster-usage/warn.sql')

/** States in which nodes are not paid for, or not there. */
const NOT_RUNNING = ['paused', 'creating', 'deleting', 'resuming']

export interface UsageRow {
  since: Date
  is_running: boolean
  running_seconds: number
  cost: number | null
  used_at: Date
}

export interface UsageOptions {
  store: Store
  provider: ClusterProvider
  clock: Clock
  identifier: string
  /** Minutes without use after which it is paused; 0: never. */
  idleMinutes: number
  /** Hours after which it is deleted; 0: never. */
  ttlHours: number
}

export type ClusterUsages = ReturnType<typeof createClusterUsages>

export function createClusterUsages(options: UsageOptions) {
  const { store, provider, clock, identifier, idleMinutes, ttlHours } = options
  let usedAt: Date | null = null

  const pausesAt = ({ is_running, used_at }: UsageRow) =>
    idleMinutes > 0 && is_running ? new Date(used_at.getTime() + idleMinutes * 60_000) : null
  const expiresAt = ({ since }: UsageRow) =>
    ttlHours > 0 ? new Date(since.getTime() + ttlHours * 3_600_000) : null

  return {
    pausesAt,
    expiresAt,

    /** A query goes to the cluster. */
    used() {
      usedAt = clock.now()
    },

    /** Looks at the cluster and counts the time since the last look; undefined when there is none of ours. */
    async look(): Promise<{ usage: UsageRow; state: ClusterState } | undefined> {
      const state = await provider.describe()
      if (state.status === 'absent') await store.query(forget, { identifier })
      if (state.ownership !== 'ours') return undefined
      const usage = await queryOne<UsageRow>(store, observe, {
        ...{ identifier, now: clock.now(), used_at: usedAt, lane: WAREHOUSE_LANE },
        ...{
          is_running: !NOT_RUNNING.includes(state.status),
          per_hour: state.estimated_cost?.per_hour ?? null
        }
      })
      return { usage, state }
    },

    /** True for the one replica that is to warn that the cluster ends in so many hours. */
    async isFirstToWarn(hours: number): Promise<boolean> {
      return (await queryMaybe(store, warn, { identifier, hours })) !== undefined
    },

    /** What was counted so far; null where nothing was. */
    async read(currency: string | undefined): Promise<ClusterUsage | null> {
      const row = await queryMaybe<UsageRow>(store, get, { identifier })
      if (row === undefined) return null
      return {
        since: row.since.toISOString(),
        running_hours: Math.round(row.running_seconds / 36) / 100,
        estimated_cost: row.cost === null ? null : Math.round(row.cost * 100) / 100,
        currency: currency ?? null,
        last_used_at: row.used_at.toISOString(),
        pauses_at: pausesAt(row)?.toISOString() ?? null,
        expires_at: expiresAt(row)?.toISOString() ?? null
      }
    }
  }
}
