/** Opens what the service stands on, from the configuration alone. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Parts } from './app.ts'
import type { AwsParts, Notice } from './aws-parts.ts'
import { createEmbeddedCluster } from './cloud/embedded-cluster.ts'
import type { Clock } from './cloud/poll.ts'
import type { Config } from './config.ts'
import { openLocalSource } from './sources/local.ts'
import { ensureSample } from './sources/sample.ts'
import { adoptRestored } from './store/adopt-restored.ts'
import { lockDataDir } from './store/data-dir-lock.ts'
import { migrate } from './store/migrate.ts'
import type { Store } from './store/store.ts'
import { createDuckdbWarehouse } from './warehouse/duckdb.ts'

export interface OpenedParts extends Parts {
  /** What the log of the start has to tell. */
  notices: Notice[]
  close(): Promise<void>
}

/** What comes from outside the configuration; tests and demos bring their own. */
export interface Outside {
  /** How long it takes to wait for AWS. */
  clock?: Clock
}

/**
 * Takes the lock on `DATA_DIR`, opens store and warehouse and brings the store's schema up to date. What was opened
 * is closed again when something fails. Throws `DataDirLockedError`, `ConfigError`, `store_unavailable`.
 */
export async function openParts(config: Config, outside: Outside = {}): Promise<OpenedParts> {
  const closers: (() => unknown)[] = [lockDataDir(config.DATA_DIR)]
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    if (config.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined) {
      const { openTracing } = await import('./tracing.ts')
      closers.push(openTracing(config.OTEL_EXPORTER_OTLP_ENDPOINT, config.OTEL_SERVICE_NAME))
    }
    // What a killed process left of its loads: the lock says that nobody works on them.
    await rm(join(config.DATA_DIR, 'spool'), { recursive: true, force: true })
    const tempDirectory = join(config.DATA_DIR, 'tmp')
    await rm(tempDirectory, { recursive: true, force: true })
    await mkdir(tempDirectory, { recursive: true, mode: 0o700 })
    if (config.uses_sample_data) await ensureSample(join(config.DATA_DIR, 'sample'))

    const store = await openStore(config)
    closers.push(() => store.close())
    await migrate(store)
    await adoptRestored(store)

    const aws = await openAwsIfUsed(config)
    closers.push(() => aws?.close())
    const opened =
      aws !== undefined && config.WAREHOUSE === 'redshift'
        ? aws.openRedshift(outside.clock)
        : openEmbedded(config, tempDirectory)
    closers.push(() => opened.warehouse.close())
    const openSource = async (location: string) =>
      aws !== undefined && location.startsWith('s3://')
        ? aws.openSource(location)
        : openLocalSource(location, config.source_roots)
    return { store, ...opened, openSource, notices: aws?.notices ?? [], close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Each engine is loaded only where it is used: that is a part of the time to be ready. */
async function openStore({ DATABASE_URL, DATA_DIR }: Config): Promise<Store> {
  if (DATABASE_URL !== undefined) {
    const { openPostgres } = await import('./store/postgres.ts')
    return openPostgres(DATABASE_URL)
  }
  const { openPglite } = await import('./store/pglite.ts')
  return openPglite(join(DATA_DIR, 'store'))
}

/** Loads the SDK only where something of AWS is used: it would double the start and the memory of the others. */
async function openAwsIfUsed(config: Config): Promise<AwsParts | undefined> {
  const usesS3 = config.source_roots.some((root) => root.startsWith('s3://'))
  if (config.WAREHOUSE === 'duckdb' && !usesS3) return undefined
  const { openAws } = await import('./aws-parts.ts')
  return openAws(config)
}

function openEmbedded(config: Config, tempDirectory: string): Pick<Parts, 'warehouse' | 'provider'> {
  const path = join(config.DATA_DIR, 'warehouse', `${config.CLUSTER_IDENTIFIER}.duckdb`)
  const warehouse = createDuckdbWarehouse({ path, tempDirectory, memoryMb: config.WAREHOUSE_MEMORY_MB })
  const provider = createEmbeddedCluster({
    warehouse,
    identifier: config.CLUSTER_IDENTIFIER,
    snapshotDirectory: join(config.DATA_DIR, 'snapshots')
  })
  return { warehouse, provider }
}
