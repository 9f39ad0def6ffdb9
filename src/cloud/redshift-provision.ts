/** Makes the cluster exist, step by step; every step looks first and does what is missing. */
import { randomBytes } from 'node:crypto'
import { ServiceError } from '../errors.ts'
import { parseSql } from '../sql.ts'
import { isAwsError, isRoleUnseen } from './aws-errors.ts'
import type { Change } from './change.ts'
import { clusterChanges } from './cluster-changes.ts'
import type { ProvisionContext } from './cluster-provider.ts'
import { isSettled, phaseOf, statusOf } from './cluster-status.ts'
import type { Deployment, Identity } from './deployment.ts'
import { ownerTags } from './ownership.ts'
import { type Clock, retry } from './poll.ts'

/** In ms: creation takes minutes, and an hour when AWS is busy. */
export const CREATE_TIMEOUT = 75 * 60_000
/** How long Redshift may not see a role that IAM has created, in ms. */
const ROLE_TIMEOUT = 120_000
/** How long the name of a new cluster may not resolve yet, or its port not answer, in ms. */
const CONNECT_TIMEOUT = 180_000

const probe = parseSql('redshift-cluster/probe', 'select 1')

export const provisionSteps = { identity: 1, role: 3, network: 2, cluster: 4, available: 80, connect: 10 }

/** Runs every step; started again, it goes on where it stopped. */
export async function provision(deployment: Deployment, context: ProvisionContext): Promise<void> {
  await context.step('identity')
  checkRoleAccount(deployment, await identify(deployment, context))
  // Nothing is created beside a cluster that is not ours.
  await deployment.findCluster(context.signal)
  deployment.groups.refuseOpen()
  await context.step('role')
  const roleArn = await ensureRole(deployment, context)
  await context.step('network')
  const groupId = await ensureGroup(deployment, context)
  await context.step('cluster')
  await startCluster(deployment, context, roleArn, groupId)
  await context.step('available')
  await ensureAvailable(deployment, context, roleArn, groupId)
  await context.step('connect')
  await connect(deployment, context)
}

/** Tells whose account it is before anything is changed there. */
export async function identify(
  deployment: Deployment,
  { signal, event }: ProvisionContext
): Promise<Identity> {
  const identity = await deployment.identity(signal)
  const { account_id, region, caller } = identity
  await event('step', `AWS account ${account_id}, region ${region}, as ${caller}`, { ...identity })
  return identity
}

function checkRoleAccount({ config }: Deployment, { account_id }: Identity): void {
  const { IAM_ROLE_ARN } = config
  if (IAM_ROLE_ARN !== undefined && IAM_ROLE_ARN.split(':')[4] !== account_id) {
    throw new ServiceError(
      'iam_role_not_found',
      `IAM_ROLE_ARN names ${IAM_ROLE_ARN}, and the account is ${account_id}. The role must be in the account of the cluster.`
    )
  }
}

/** Tells of each change and makes it; `patiently` may try it more than once. */
async function apply(
  changes: Change[],
  { signal, event }: ProvisionContext,
  patiently = (work: () => Promise<void>) => work()
): Promise<void> {
  for (const { planned, apply } of changes) {
    await event('step', `${planned.action} ${planned.resource}: ${planned.detail}`, { ...planned })
    await patiently(() => apply(signal))
  }
}

async function ensureRole({ role, config }: Deployment, context: ProvisionContext): Promise<string> {
  if (role === undefined) return config.IAM_ROLE_ARN ?? ''
  const observed = await role.find(context.signal)
  await apply(role.changes(observed), context)
  return (observed ?? (await role.findCreated(context.signal))).arn
}

async function ensureGroup(deployment: Deployment, context: ProvisionContext): Promise<string> {
  const { groups } = deployment
  const vpcId = await findVpc(deployment, context.signal)
  const observed = await groups.findByName(vpcId, context.signal)
  await apply(
    groups.changes(observed, () => vpcId),
    context
  )
  return (observed ?? (await groups.findCreated(vpcId, context.signal))).id
}

/** The VPC of the cluster, of its subnet group, or the default one. Throws `network_not_found`. */
async function findVpc(deployment: Deployment, signal: AbortSignal): Promise<string> {
  const { api, groups, config, region } = deployment
  const cluster = await deployment.findCluster(signal)
  if (cluster?.VpcId !== undefined && phaseOf(cluster) !== 'leaving') return cluster.VpcId
  const name = config.SUBNET_GROUP_NAME
  const vpcId = name === undefined ? await groups.defaultVpc(signal) : await api.subnetGroupVpc(name, signal)
  if (vpcId !== undefined) return vpcId
  const problem =
    name === undefined
      ? `The region ${region} has no default VPC. Create a cluster subnet group and name it in SUBNET_GROUP_NAME.`
      : `There is no cluster subnet group ${name} in ${region}. Check SUBNET_GROUP_NAME.`
  throw new ServiceError('network_not_found', problem)
}

/** Creates the cluster, or wakes it up, so that it is on its way. */
async function startCluster(
  deployment: Deployment,
  context: ProvisionContext,
  roleArn: string,
  groupId: string
): Promise<void> {
  // One that is being deleted or paused has to get to the end of that first.
  const cluster = await deployment.waitFor(context, isResting, CREATE_TIMEOUT)
  if (cluster === undefined) await createCluster(deployment, context, roleArn, groupId)
  else if (phaseOf(cluster) === 'paused') await resumeCluster(deployment, context)
}

