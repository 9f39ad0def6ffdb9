import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoQuerySchema, PageQuerySchema } from '../schemas/common.ts'
import {
  LoadedObjectPageSchema,
  LoadPageSchema,
  LoadParamsSchema,
  LoadSchema,
  RejectListQuerySchema,
  RejectPageSchema
} from '../schemas/loads.ts'
import { answer } from '../schemas/responses.ts'
import type { Loads } from '../services/loads.ts'
import { withLink } from './page-link.ts'

const ledgerErrors = ['cluster_not_found', 'tables_not_created', 'warehouse_unavailable'] as const

/** The load ledger. */
export function loadsRoutes(loads: Loads): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/loads',
      {
        config: { scope: 'read', errors: ['invalid_cursor', ...ledgerErrors] },
        schema: {
          operationId: 'listLoads',
          tags: ['loads'],
          summary: 'List loads, newest first',
          querystring: PageQuerySchema,
          response: { 200: answer(LoadPageSchema, 'One page of receipts', 'Link') }
        }
      },
      async (request, reply) => withLink(await loads.list(request.query), request, reply)
    )

    app.get(
      '/loads/:id',
      {
        config: { scope: 'read', errors: ['load_not_found', ...ledgerErrors] },
        schema: {
          operationId: 'getLoad',
          tags: ['loads'],
          summary: "Get a load's receipt",
          params: LoadParamsSchema,
          querystring: NoQuerySchema,
          response: { 200: answer(LoadSchema, 'The receipt') }
        }
      },
      async (request) => loads.get(request.params.id)
    )

    app.get(
      '/loads/:id/objects',
      {
        config: { scope: 'read', errors: ['load_not_found', 'invalid_cursor', ...ledgerErrors] },
        schema: {
          operationId: 'listLoadObjects',
          tags: ['loads'],
          summary: 'List the objects of a load',
          params: LoadParamsSchema,
          querystring: PageQuerySchema,
          response: { 200: answer(LoadedObjectPageSchema, 'One page of objects', 'Link') }
        }
      },
      async (request, reply) =>
        withLink(await loads.objects(request.params.id, request.query), request, reply)
    )

    app.get(
      '/rejects',
      {
        config: { scope: 'read', errors: ['invalid_cursor', ...ledgerErrors] },
        schema: {
          operationId: 'listRejects',
          tags: ['loads'],
          summary: 'List records that could not be loaded, oldest first',
          querystring: RejectListQuerySchema,
          response: { 200: answer(RejectPageSchema, 'One page of rejects', 'Link') }
        }
      },
      async (request, reply) => withLink(await loads.rejects(request.query), request, reply)
    )
  }
}
