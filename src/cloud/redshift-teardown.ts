/** Removes the cluster and everything around it that is ours, in the order in which AWS lets go of it. */
import { ServiceError } from '../errors.ts'
import type { ProvisionContext, Teardown } from './cluster-provider.ts'
import { phaseOf, statusOf } from './cluster-status.ts'
import type { Deployment } from './deployment.ts'
import { CREATE_TIMEOUT, identify, resumeCluster } from './redshift-provision.ts'

/** In ms: a final snapshot of much data takes long. */
const DELETE_TIMEOUT = 120 * 60_000

export const teardownSteps = { identity: 1, resume: 20, delete: 4, gone: 65, network: 6, role: 4 }

/** Runs every step; started again or repeated, it goes on with what is still there. */
export async function teardown(
  deployment: Deployment,
  finalSnapshot: boolean,
  context: ProvisionContext
): Promise<Teardown> {
  await context.step('identity')
  await identify(deployment, context)
  const isForeign = await hasForeignCluster(deployment, context)
  await context.step('resume')
  if (!isForeign) await wakeUp(deployment, finalSnapshot, context)
  await context.step('delete')
  const copy = isForeign ? 'unwanted' : await requestDeletion(deployment, finalSnapshot, context)
  await context.step('gone')
  if (!isForeign) await deployment.waitFor(context, (cluster) => cluster === undefined, DELETE_TIMEOUT)
  await context.step('network')
  await removeGroups(deployment, context)
  await context.step('role')
  await removeRole(deployment, context)
  return report(deployment, copy, context)
}

/** A cluster of our name that is not ours stays; what was created for one that never came to be goes. */
async function hasForeignCluster(
  deployment: Deployment,
  { signal, event }: ProvisionContext
): Promise<boolean> {
  try {
    await deployment.findCluster(signal)
    return false
  } catch (error) {
    if (!(error instanceof ServiceError && error.code === 'foreign_cluster')) throw error
    await event('warning', error.message)
    return true
  }
}

/**
 * Resumes a paused cluster: deleted as it is, it would take its data along. Without capacity for that, a cluster whose
 * data nobody wants is deleted all the same.
 */
async function wakeUp(
  deployment: Deployment,
  finalSnapshot: boolean,
  context: ProvisionContext
): Promise<void> {
  const cluster = await deployment.waitFor(context, (found) => statusOf(found) !== 'pausing', CREATE_TIMEOUT)
  const status = statusOf(cluster)
  if (status !== 'paused' && status !== 'resuming') return
  try {
    await resumeCluster(deployment, context)
    await deployment.waitFor(context, (found) => phaseOf(found) === 'available', CREATE_TIMEOUT)
  } catch (error) {
    const hasNoCapacity = error instanceof ServiceError && error.code === 'insufficient_capacity'
    if (finalSnapshot || !hasNoCapacity) throw error
    await context.event('warning', `${error.message} No snapshot is wanted, so the paused cluster is deleted`)
  }
}

/** The final snapshot: its name, or how to tell it when an earlier attempt asked for it. */
type FinalSnapshot = 'unwanted' | { name: string } | { since: Date | undefined }

/** Asks for the deletion unless it is under way. */
async function requestDeletion(
  deployment: Deployment,
  finalSnapshot: boolean,
  context: ProvisionContext
): Promise<FinalSnapshot> {
  const { identifier, api } = deployment
  await deployment.waitFor(context, (found) => phaseOf(found) !== 'busy', CREATE_TIMEOUT)
  return deployment.whenAccepted(context, async () => {
    const cluster = await deployment.findCluster(context.signal)
    const phase = phaseOf(cluster)
    const isGoing = phase === 'absent' || phase === 'leaving'
    if (isGoing) return finalSnapshot ? { since: cluster?.ClusterCreateTime } : 'unwanted'
    const name = finalSnapshot ? await freeSnapshotName(deployment, context) : null
    const copy = name === null ? 'without a final snapshot' : `with the final snapshot ${name}`
    await context.event('step', `delete cluster ${identifier} ${copy}`, { final_snapshot: name })
    await api.remove(name, context.signal)
    return name === null ? 'unwanted' : { name }
  })
}

/** Made of the work's id, so that every attempt means the same snapshot. */
const snapshotName = (identifier: string, { id }: ProvisionContext): string =>
  `${identifier}-final-${id.toLowerCase().replace(/[^a-z0-9]+/g, '')}`

async function freeSnapshotName({ identifier, api }: Deployment, context: ProvisionContext): Promise<string> {
  const name = snapshotName(identifier, context)
  const taken = (await api.manualSnapshots(context.signal)).map(
    ({ SnapshotIdentifier }) => SnapshotIdentifier
  )
  let free = name
  // A deletion that failed after its snapshot leaves the name in use.
  for (let number = 2; taken.includes(free); number += 1) free = `${name}-${number}`
  return free
}

async function removeGroups({ groups }: Deployment, { signal, event }: ProvisionContext): Promise<void> {
  for (const group of await groups.findOurs(signal)) {
    await event('step', `delete security group ${groups.name} (${group.id}) with its ingress`)
    await groups.remove(group, signal)
  }
}

async function removeRole({ role }: Deployment, { signal, event }: ProvisionContext): Promise<void> {
  // A role that was given to us is not ours to delete.
  if (role !== undefined && (await role.remove(signal))) {
    await event('step', `deleted IAM role ${role.name} with its policies`)
  }
}

/** Names the snapshots that stay, and says so when the one that was wanted is not among them. */
async function report(
  { identifier, api }: Deployment,
  copy: FinalSnapshot,
  context: ProvisionContext
): Promise<Teardown> {
  const { signal, event } = context
  const snapshots = await api.manualSnapshots(signal)
  const names = snapshots.map(({ SnapshotIdentifier = '' }) => SnapshotIdentifier)
  const final_snapshot = copy === 'unwanted' ? null : 'name' in copy ? copy.name : findEarlier(copy.since)
  const snapshots_left = names.filter((name) => name !== final_snapshot)
  if (copy !== 'unwanted' && final_snapshot === null) {
    await event('warning', 'The cluster was going or gone already, and no final snapshot of it is known')
  }
  if (names.length > 0) {
    await event('warning', `Snapshots stay, and their storage costs money: ${names.join(', ')}`)
  }
  return { final_snapshot, snapshots_left }

  /** What an attempt before this one asked for: known by its name, or made since the cluster was created. */
  function findEarlier(since: Date | undefined): string | null {
    const ours = snapshots.filter(({ SnapshotIdentifier = '', SnapshotCreateTime }) => {
      if (SnapshotIdentifier.startsWith(snapshotName(identifier, context))) return true
      const isFinal = SnapshotIdentifier.startsWith(`${identifier}-final-`)
      return isFinal && since !== undefined && SnapshotCreateTime !== undefined && SnapshotCreateTime >= since
    })
    return ours.at(-1)?.SnapshotIdentifier ?? null
  }
}
