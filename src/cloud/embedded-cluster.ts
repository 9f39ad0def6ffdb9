/** The cluster on a laptop: the DuckDB file is the cluster. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ServiceError } from '../errors.ts'
import { parseSql } from '../sql.ts'
import type { DuckdbWarehouse } from '../warehouse/duckdb.ts'
import type { ClusterProvider, ClusterState } from './cluster-provider.ts'

const probe = parseSql('embedded-cluster/probe', 'select 1')

export interface EmbeddedClusterOptions {
  warehouse: DuckdbWarehouse
  identifier: string
  /** Where final snapshots are kept. */
  snapshotDirectory: string
}

export function createEmbeddedCluster(options: EmbeddedClusterOptions): ClusterProvider {
  const { warehouse, identifier, snapshotDirectory } = options
  const absent: ClusterState = {
    ...{ status: 'absent', ownership: 'none', availability: null, endpoint: null },
    ...{ role_arn: null, ingress_cidrs: [], node_type: null, number_of_nodes: 0 },
    ...{ publicly_accessible: null, encrypted: null, isolation_level: null, size_bytes: null },
    ...{ account_id: null, region: null },
    ...{ desired: null, drift: [], resources: [], estimated_cost: null }
  }
  const status = () => (warehouse.exists() ? 'available' : 'absent')
  const refuse = async () => {
    throw notSupported()
  }
  return {
    steps: {
      provision: { create: 8, ready: 2 },
      teardown: { delete: 1 },
      pause: { refuse: 1 },
      resume: { refuse: 1 }
    },

    allows(operation) {
      if (operation === 'pause' || operation === 'resume') throw notSupported()
    },

    status: async () => status(),

    async describe() {
      if (!warehouse.exists()) return absent
      return {
        ...absent,
        status: status(),
        ownership: 'ours',
        endpoint: pathToFileURL(warehouse.path).href,
        number_of_nodes: 1,
        size_bytes: await warehouse.size(),
        resources: [{ type: 'duckdb_file', id: warehouse.path }]
      }
    },

    async plan() {
      const create = {
        action: 'create' as const,
        resource: identifier,
        detail: `a DuckDB file at ${warehouse.path}`
      }
      const actions = warehouse.exists() ? [] : [create]
      return { account_id: null, region: null, actions, estimated_cost: null }
    },

    async provision({ step }) {
      await step('create')
      await warehouse.create()
      await step('ready')
      await warehouse.run(probe)
    },

    async teardown(finalSnapshot, { step }) {
      await step('delete')
      const stamp = new Date().toISOString().replace(/[:.]/g, '-')
      const snapshotPath = finalSnapshot
        ? join(snapshotDirectory, `${identifier}-${stamp}.duckdb`)
        : undefined
      await warehouse.remove(snapshotPath)
      return { final_snapshot: snapshotPath ?? null }
    },

    pause: refuse,
    resume: refuse
  }
}

const notSupported = () =>
  new ServiceError(
    'not_supported',
    'The embedded warehouse costs nothing while it is idle, so it is neither paused nor resumed. With WAREHOUSE=redshift the cluster is.'
  )
