/** The cluster on a laptop: the DuckDB file is the cluster. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseSql } from '../sql.ts'
import type { DuckdbWarehouse } from '../warehouse/duckdb.ts'
import type { ClusterProvider } from './cluster-provider.ts'

const probe = parseSql('embedded-cluster/probe', 'select 1')

export interface EmbeddedClusterOptions {
  warehouse: DuckdbWarehouse
  identifier: string
  /** Where final snapshots are kept. */
  snapshotDirectory: string
}

export function createEmbeddedCluster(options: EmbeddedClusterOptions): ClusterProvider {
  const { warehouse, identifier, snapshotDirectory } = options
  const absent = {
    status: 'absent',
    endpoint: null,
    role_arn: null,
    ingress_cidrs: [],
    node_type: null,
    number_of_nodes: 0,
    size_bytes: null
  }
  return {
    provisionSteps: { create: 8, ready: 2 },
    teardownSteps: { delete: 1 },

    async describe() {
      if (!warehouse.exists()) return absent
      const endpoint = pathToFileURL(warehouse.path).href
      return {
        ...absent,
        status: 'available',
        endpoint,
        number_of_nodes: 1,
        size_bytes: await warehouse.size()
      }
    },

    async plan() {
      if (warehouse.exists()) return []
      return [{ action: 'create', resource: identifier, detail: `a DuckDB file at ${warehouse.path}` }]
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
      return snapshotPath ?? null
    }
  }
}
