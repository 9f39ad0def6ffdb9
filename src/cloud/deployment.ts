/** What a deployment consists of in its AWS account, and how its parts are looked at. */
import type { Cluster } from '@aws-sdk/client-redshift'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import type { Config } from '../config.ts'
import { ServiceError } from '../errors.ts'
import type { Queryable } from '../warehouse/warehouse.ts'
import type { AwsClients } from './aws-clients.ts'
import { callAws } from './aws-errors.ts'
import type { ProvisionContext } from './cluster-provider.ts'
import { clusterFailed, foreignCluster, noCluster, phaseOf, statusOf } from './cluster-status.ts'
import { createIamRole } from './iam-role.ts'
import { isOwned, type Owner } from './ownership.ts'
import { type Clock, poll, retry } from './poll.ts'
import type { PriceTable } from './pricing.ts'
import { createRedshiftApi } from './redshift-api.ts'
import { readPolicy } from './role-policy.ts'
import { createSecurityGroups } from './security-group.ts'

/** Pauses between two looks at the cluster, in ms. */
const pauses = { firstPause: 2_000, longestPause: 20_000 }
/** How long a change is refused because another one is under way, in ms. */
const STATE_TIMEOUT = 15 * 60_000
/** How long a new cluster may be invisible, in ms. */
const VISIBLE_TIMEOUT = 60_000

export interface DeploymentOptions {
  clients: AwsClients
  config: Config
  /** The warehouse in the cluster, to prove that it takes statements. */
  warehouse: Queryable
  prices: PriceTable
  clock: Clock
}

export interface Identity {
  account_id: string
  region: string
  caller: string
}

export type Deployment = ReturnType<typeof createDeployment>

export function createDeployment({ clients, config, warehouse, prices, clock }: DeploymentOptions) {
  const { region } = clients
  const identifier = config.CLUSTER_IDENTIFIER
  const owner: Owner = { identifier, region }
  const api = createRedshiftApi(clients.redshift, identifier)
  const roleSettings = {
    name: config.IAM_ROLE_NAME,
    owner,
    policy: readPolicy(region, readableUrls(config)),
    managedPolicyArn: config.IAM_MANAGED_POLICY_ARN
  }
  const groupSettings = {
    owner,
    port: config.DATABASE_PORT,
    cidrs: config.ingress_cidrs,
    allowsOpen: config.ALLOW_OPEN_INGRESS
  }

  /** The cluster; undefined when there is none. Throws `foreign_cluster` for one without our tag. */
  async function findCluster(signal: AbortSignal): Promise<Cluster | undefined> {
    const cluster = await api.describe(signal)
    if (cluster !== undefined && !isOwned(owner, cluster.Tags)) throw foreignCluster(identifier)
    return cluster
  }

  return {
    ...{ region, identifier, owner, config, warehouse, prices, clock, api, findCluster },
    /** Undefined when the role is somebody else's, to be used as it is. */
    role: config.IAM_ROLE_ARN === undefined ? createIamRole(clients.iam, roleSettings, clock) : undefined,
    groups: createSecurityGroups(clients.ec2, groupSettings, clock),

    /** Whose account it is. */
    async identity(signal: AbortSignal): Promise<Identity> {
      const { Account = '', Arn = '' } = await callAws('sts:GetCallerIdentity', signal, (options) =>
        clients.sts.send(new GetCallerIdentityCommand({}), options)
      )
      return { account_id: Account, region, caller: Arn }
    },

    /**
     * Waits until the cluster is as `isReached` asks; every new status is told. Throws `cluster_failed` for a status
     * that it does not leave, and `cluster_not_ready` after `timeout` ms.
     */
    waitFor(
      { signal, event }: ProvisionContext,
      isReached: (cluster: Cluster | undefined) => boolean,
      timeout: number
    ): Promise<Cluster | undefined> {
      let told: string | undefined
      return poll({
        ...{ clock, signal, ...pauses, timeout },
        look: () => findCluster(signal),
        async isDone(cluster, waited) {
          const status = statusOf(cluster)
          if (isReached(cluster)) return true
          if (phaseOf(cluster) === 'failed') throw clusterFailed(identifier, cluster)
          if (cluster === undefined && waited > VISIBLE_TIMEOUT) throw noCluster(identifier)
          if (status !== told) await event('step', `The cluster is ${status}`, { status })
          told = status
          return false
        },
        onTimeout: (cluster) => notReady(identifier, statusOf(cluster), timeout)
      })
    },

    /** Does `work`, which looks first, again while the cluster refuses it because of another change. */
    whenAccepted: <Result>({ signal }: ProvisionContext, work: () => Promise<Result>): Promise<Result> =>
      retry(work, {
        ...{ clock, signal, ...pauses, timeout: STATE_TIMEOUT },
        passes: (error) => error instanceof ServiceError && error.code === 'invalid_cluster_state'
      })
  }
}

/** What the role has to read: every source that a job may name, the jsonpaths file, the manifests. */
function readableUrls(config: Config) {
  const { source_roots, SONG_DATA, LOG_DATA, MANIFEST_PREFIX, LOG_JSONPATHS } = config
  const isS3 = (url: string | undefined) => url?.startsWith('s3://') === true
  const prefixes = [...new Set([...source_roots, SONG_DATA, LOG_DATA, MANIFEST_PREFIX ?? ''])]
  return {
    prefixes: prefixes.filter(isS3),
    objects: LOG_JSONPATHS === undefined ? [] : [LOG_JSONPATHS]
  }
}

const notReady = (identifier: string, status: string, timeout: number) =>
  new ServiceError(
    'cluster_not_ready',
    `The cluster ${identifier} is still ${status} after ${Math.round(timeout / 60_000)} minutes. The AWS console may show why; the same request again goes on waiting.`
  )