const isResting: Parameters<Deployment['waitFor']>[1] = (cluster) =>
  phaseOf(cluster) !== 'leaving' && statusOf(cluster) !== 'pausing'

/** Resumes a paused cluster, and leaves one alone that is not paused any more. */
export const resumeCluster = (deployment: Deployment, context: ProvisionContext): Promise<void> =>
  deployment.whenAccepted(context, async () => {
    const cluster = await deployment.findCluster(context.signal)
    if (phaseOf(cluster) !== 'paused') return
    await context.event('step', 'The cluster is resumed')
    await deployment.api.resume(context.signal)
  })

async function createCluster(
  { api, clock, config, owner, identifier, findCluster }: Deployment,
  { signal, event }: ProvisionContext,
  roleArn: string,
  groupId: string
): Promise<void> {
  const isMulti = config.NUMBER_OF_NODES > 1
  const input = {
    ClusterType: isMulti ? 'multi-node' : 'single-node',
    ...(isMulti && { NumberOfNodes: config.NUMBER_OF_NODES }),
    NodeType: config.NODE_TYPE,
    DBName: config.DATABASE_NAME,
    Port: config.DATABASE_PORT,
    MasterUsername: config.MASTER_USERNAME,
    MasterUserPassword: unknownPassword(),
    IamRoles: [roleArn],
    DefaultIamRoleArn: roleArn,
    VpcSecurityGroupIds: [groupId],
    ...(config.SUBNET_GROUP_NAME !== undefined && { ClusterSubnetGroupName: config.SUBNET_GROUP_NAME }),
    PubliclyAccessible: config.PUBLICLY_ACCESSIBLE,
    Encrypted: true,
    Tags: ownerTags(owner)
  }
  await event('step', `create cluster ${identifier}: ${config.NUMBER_OF_NODES} x ${config.NODE_TYPE}`)
  try {
    await whenRoleIsSeen(clock, signal, roleArn, () => api.create(input, signal))
  } catch (error) {
    if (!isAwsError(error, 'ClusterAlreadyExistsFault')) throw error
    // The answer to an earlier try was lost, or somebody else was faster: the tags tell.
    await findCluster(signal)
    await event('warning', `The cluster ${identifier} exists already with our tag; it is taken over`)
  }
}

/**
 * The master password is asked for and never used: the service logs in with temporary credentials. So it is made up
 * here and forgotten; a managed one would need, and cost, a secret that nobody reads.
 */
const unknownPassword = (): string => `Aa1${randomBytes(36).toString('base64url')}`

/** Does `work` again while Redshift does not see the role that IAM has just created or mended. */
const whenRoleIsSeen = (clock: Clock, signal: AbortSignal, roleArn: string, work: () => Promise<void>) =>
  retry(work, {
    ...{ clock, signal, firstPause: 2_000, longestPause: 10_000, timeout: ROLE_TIMEOUT },
    passes: isRoleUnseen,
    onTimeout: (cause) =>
      new ServiceError(
        'iam_role_not_visible',
        `Redshift did not accept the IAM role ${roleArn} within ${ROLE_TIMEOUT / 1000} s. A new role takes that long at times: try again. Else check that the role exists and that redshift.amazonaws.com may assume it.`,
        { cause }
      )
  })

/** Waits until the cluster is available, and makes it fit then. */
async function ensureAvailable(
  deployment: Deployment,
  context: ProvisionContext,
  roleArn: string,
  groupId: string
): Promise<void> {
  const { config, api } = deployment
  const wanted = { roleArn, groupId }
  let cluster = await deployment.waitFor(
    context,
    (found) => isSettled(found) || phaseOf(found) === 'paused',
    CREATE_TIMEOUT
  )
  if (phaseOf(cluster) === 'paused') {
    await resumeCluster(deployment, context)
    cluster = await deployment.waitFor(context, isSettled, CREATE_TIMEOUT)
  }
  const changes = cluster === undefined ? [] : clusterChanges(cluster, config, wanted, api)
  await apply(changes, context, (work) =>
    deployment.whenAccepted(context, () => whenRoleIsSeen(deployment.clock, context.signal, roleArn, work))
  )
  await deployment.waitFor(
    context,
    (found) =>
      found !== undefined && isSettled(found) && clusterChanges(found, config, wanted, api).length === 0,
    CREATE_TIMEOUT
  )
}

/** Proves that the cluster takes statements. Throws `cluster_unreachable`, and at once what waiting cannot mend. */
export async function connect(
  { warehouse, clock, identifier }: Deployment,
  { signal }: ProvisionContext
): Promise<void> {
  await retry(() => warehouse.run(probe, undefined, { signal }), {
    ...{ clock, signal, firstPause: 2_000, longestPause: 10_000, timeout: CONNECT_TIMEOUT },
    passes: (error) => error instanceof ServiceError && error.kind === 'transient',
    onTimeout: (cause) =>
      new ServiceError(
        'cluster_unreachable',
        `The cluster ${identifier} is available, but nothing answers at its endpoint. Run the service inside its VPC, open a tunnel (REDSHIFT_HOST with CLUSTER_MODE=managed), or set PUBLICLY_ACCESSIBLE and the service's own address in INGRESS_CIDRS. (${(cause as Error).message})`,
        { cause }
      )
  })
}
