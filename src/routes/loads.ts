import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { IdempotencyHeadersSchema, NoQuerySchema, PageQuerySchema } from '../schemas/common.ts'
import { ReplayRejectsSchema } from '../schemas/etl.ts'
import { jobResponses } from '../schemas/jobs.ts'
import {
  LoadedObjectPageSchema,
  LoadPageSchema,
  LoadParamsSchema,
  LoadSchema,
  LoadVerificationSchema,
  RejectListQuerySchema,
  RejectPageSchema
} from '../schemas/loads.ts'
import { answer } from '../schemas/responses.ts'
import type { Jobs } from '../services/jobs.ts'
import type { Loads } from '../services/loads.ts'
import type { Replay } from '../services/replay.ts'
import { replyWithJob, startOptions } from './job-reply.ts'
import { withLink } from './page-link.ts'

const ledgerErrors = ['cluster_not_found', 'tables_not_created', 'warehouse_unavailable'] as const

export interface LoadsServices {
  loads: Loads
  replay: Pick<Replay, 'check'>
  jobs: Jobs
}

/** The load ledger. */
export function loadsRoutes({ loads, replay, jobs }: LoadsServices): FastifyPluginAsyncTypebox {
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

    app.post(
      '/loads/:id/verify',
      {
        config: { scope: 'operate', errors: ['load_not_found', ...ledgerErrors] },
        schema: {
          operationId: 'verifyLoad',
          tags: ['loads'],
          summary: 'Count again what a receipt claims',
          params: LoadParamsSchema,
          querystring: NoQuerySchema,
          response: { 200: answer(LoadVerificationSchema, 'What holds, and what does not any more') }
        }
      },
      async (request) => loads.verify(request.params.id)
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

    app.post(
      '/rejects/replay',
      {
        config: { scope: 'operate', errors: [...ledgerErrors, 'idempotency_key_reused'] },
        schema: {
          operationId: 'replayRejects',
          tags: ['loads'],
          summary: 'Try rejected records again',
          description:
            'For the rejects of published loads whose text was kept whole, up to 100,000 of them, after what was in their way is gone. What is accepted now counts as loaded by the replay; the rest stays rejected.',
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          body: ReplayRejectsSchema,
          response: jobResponses('tries them again')
        }
      },
      async (request, reply) => {
        const options = { ...startOptions(request.headers), check: replay.check }
        const started = await jobs.start('etl.replay', request.body, request.actor, options)
        return replyWithJob(started, jobs, request, reply)
      }
    )
  }
}
