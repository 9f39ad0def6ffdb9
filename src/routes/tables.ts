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
import type { Rebuild } from '../services/rebuild.ts'
import type { Tables } from '../services/tables.ts'
import { replyWithJob, startOptions } from './job-reply.ts'

const warehouseErrors = ['cluster_not_found', 'warehouse_unavailable'] as const
const changeErrors = [...warehouseErrors, 'confirmation_mismatch', 'idempotency_key_reused'] as const

/** The warehouse's tables. */
export function tablesRoutes(
  tables: Tables,
  rebuild: Pick<Rebuild, 'check'>,
  jobs: Jobs
): FastifyPluginAsyncTypebox {
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

    app.post(
      '/rebuild',
      {
        config: {
          scope: 'operate',
          errors: ['tables_not_created', ...warehouseErrors, 'idempotency_key_reused']
        },
        schema: {
          operationId: 'rebuildTables',
          tags: ['tables'],
          summary: 'Derive analytics.* anew from staging.*',
          description:
            'In one transaction: readers see the old rows until the new ones are there. The result equals what the loads have made of it, unless somebody has changed the tables by hand.',
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          response: jobResponses('derives them')
        }
      },
      async (request, reply) => {
        const options = { ...startOptions(request.headers), check: rebuild.check }
        const started = await jobs.start('etl.rebuild', {}, request.actor, options)
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
