/** Counts requests, and shows `/metrics` to whom the configuration allows it. */
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../config.ts'
import type { Identity } from '../services/identity.ts'
import type { Metrics } from '../services/metrics.ts'

export interface MetricsOptions {
  metrics: Metrics
  access: Config['METRICS']
  identity: Identity
}

export default fp(
  async (app: FastifyInstance, { metrics, access, identity }: MetricsOptions) => {
    app.addHook('onResponse', (request, reply, done) => {
      const { schema, config } = request.routeOptions
      const cache = reply.getHeader('x-cache')
      metrics.request({
        // Pages, and what is no endpoint, have no operation: their paths are the caller's to choose.
        operation: schema?.operationId ?? (config?.url === undefined ? 'none' : 'page'),
        status: reply.statusCode,
        seconds: reply.elapsedTime / 1000,
        cache: cache === undefined ? undefined : String(cache)
      })
      done()
    })
    if (access === 'off') return
    app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
      if (access === 'key') await identity.identify(request.headers.authorization)
      return reply.type(metrics.contentType).send(await metrics.scrape())
    })
  },
  { name: 'metrics' }
)
