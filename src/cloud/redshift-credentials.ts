/** Where the warehouse connects to, and as whom. Passwords are fetched for each new connection and kept nowhere. */
import { readFileSync } from 'node:fs'
import { type Config, ConfigError } from '../config.ts'
import { ServiceError } from '../errors.ts'
import type { ConnectionTarget } from '../warehouse/redshift-connection.ts'
import type { AwsClients } from './aws-clients.ts'
import { foreignCluster, noCluster, phaseOf, statusOf } from './cluster-status.ts'
import { isOwned, type Owner } from './ownership.ts'
import { createRedshiftApi } from './redshift-api.ts'

/** Longest that AWS may take to answer, in ms. */
const TIMEOUT = 30_000

/** Asked again whenever a connection was lost. */
export type FindTarget = () => Promise<ConnectionTarget>

type Api = ReturnType<typeof createRedshiftApi>

/**
 * Our own cluster, wherever it is by now, or a tunnel to it. The target throws `cluster_not_found`, `foreign_cluster`,
 * `cluster_paused` and, while the cluster is on its way, `warehouse_unavailable`.
 */
export function createManagedTarget(config: Config, clients: AwsClients): FindTarget {
  const { CLUSTER_IDENTIFIER, DATABASE_NAME, MASTER_USERNAME } = config
  const api = createRedshiftApi(clients.redshift, CLUSTER_IDENTIFIER)
  const owner = { identifier: CLUSTER_IDENTIFIER, region: clients.region }
  const ca = readAuthorities(config.REDSHIFT_TLS_CA_FILE)
  return async () => {
    const endpoint = await findEndpoint(api, owner)
    const isTunnel = config.REDSHIFT_HOST !== undefined
    return {
      host: config.REDSHIFT_HOST ?? endpoint.host,
      port: isTunnel ? config.REDSHIFT_PORT : endpoint.port,
      database: DATABASE_NAME,
      ...temporaryLogin(api, MASTER_USERNAME, DATABASE_NAME),
      // Through a tunnel the certificate still names the cluster.
      serverName: config.REDSHIFT_TLS_SERVER_NAME ?? (isTunnel ? endpoint.host : undefined),
      ca
    }
  }
}

/** The cluster at `REDSHIFT_HOST`. Without a password it takes `clients`, for credentials of IAM. */
export function createAttachedTarget(config: Config, clients: AwsClients | undefined): FindTarget {
  const { REDSHIFT_USER = '', REDSHIFT_PASSWORD, DATABASE_NAME } = config
  const ca = readAuthorities(config.REDSHIFT_TLS_CA_FILE)
  const login =
    REDSHIFT_PASSWORD === undefined && clients !== undefined
      ? temporaryLogin(
          createRedshiftApi(clients.redshift, config.CLUSTER_IDENTIFIER),
          REDSHIFT_USER,
          DATABASE_NAME
        )
      : { user: REDSHIFT_USER, password: async () => REDSHIFT_PASSWORD ?? '' }
  return async () => ({
    host: config.REDSHIFT_HOST ?? '',
    port: config.REDSHIFT_PORT,
    database: DATABASE_NAME,
    ...login,
    serverName: config.REDSHIFT_TLS_SERVER_NAME,
    ca
  })
}

/** The role that COPY names: the one given, or the one of ours that is attached to the cluster. */
export async function findRoleArn(config: Config, clients: AwsClients): Promise<string> {
  if (config.IAM_ROLE_ARN !== undefined) return config.IAM_ROLE_ARN
  const { CLUSTER_IDENTIFIER, IAM_ROLE_NAME } = config
  const cluster = await createRedshiftApi(clients.redshift, CLUSTER_IDENTIFIER).describe(
    AbortSignal.timeout(TIMEOUT)
  )
  if (cluster === undefined) throw noCluster(CLUSTER_IDENTIFIER)
  const arns = (cluster.IamRoles ?? []).map(({ IamRoleArn = '' }) => IamRoleArn)
  const found = arns.find((arn) => arn.endsWith(`/${IAM_ROLE_NAME}`))
  if (found !== undefined) return found
  throw new ServiceError(
    'iam_role_not_found',
    `The IAM role ${IAM_ROLE_NAME} is not attached to the cluster ${CLUSTER_IDENTIFIER}. PUT /v1/cluster attaches it.`
  )
}

async function findEndpoint(api: Api, owner: Owner): Promise<{ host: string; port: number }> {
  const { identifier } = owner
  const cluster = await api.describe(AbortSignal.timeout(TIMEOUT))
  if (cluster !== undefined && !isOwned(owner, cluster.Tags)) throw foreignCluster(identifier)
  const phase = phaseOf(cluster)
  if (phase === 'absent' || phase === 'leaving') throw noCluster(identifier)
  const status = statusOf(cluster)
  if (status === 'paused' || status === 'pausing') {
    throw new ServiceError(
      'cluster_paused',
      `The cluster ${identifier} is ${status}. POST /v1/cluster/resume wakes it up.`
    )
  }
  const { Address, Port } = cluster?.Endpoint ?? {}
  if (Address === undefined || Port === undefined) {
    throw new ServiceError(
      'warehouse_unavailable',
      `The cluster ${identifier} has no endpoint yet: it is ${status}.`
    )
  }
  return { host: Address, port: Port }
}

/** Logs in as `IAM:<user>`, the name that such credentials are for, with a password that lasts a quarter of an hour. */
function temporaryLogin(
  api: Api,
  user: string,
  database: string
): Pick<ConnectionTarget, 'user' | 'password'> {
  const name = `IAM:${user}`
  return {
    user: name,
    async password() {
      const { DbUser, DbPassword } = await api.credentials(user, database, AbortSignal.timeout(TIMEOUT))
      if (DbUser !== name || DbPassword === undefined) {
        throw new ServiceError(
          'warehouse_login_failed',
          `Redshift gave credentials for ${DbUser ?? 'nobody'} when asked for ${name}.`
        )
      }
      return DbPassword
    }
  }
}

function readAuthorities(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError([`REDSHIFT_TLS_CA_FILE names ${file}, which cannot be read (${code})`])
  }
}
