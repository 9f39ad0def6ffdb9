/** The service put together: what it is made of, and every route it has. It neither listens nor exits. */
import { randomUUID } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import type { ClusterProvider } from './cloud/cluster-provider.ts'
import type { Config } from './config.ts'
import audit from './plugins/audit.ts'
import auth from './plugins/auth.ts'
import { answerClientError } from './plugins/client-error.ts'
import costGuardPlugin from './plugins/cost-guard.ts'
import errorHandler, { replyWithError } from './plugins/error-handler.ts'
import headers from './plugins/headers.ts'
import hosts, { allowedHosts } from './plugins/hosts.ts'
import metricsPlugin from './plugins/metrics.ts'
import openapi from './plugins/openapi.ts'
import rateLimit from './plugins/rate-limit.ts'
import repeats from './plugins/repeats.ts'
import retentionPlugin from './plugins/retention.ts'
import scheduler from './plugins/scheduler.ts'
import { buildSerializer } from './plugins/serialization.ts'
import streams from './plugins/streams.ts'
import tracing from './plugins/tracing.ts'
import validation from './plugins/validation.ts'
import { post } from './plugins/webhook-post.ts'
import webhooksPlugin from './plugins/webhooks.ts'
import worker from './plugins/worker.ts'
import { analyticsRoutes } from './routes/analytics.ts'
import { apiKeysRoutes } from './routes/api-keys.ts'
import { auditRoutes } from './routes/audit.ts'
import { clusterRoutes } from './routes/cluster.ts'
import { dashboardRoutes } from './routes/dashboard.ts'
import { jobEventsRoutes } from './routes/job-events.ts'
import { jobsRoutes } from './routes/jobs.ts'
import { loadsRoutes } from './routes/loads.ts'
import { schedulesRoutes } from './routes/schedules.ts'
import { supportRoutes } from './routes/support.ts'
import { systemRoutes, whoamiRoutes } from './routes/system.ts'
import { tablesRoutes } from './routes/tables.ts'
import { webhooksRoutes } from './routes/webhooks.ts'
import { namedSchemas } from './schemas/named.ts'
import { createAnalytics } from './services/analytics.ts'
import { readCatalogues } from './services/analytics-catalogue.ts'
import { createAnswers } from './services/answers.ts'
import { createApiKeys } from './services/api-keys.ts'
import { createAudit } from './services/audit.ts'
import { type Clock, systemClock } from './services/clock.ts'
import { createClusters } from './services/cluster.ts'
import { createClusterUsages } from './services/cluster-usage.ts'
import { createCostGuard } from './services/cost-guard.ts'
import { createDataState, watchCommits, watchJob } from './services/data-state.ts'
import { createDoctor } from './services/doctor.ts'
import { createEtl } from './services/etl.ts'
import { createIdentity } from './services/identity.ts'
import { createJobBundles } from './services/job-bundle.ts'
import { createJobCancel } from './services/job-cancel.ts'
import { createJobEvents } from './services/job-events.ts'
import type { JobHandler } from './services/job-handler.ts'
import { createJobRetry } from './services/job-retry.ts'
import { createJobs } from './services/jobs.ts'
import { createLoads } from './services/loads.ts'
import { createMetrics } from './services/metrics.ts'
import { createQueryGate } from './services/query-gate.ts'
import { createRebuild } from './services/rebuild.ts'
import { createReplay } from './services/replay.ts'
import { resumeFirst, watchQueries } from './services/resume-on-demand.ts'
import { createRetention } from './services/retention.ts'
import { createScheduler } from './services/scheduler.ts'
import { createSchedules } from './services/schedules.ts'
import { createSystem } from './services/system.ts'
import { createTables } from './services/tables.ts'
import type { Tokens } from './services/tokens.ts'
import { traceJobs, traceOfLine, traceStatements } from './services/traces.ts'
import { createWebhooks } from './services/webhooks.ts'
import type { Source } from './sources/source.ts'
import type { Store } from './store/store.ts'
import type { Warehouse } from './warehouse/warehouse.ts'

/** Largest body that is read, in bytes: every request is small. */
const BODY_LIMIT = 64 * 1024
/** A request has this long to arrive, in ms, and how often that is looked at: slow clients do not hold connections. */
const REQUEST_TIMEOUT = 30_000
const REQUEST_CHECK_INTERVAL = 1000

