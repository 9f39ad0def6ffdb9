/**
 * The parts that speak to AWS: its clients, the warehouse in the cluster, and whoever creates the cluster. Loaded only
 * when they are used: the SDK takes most of a second and 100 MB.
 */
import type { Parts } from './app.ts'
import { createAttachedCluster } from './cloud/attached-cluster.ts'
import { type AwsClients, createAwsClients } from './cloud/aws-clients.ts'
import { type Clock, systemClock } from './cloud/poll.ts'
import { readPriceTable } from './cloud/pricing.ts'
import { createRedshiftCluster } from './cloud/redshift-cluster.ts'
import { createAttachedTarget, createManagedTarget, findRoleArn } from './cloud/redshift-credentials.ts'
import type { Config } from './config.ts'
import { openS3Source } from './sources/s3.ts'
import { createScratch } from './sources/s3-scratch.ts'
import type { Source } from './sources/source.ts'
import { createRedshiftWarehouse } from './warehouse/redshift.ts'

/** Something for the log, once it is there. */
export interface Notice {
  level: 'info' | 'warn'
  message: string
  data: object
}

/** The region of buckets that nobody has named one for: S3 then says where they are. */
const ANY_REGION = 'us-east-1'

export interface AwsParts {
  notices: Notice[]
  openSource(location: string): Source
  /** The warehouse on Redshift, and the cluster that we run or that somebody else runs. */
  openRedshift(clock?: Clock): Pick<Parts, 'warehouse' | 'provider'>
  close(): void
}

/** Makes the clients, and finds out where their requests go. Nothing is sent. */
export async function openAws(config: Config): Promise<AwsParts> {
  const sourceRegion = config.SOURCE_REGION ?? config.AWS_REGION
  const region = config.AWS_REGION ?? sourceRegion ?? ANY_REGION
  const clients = createAwsClients({ region, sourceRegion, anonymousSource: config.SOURCE_ANONYMOUS })
  const endpoints = await clients.endpoints()
  const urls = Object.fromEntries(endpoints.map(({ service, url }) => [service, url]))
  const redirected = endpoints.filter(({ isAws }) => !isAws).map(({ service }) => service)
  const notices: Notice[] = [{ level: 'info', message: 'AWS endpoints', data: { region, endpoints: urls } }]
  if (redirected.length > 0) {
    notices.push({
      level: 'warn',
      message: `requests to ${redirected.join(', ')} do not go to AWS: an AWS_ENDPOINT_URL variable or a profile redirects them`,
      data: { endpoints: urls }
    })
  }
  return {
    notices,
    openSource: (location) => openS3Source(clients.s3, location, config.source_roots),
    openRedshift: (clock) => openRedshift(config, clients, clock),
    close: () => clients.close()
  }
}

function openRedshift(
  config: Config,
  clients: AwsClients,
  clock: Clock = systemClock
): Pick<Parts, 'warehouse' | 'provider'> {
  const manifestPrefix = config.MANIFEST_PREFIX
  const isManaged = config.cluster_mode === 'managed'
  const warehouse = createRedshiftWarehouse({
    target: isManaged ? createManagedTarget(config, clients) : createAttachedTarget(config, clients),
    copy: {
      roleArn: () => findRoleArn(config, clients),
      region: config.SOURCE_REGION ?? clients.region,
      jsonpaths: config.LOG_JSONPATHS,
      compactFrom: config.COMPACT_OBJECTS,
      scratch:
        manifestPrefix === undefined ? undefined : (owner) => createScratch(clients.s3, manifestPrefix, owner)
    },
    statementTimeout: config.STATEMENT_TIMEOUT_SECONDS * 1000
  })
  const provider = isManaged
    ? createRedshiftCluster({
        clients,
        config,
        warehouse,
        clock,
        prices: readPriceTable(config.PRICE_TABLE_FILE)
      })
    : createAttachedCluster({ warehouse, config })
  return { warehouse, provider }
}
