/** The cluster on Amazon Redshift, with its role and its security group: all that the service creates in an account. */
import type { ClusterProvider } from './cluster-provider.ts'
import { statusOf } from './cluster-status.ts'
import { createDeployment, type DeploymentOptions } from './deployment.ts'
import { rememberIsolationLevel } from './isolation-level.ts'
import { pause, pauseSteps, resume, resumeSteps } from './redshift-pause.ts'
import { provision, provisionSteps } from './redshift-provision.ts'
import { describe, plan } from './redshift-state.ts'
import { teardown, teardownSteps } from './redshift-teardown.ts'
import { remember } from './remember.ts'

/** Longest that a look at the account may take, in ms. */
const LOOK_TIMEOUT = 30_000
/** A readiness probe waits this long, and what it learned counts for a while, in ms. */
const STATUS_TIMEOUT = 5_000
const STATUS_LIFETIME = 15_000
/** Creates, shows and removes the cluster that the configuration describes. Only what carries our tag is changed. */
export function createRedshiftCluster(options: DeploymentOptions): ClusterProvider {
  const deployment = createDeployment(options)
  const look = () => AbortSignal.timeout(LOOK_TIMEOUT)
  const isolation = rememberIsolationLevel(options.warehouse, options.config.DATABASE_NAME)
  const status = remember(STATUS_LIFETIME, async () =>
    statusOf(await deployment.api.describe(AbortSignal.timeout(STATUS_TIMEOUT)))
  )
  return {
    steps: { provision: provisionSteps, teardown: teardownSteps, pause: pauseSteps, resume: resumeSteps },
    allows() {},
    status: () => status().catch(() => 'unknown'),
    describe: () => describe(deployment, isolation, look()),
    plan: () => plan(deployment, look()),
    provision: (context) => provision(deployment, context),
    teardown: (finalSnapshot, context) => teardown(deployment, finalSnapshot, context),
    pause: (context) => pause(deployment, context),
    resume: (context) => resume(deployment, context)
  }
}
