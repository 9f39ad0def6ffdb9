/** Opens what the service stands on, from the configuration alone. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Parts } from './app.ts'
import { createEmbeddedCluster } from './cloud/embedded-cluster.ts'
import type { Config } from './config.ts'
import { ensureSample } from './sources/sample.ts'
import { adoptRestored } from './store/adopt-restored.ts'
import { lockDataDir } from './store/data-dir-lock.ts'
import { migrate } from './store/migrate.ts'
import { openPglite } from './store/pglite.ts'
import { openPostgres } from './store/postgres.ts'
import { createDuckdbWarehouse } from './warehouse/duckdb.ts'

export interface OpenedParts extends Parts {
  close(): Promise<void>
}

/**
 * Takes the lock on `DATA_DIR`, opens store and warehouse and brings the store's schema up to date. What was opened
 * is closed again when something fails. Throws `DataDirLockedError`, `store_unavailable`.
 */
export async function openParts(config: Config): Promise<OpenedParts> {
  const closers: (() => unknown)[] = [lockDataDir(config.DATA_DIR)]
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    // What a killed process left of its loads: the lock says that nobody works on them.
    await rm(join(config.DATA_DIR, 'spool'), { recursive: true, force: true })
    const tempDirectory = join(config.DATA_DIR, 'tmp')
    await rm(tempDirectory, { recursive: true, force: true })
    await mkdir(tempDirectory, { recursive: true, mode: 0o700 })
    if (config.uses_sample_data) await ensureSample(join(config.DATA_DIR, 'sample'))

    const store =
      config.DATABASE_URL === undefined
        ? await openPglite(join(config.DATA_DIR, 'store'))
        : await openPostgres(config.DATABASE_URL)
    closers.push(() => store.close())
    await migrate(store)
    await adoptRestored(store)

    const path = join(config.DATA_DIR, 'warehouse', `${config.CLUSTER_IDENTIFIER}.duckdb`)
    const warehouse = createDuckdbWarehouse({ path, tempDirectory })
    closers.push(() => warehouse.close())
    const provider = createEmbeddedCluster({
      warehouse,
      identifier: config.CLUSTER_IDENTIFIER,
      snapshotDirectory: join(config.DATA_DIR, 'snapshots')
    })
    return { store, warehouse, provider, close }
  } catch (error) {
    await close()
    throw error
  }
}