/** The outside world, as the service sees it. Whoever opens the parts closes them, after the app. */
export interface Parts {
  store: Store
  warehouse: Warehouse
  provider: ClusterProvider
  /** The source at a directory or S3 prefix that jobs may read. */
  openSource: (location: string) => Promise<Source>
  /** What schedules go by; the system's clock unless a test brings one. */
  clock?: Clock
}

/** Loaded only where a provider is configured. */
async function openTokens({ OIDC_ISSUER, OIDC_AUDIENCE, ...config }: Config): Promise<Tokens | undefined> {
  if (OIDC_ISSUER === undefined || OIDC_AUDIENCE === undefined) return undefined
  const { createTokens } = await import('./services/tokens.ts')
  const rules = { issuer: OIDC_ISSUER, audience: OIDC_AUDIENCE }
  return createTokens({ ...rules, claim: config.OIDC_SCOPE_CLAIM, scopes: config.oidc_scopes })
}

const newRequestId = () => `req_${randomUUID()}`

/** Builds the service. Its store must be migrated. Closing it hands running jobs back. */
export async function buildApp(
  config: Config,
  { store, warehouse: opened, provider, openSource, clock = systemClock }: Parts
): Promise<FastifyInstance> {
  const isTraced = config.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined
  const logger = { level: config.LOG_LEVEL, ...(isTraced && { mixin: traceOfLine }) }
  const app = Fastify({
    logger: config.LOG_LEVEL === 'silent' ? false : logger,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT,
    http: {
      ...{ connectionsCheckingInterval: REQUEST_CHECK_INTERVAL, headersTimeout: REQUEST_TIMEOUT },
      // A request without a body needs no stream for it. Its `close` never comes: listen to the response's.
      optimizeEmptyRequests: true
    },
    genReqId: newRequestId,
    // What fails before there is a route, or even a request, leaves as problem details too.
    frameworkErrors: replyWithError,
    clientErrorHandler: (error, socket) => answerClientError(error, socket, newRequestId()),
    // Ours is a problem document (see error-handler.ts).
    return503OnClosing: false,
    // Idle keep-alive connections do not hold up a shutdown.
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 250 },
    schemaController: { compilersFactory: { buildSerializer } }
  }).withTypeProvider<TypeBoxTypeProvider>()

  const state = createDataState(opened.engine, store)
  const warehouse = watchCommits(isTraced ? traceStatements(opened) : opened, state)
  const apiKeys = createApiKeys(store)
  const tokens = await openTokens(config)
  const identity = createIdentity(apiKeys, tokens)
  const auditLog = createAudit(store)
  const resumes = config.CLUSTER_RESUME_ON_DEMAND
  const jobs = await createJobs(store, { resumes })
  const jobEvents = await createJobEvents(store, jobs)
  const identifier = config.CLUSTER_IDENTIFIER
  const usages = createClusterUsages({
    ...{ store, provider, clock, identifier },
    ...{ idleMinutes: config.CLUSTER_IDLE_PAUSE_MINUTES, ttlHours: config.CLUSTER_TTL_HOURS }
  })
  const clusters = createClusters({ provider, jobs, usages, config })
  const finalSnapshot = config.CLUSTER_TTL_SNAPSHOT
  const costGuard = createCostGuard({ usages, clusters, audit: auditLog, clock, identifier, finalSnapshot })
  const tables = createTables({ warehouse, jobs, config })
  const webhookRules = { hosts: config.webhook_hosts, allowPrivate: config.WEBHOOK_ALLOW_PRIVATE }
  const etl = createEtl({ warehouse, config, openSource, webhooks: webhookRules })
  const rebuild = createRebuild(warehouse)
  const replay = createReplay({ warehouse, config })
  const loads = createLoads(warehouse, config.REJECT_RETENTION_DAYS)
  const ticks = createScheduler({ store, jobs, clock })
  const schedules = createSchedules({ store, jobs, etl, clock, onChange: ticks.wake })
  const webhooks = createWebhooks(store, jobs, { ...webhookRules, post, secret: config.WEBHOOK_SECRET })
  const kept = config.JOB_RETENTION_DAYS
  const retention = createRetention(store, {
    ...{ succeeded: kept, cancelled: kept },
    failed: config.FAILED_JOB_RETENTION_DAYS
  })
  const system = createSystem({ store, provider, engine: warehouse.engine })
  const metrics = createMetrics(store, system)
  const doctor = createDoctor({ store, warehouse, provider, tables, openSource, tokens, config })
  const engines = { store: store.engine, warehouse: warehouse.engine }
  const bundles = createJobBundles({ jobs, jobEvents, webhooks, loads, engines })
  const queried = watchQueries(warehouse, { used: usages.used, clusters: resumes ? clusters : undefined })
  const analytics = createAnalytics({
    warehouse: queried,
    catalogue: await readCatalogues(config.ANALYTICS_DIR)
  })
  const answers = createAnswers({
    ...{ analytics, state, cacheBytes: config.RESULT_CACHE_MB * 2 ** 20 },
    gate: createQueryGate({
      concurrency: config.QUERY_CONCURRENCY,
      waiting: 100 * config.QUERY_CONCURRENCY,
      timeout: config.QUERY_TIMEOUT_SECONDS * 1000
    })
  })

  const ready = (handler: JobHandler) => (resumes ? resumeFirst(handler, provider) : handler)
  const untraced = {
    etl: ready(metrics.countLoads(etl.handler)),
    'etl.replay': ready(replay.handler),
    'etl.rebuild': ready(rebuild.handler),
    'tables.create': ready(tables.createHandler),
    'tables.recreate': ready(tables.recreateHandler),
    'tables.drop': ready(tables.dropHandler),
    'cluster.provision': watchJob(clusters.provisionHandler, state),
    'cluster.teardown': watchJob(clusters.teardownHandler, state),
    'cluster.pause': clusters.pauseHandler,
    'cluster.resume': clusters.resumeHandler
  }
  const handlers = isTraced ? traceJobs(untraced) : untraced
  const cancel = createJobCancel(store, jobs)
  const retry = createJobRetry(jobs, handlers)

  if (isTraced) await app.register(tracing)
  await app.register(headers)
  await app.register(errorHandler)
  await app.register(hosts, { allowed: allowedHosts(config) })
  await app.register(rateLimit, { perMinute: config.RATE_LIMIT_PER_MINUTE })
  await app.register(metricsPlugin, { metrics, identity, access: config.METRICS })
  // Where each request has a span, they all take the same way.
  await app.register(repeats, { isRepeating: !isTraced, identity, state, metrics, newRequestId })
  await app.register(validation)
  await app.register(openapi)
  await app.register(scheduler, { scheduler: ticks })
  await app.register(worker, {
    store,
    jobs,
    handlers,
    leaseSeconds: config.JOB_LEASE_SECONDS
  })
  await app.register(webhooksPlugin, { webhooks })
  await app.register(retentionPlugin, { retention })
  // The embedded cluster costs nothing, and one that is attached is somebody else's.
  if (config.cluster_mode === 'managed') await app.register(costGuardPlugin, { costGuard })
  await app.register(streams, { jobEvents })
  for (const schema of namedSchemas) app.addSchema(schema)

  await app.register(dashboardRoutes)
  await app.register(systemRoutes(system))
  await app.register(
    async (v1) => {
      await v1.register(auth, { identity })
      await v1.register(audit, { audit: auditLog })
      await v1.register(whoamiRoutes)
      await v1.register(apiKeysRoutes(apiKeys), { prefix: '/api-keys' })
      await v1.register(auditRoutes(auditLog), { prefix: '/audit-events' })
      await v1.register(clusterRoutes(clusters, jobs), { prefix: '/cluster' })
      await v1.register(tablesRoutes(tables, rebuild, jobs), { prefix: '/tables' })
      await v1.register(jobsRoutes({ jobs, etl, cancel, retry }), { prefix: '/jobs' })
      await v1.register(webhooksRoutes(webhooks), { prefix: '/jobs' })
      await v1.register(jobEventsRoutes(jobEvents))
      await v1.register(supportRoutes(doctor, bundles))
      await v1.register(schedulesRoutes(schedules, jobs), { prefix: '/schedules' })
      await v1.register(loadsRoutes({ loads, replay, jobs }))
      await v1.register(analyticsRoutes(analytics, answers), { prefix: '/analytics' })
    },
    { prefix: '/v1' }
  )
  return app
}
