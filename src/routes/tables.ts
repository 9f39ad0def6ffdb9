import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { errorResponses, IdempotencyHeadersSchema, NoQuerySchema, ref } from '../schemas/common.ts'
import { JobSchema } from '../schemas/jobs.ts'
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

const jobResponses = {
  200: { ...ref(JobSchema), description: 'The finished job, when asked to wait' },
  202: { ...ref(JobSchema), description: 'The job that does it' }
}

/** The warehouse's tables. */
export function tablesRoutes(tables: Tables, jobs: Jobs): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listTables',
          tags: ['tables'],
          summary: 'List the tables',
          querystring: NoQuerySchema,
          response: { 200: ref(TablePageSchema), ...errorResponses(409) }
        }
      },
      async () => tables.list()
    )

    app.get(
      '/:table',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getTable',
          tags: ['tables'],
          summary: 'Get a table',
          params: TableParamsSchema,
          querystring: NoQuerySchema,
          response: { 200: ref(TableSchema), ...errorResponses(404, 409) }
        }
      },
      async (request) => tables.get(request.params.table)
    )

    app.post(
      '',
      {
        config: { scope: 'operate' },
        // The body may be left out.
        preValidation: async (request) => {
          request.body ??= {}
        },
        schema: {
          operationId: 'createTables',
          tags: ['tables'],
          summary: 'Create the tables that are missing',
          description: 'With `recreate`, and the scope admin, everything is dropped first.',
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          body: CreateTablesSchema,
          response: { ...jobResponses, ...errorResponses(409, 413, 415, 422) }
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
        config: { scope: 'admin' },
        schema: {
          operationId: 'dropTables',
          tags: ['tables'],
          summary: 'Drop all tables',
          headers: IdempotencyHeadersSchema,
          querystring: DropTablesQuerySchema,
          response: { ...jobResponses, ...errorResponses(409, 422) }
        }
      },
      async (request, reply) => {
        const started = await tables.drop(request.query.confirm, request.actor, startOptions(request.headers))
        return replyWithJob(started, jobs, request, reply)
      }
    )
  }
}
