import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { errorResponses, NoQuerySchema, PageQuerySchema, ref } from '../schemas/common.ts'
import {
  LoadedObjectPageSchema,
  LoadPageSchema,
  LoadParamsSchema,
  LoadSchema,
  RejectListQuerySchema,
  RejectPageSchema
} from '../schemas/loads.ts'
import type { Loads } from '../services/loads.ts'
import { withLink } from './page-link.ts'

/** The load ledger. */
export function loadsRoutes(loads: Loads): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/loads',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listLoads',
          tags: ['loads'],
          summary: 'List loads, newest first',
          querystring: PageQuerySchema,
          response: { 200: ref(LoadPageSchema), ...errorResponses(409) }
        }
      },
      async (request, reply) => withLink(await loads.list(request.query), request, reply)
    )

    app.get(
      '/loads/:id',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getLoad',
          tags: ['loads'],
          summary: "Get a load's receipt",
          params: LoadParamsSchema,
          querystring: NoQuerySchema,
          response: { 200: ref(LoadSchema), ...errorResponses(404, 409) }
        }
      },
      async (request) => loads.get(request.params.id)
    )

    app.get(
      '/loads/:id/objects',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listLoadObjects',
          tags: ['loads'],
          summary: 'List the objects of a load',
          params: LoadParamsSchema,
          querystring: PageQuerySchema,
          response: { 200: ref(LoadedObjectPageSchema), ...errorResponses(404, 409) }
        }
      },
      async (request, reply) =>
        withLink(await loads.objects(request.params.id, request.query), request, reply)
    )

    app.get(
      '/rejects',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listRejects',
          tags: ['loads'],
          summary: 'List records that could not be loaded, oldest first',
          querystring: RejectListQuerySchema,
          response: { 200: ref(RejectPageSchema), ...errorResponses(409) }
        }
      },
      async (request, reply) => withLink(await loads.rejects(request.query), request, reply)
    )
  }
}
