import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoQuerySchema } from '../schemas/common.ts'
import { answer } from '../schemas/responses.ts'
import {
  HealthSchema,
  OpenapiSchema,
  ReadinessSchema,
  VersionSchema,
  WhoamiSchema
} from '../schemas/system.ts'
import type { System } from '../services/system.ts'
import { name, version } from '../version.ts'

/** What needs no key: is it alive, is it ready, which version is it, what can it do. */
export function systemRoutes(system: System): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/livez',
      {
        schema: {
          operationId: 'getLiveness',
          tags: ['system'],
          summary: 'Is the process alive?',
          description: 'It asks nothing else: a store that is away is no reason to restart the process.',
          querystring: NoQuerySchema,
          response: { 200: answer(HealthSchema, 'It is') }
        }
      },
      async () => ({ status: 'ok' })
    )

    app.get(
      '/readyz',
      {
        config: { errors: ['store_unavailable'] },
        schema: {
          operationId: 'getReadiness',
          tags: ['system'],
          summary: 'Can it serve requests?',
          description: 'It cannot while the control store is away. It can without a cluster.',
          querystring: NoQuerySchema,
          response: { 200: answer(ReadinessSchema, 'It can, on this') }
        }
      },
      async () => system.readiness()
    )

    app.get(
      '/version',
      {
        schema: {
          operationId: 'getVersion',
          tags: ['system'],
          summary: 'Which version is it?',
          querystring: NoQuerySchema,
          response: { 200: answer(VersionSchema, 'The version of the service and of Node') }
        }
      },
      async () => ({ name, version, node: process.version })
    )

    app.get(
      '/openapi.json',
      {
        schema: {
          operationId: 'getOpenapi',
          tags: ['system'],
          summary: 'Get this document',
          querystring: NoQuerySchema,
          response: { 200: answer(OpenapiSchema, 'The description of this API, OpenAPI 3.1') }
        }
      },
      async () => app.swagger() as { openapi: string }
    )
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
        summary: 'Whose key or token is this?',
        querystring: NoQuerySchema,
        response: { 200: answer(WhoamiSchema, 'Whose key, or token, the request came with') }
      }
    },
    async (request) => request.actor
  )
}
