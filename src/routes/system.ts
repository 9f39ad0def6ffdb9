import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { ClusterProvider } from '../cloud/cluster-provider.ts'
import { errorResponses, NoQuerySchema, ProblemSchema, ref } from '../schemas/common.ts'
import { HealthSchema, ReadinessSchema, VersionSchema, WhoamiSchema } from '../schemas/system.ts'
import type { Store } from '../store/store.ts'
import { name, version } from '../version.ts'
import type { Engine } from '../warehouse/warehouse.ts'

const notReady = {
  description: 'The control store does not answer',
  content: { 'application/problem+json': { schema: ref(ProblemSchema) } }
}

/** What needs no key: is it alive, is it ready, which version is it, what can it do. */
export function systemRoutes(
  store: Store,
  provider: ClusterProvider,
  engine: Engine
): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/livez',
      {
        schema: {
          operationId: 'getLiveness',
          tags: ['system'],
          summary: 'Is the process alive?',
          response: { 200: ref(HealthSchema) }
        }
      },
      async () => ({ status: 'ok' })
    )

    app.get(
      '/readyz',
      {
        schema: {
          operationId: 'getReadiness',
          tags: ['system'],
          summary: 'Can it serve requests?',
          response: { 200: ref(ReadinessSchema), 503: notReady }
        }
      },
      async () => {
        await store.ping()
        return { status: 'ready', store: store.engine, warehouse: engine, cluster: await provider.status() }
      }
    )

    app.get(
      '/version',
      {
        schema: {
          operationId: 'getVersion',
          tags: ['system'],
          summary: 'Which version is it?',
          response: { 200: ref(VersionSchema) }
        }
      },
      async () => ({ name, version, node: process.version })
    )

    app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  }
}

/** Who the caller is. */
export const whoamiRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/whoami',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getWhoami',
        tags: ['system'],
        summary: 'Whose key is this?',
        querystring: NoQuerySchema,
        response: { 200: ref(WhoamiSchema), ...errorResponses() }
      }
    },
    async (request) => request.actor
  )
}
