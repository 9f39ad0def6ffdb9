import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { IdempotencyHeadersSchema, NoQuerySchema } from '../schemas/common.ts'
import { jobResponses } from '../schemas/jobs.ts'
import { answer } from '../schemas/responses.ts'
import {
  CreateTablesSchema,
  DropTablesQuerySchema,
  TablePageSchema,
  TableParamsSchema,
  TableSchema
} from '../schemas/tables.ts'
import type { Jobs } from '../services/jobs.ts'
import type { Tables } from '../services/tables.ts'
import { replyWithJob, startOptions } from './job-reply.ts'

const warehouseErrors = ['cluster_not_found', 'warehouse_unavailable'] as const
const changeErrors = [...warehouseErrors, 'confirmation_mismatch', 'idempotency_key_reused'] as const

/** The warehouse's tables. */
export function tablesRoutes(tables: Tables, jobs: Jobs): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '',
      {
        config: { scope: 'read', errors: warehouseErrors },
        schema: {
          operationId: 'listTables',
          tags: ['tables'],
          summary: 'List the tables',
          querystring: NoQuerySchema,
          response: { 200: answer(TablePageSchema, 'All of them on one page, those that are missing too') }
        }
      },
      async () => tables.list()
    )

    app.get(
      '/:table',
      {
        config: { scope: 'read', errors: ['table_not_found', ...warehouseErrors] },
        schema: {
          operationId: 'getTable',
          tags: ['tables'],
          summary: 'Get a table',
          params: TableParamsSchema,
          querystring: NoQuerySchema,
          response: { 200: answer(TableSchema, 'The table') }
        }
      },
      async (request) => tables.get(request.params.table)
    )

    app.post(
      '',
      {
        config: { scope: 'operate', errors: changeErrors },
        schema: {
          operationId: 'createTables',
          tags: ['tables'],
          summary: 'Create the tables that are missing',
          description: 'With `recreate`, and the scope admin, everything is dropped first.',
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          body: CreateTablesSchema,
          response: jobResponses('creates them')
        }
      },
      async (request, reply) => {
        const started = await tables.create(request.body, request.actor, startOptions(request.headers))
        return replyWithJob(started, jobs, request, reply)
      }
    )

    app.delete(
      '',
      {
        config: { scope: 'admin', errors: changeErrors },
        schema: {
          operationId: 'dropTables',
          tags: ['tables'],
          summary: 'Drop all tables',
          headers: IdempotencyHeadersSchema,
          querystring: DropTablesQuerySchema,
          response: jobResponses('drops them')
        }
      },
      async (request, reply) => {
        const started = await tables.drop(request.query.confirm, request.actor, startOptions(request.headers))
        return replyWithJob(started, jobs, request, reply)
      }
    )
  }
}
