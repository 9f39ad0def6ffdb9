import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import {
  errorResponses,
  IdempotencyHeadersSchema,
  NoQuerySchema,
  PageQuerySchema,
  ref,
  WaitHeadersSchema
} from '../schemas/common.ts'
import {
  EtlParamsSchema,
  JobEventPageSchema,
  JobListQuerySchema,
  JobPageSchema,
  JobSchema
} from '../schemas/jobs.ts'
import type { Etl } from '../services/etl.ts'
import type { Jobs } from '../services/jobs.ts'
import { requestSignal } from './abort.ts'
import { preferredWait, replyWithJob, startOptions } from './job-reply.ts'
import { withLink } from './page-link.ts'

const JobParamsSchema = Type.Object({ id: Type.String({ maxLength: 100, examples: ['job_0193'] }) })

/** The job table. */
export function jobsRoutes(jobs: Jobs, etl: Etl): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'startJob',
          tags: ['jobs'],
          summary: 'Start an ETL job',
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          body: EtlParamsSchema,
          response: {
            200: { ...ref(JobSchema), description: 'The finished job, when asked to wait' },
            202: { ...ref(JobSchema), description: 'The job' },
            ...errorResponses(409, 413, 415, 422)
          }
        }
      },
      async (request, reply) => {
        const { type, ...params } = request.body
        await etl.validate(params)
        const started = await jobs.start(type, params, request.actor, startOptions(request.headers))
        return replyWithJob(started, jobs, request, reply)
      }
    )

    app.get(
      '',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listJobs',
          tags: ['jobs'],
          summary: 'List jobs, newest first',
          querystring: JobListQuerySchema,
          response: { 200: ref(JobPageSchema), ...errorResponses() }
        }
      },
      async (request, reply) => withLink(await jobs.list(request.query), request, reply)
    )

    app.get(
      '/:id',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getJob',
          tags: ['jobs'],
          summary: 'Get a job',
          description: 'With `Prefer: wait=N` it answers when the job has ended, or after N seconds.',
          params: JobParamsSchema,
          headers: WaitHeadersSchema,
          querystring: NoQuerySchema,
          response: { 200: ref(JobSchema), ...errorResponses(404) }
        }
      },
      async (request, reply) =>
        jobs.wait(request.params.id, preferredWait(request.headers.prefer), requestSignal(reply))
    )

    app.get(
      '/:id/events',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listJobEvents',
          tags: ['jobs'],
          summary: "List a job's events, oldest first",
          params: JobParamsSchema,
          querystring: PageQuerySchema,
          response: { 200: ref(JobEventPageSchema), ...errorResponses(404) }
        }
      },
      async (request, reply) => withLink(await jobs.events(request.params.id, request.query), request, reply)
    )
  }
}
