/** Pauses the cluster, so that only its storage costs money, and resumes it. */
import type { ProvisionContext } from './cluster-provider.ts'
import { clusterFailed, isSettled, noCluster, phaseOf, statusOf } from './cluster-status.ts'
import type { Deployment } from './deployment.ts'
import { CREATE_TIMEOUT, connect, identify, resumeCluster } from './redshift-provision.ts'

/** In ms. */
const PAUSE_TIMEOUT = 60 * 60_000

export const pauseSteps = { identity: 1, pause: 2, paused: 97 }
export const resumeSteps = { identity: 1, resume: 2, available: 87, connect: 10 }

/** Pauses the cluster; one that is paused stays so. */
export async function pause(deployment: Deployment, context: ProvisionContext): Promise<void> {
  await context.step('identity')
  await identify(deployment, context)
  await context.step('pause')
  await requireCluster(deployment, context)
  await deployment.whenAccepted(context, async () => {
    const cluster = await deployment.waitFor(
      context,
      (found) => isSettled(found) || isPausing(found),
      CREATE_TIMEOUT
    )
    if (isPausing(cluster)) return
    await context.event('step', 'The cluster is paused: its sessions end')
    await deployment.api.pause(context.signal)
  })
  await context.step('paused')
  await deployment.waitFor(context, (cluster) => phaseOf(cluster) === 'paused', PAUSE_TIMEOUT)
}

const isPausing: Parameters<Deployment['waitFor']>[1] = (cluster) =>
  ['pausing', 'paused'].includes(statusOf(cluster))

/** Resumes the cluster; one that is available stays so. */
export async function resume(deployment: Deployment, context: ProvisionContext): Promise<void> {
  await context.step('identity')
  await identify(deployment, context)
  await context.step('resume')
  await requireCluster(deployment, context)
  await deployment.waitFor(context, (cluster) => statusOf(cluster) !== 'pausing', PAUSE_TIMEOUT)
  await resumeCluster(deployment, context)
  await context.step('available')
  await deployment.waitFor(context, isSettled, CREATE_TIMEOUT)
  await context.step('connect')
  await connect(deployment, context)
}

/** Throws `cluster_not_found`, `foreign_cluster` and `cluster_failed`. */
async function requireCluster(deployment: Deployment, { signal }: ProvisionContext): Promise<void> {
  const cluster = await deployment.findCluster(signal)
  const phase = phaseOf(cluster)
  if (phase === 'absent' || phase === 'leaving') throw noCluster(deployment.identifier)
  if (phase === 'failed') throw clusterFailed(deployment.identifier, cluster)
}
