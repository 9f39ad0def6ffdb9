import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { IdempotencyHeadersSchema, NoQuerySchema, WaitHeadersSchema } from '../schemas/common.ts'
import {
  EtlParamsSchema,
  JobListQuerySchema,
  JobPageSchema,
  JobParamsSchema,
  JobSchema,
  jobResponses
} from '../schemas/jobs.ts'
import { answer } from '../schemas/responses.ts'
import type { Etl } from '../services/etl.ts'
import type { Jobs } from '../services/jobs.ts'
import { requestSignal } from './abort.ts'
import { preferredWait, replyWithJob, startOptions } from './job-reply.ts'
import { withLink } from './page-link.ts'

/** The job table. */
export function jobsRoutes(jobs: Jobs, etl: Etl): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '',
      {
        config: {
          scope: 'operate',
          errors: [
            'cluster_not_found',
            'tables_not_created',
            'warehouse_unavailable',
            'source_not_allowed',
            'idempotency_key_reused'
          ]
        },
        schema: {
          operationId: 'startJob',
          tags: ['jobs'],
          summary: 'Start an ETL job',
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          body: EtlParamsSchema,
          response: jobResponses('loads what is new')
        }
      },
      async (request, reply) => {
        const { type, ...params } = request.body
        const options = { ...startOptions(request.headers), check: () => etl.validate(params) }
        const started = await jobs.start(type, params, request.actor, options)
        return replyWithJob(started, jobs, request, reply)
      }
    )

    app.get(
      '',
      {
        config: { scope: 'read', errors: ['invalid_cursor'] },
        schema: {
          operationId: 'listJobs',
          tags: ['jobs'],
          summary: 'List jobs, newest first',
          querystring: JobListQuerySchema,
          response: { 200: answer(JobPageSchema, 'One page of jobs', 'Link') }
        }
      },
      async (request, reply) => withLink(await jobs.list(request.query), request, reply)
    )

    app.get(
      '/:id',
      {
        config: { scope: 'read', errors: ['job_not_found'] },
        schema: {
          operationId: 'getJob',
          tags: ['jobs'],
          summary: 'Get a job',
          description: 'With `Prefer: wait=N` it answers when the job has ended, or after N seconds.',
          params: JobParamsSchema,
          headers: WaitHeadersSchema,
          querystring: NoQuerySchema,
          response: { 200: answer(JobSchema, 'The job, ended or not') }
        }
      },
      async (request, reply) =>
        jobs.wait(request.params.id, preferredWait(request.headers.prefer), requestSignal(reply))
    )
  }
}
