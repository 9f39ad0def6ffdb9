import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  IdempotencyHeadersSchema,
  NoQuerySchema,
  PageQuerySchema,
  WaitHeadersSchema
} from '../schemas/common.ts'
import { StartJobSchema } from '../schemas/etl.ts'
import { JobAttemptPageSchema } from '../schemas/job-attempts.ts'
import {
  JobListQuerySchema,
  JobPageSchema,
  JobParamsSchema,
  JobSchema,
  jobResponses
} from '../schemas/jobs.ts'
import { answer } from '../schemas/responses.ts'
import type { Etl } from '../services/etl.ts'
import type { JobCancel } from '../services/job-cancel.ts'
import type { JobRetry } from '../services/job-retry.ts'
import type { Jobs } from '../services/jobs.ts'
import { requestSignal } from './abort.ts'
import { preferredWait, replyWhenEnded, replyWithJob, startOptions } from './job-reply.ts'
import { withLink } from './page-link.ts'

export interface JobsServices {
  jobs: Jobs
  etl: Pick<Etl, 'start'>
  cancel: JobCancel
  retry: JobRetry
}

/** The job table. */
export function jobsRoutes({ jobs, etl, cancel, retry }: JobsServices): FastifyPluginAsyncTypebox {
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
            'callback_not_allowed',
            'job_conflict',
            'idempotency_key_reused'
          ]
        },
        schema: {
          operationId: 'startJob',
          tags: ['jobs'],
          summary: 'Start an ETL job',
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          body: StartJobSchema,
          response: jobResponses('loads what is new')
        }
      },
      async (request, reply) => {
        const started = await etl.start(request.body, request.actor, jobs, startOptions(request.headers))
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

    app.get(
      '/:id/attempts',
      {
        config: { scope: 'read', errors: ['job_not_found', 'invalid_cursor'] },
        schema: {
          operationId: 'listJobAttempts',
          tags: ['jobs'],
          summary: 'List the attempts at a job, oldest first',
          params: JobParamsSchema,
          querystring: PageQuerySchema,
          response: { 200: answer(JobAttemptPageSchema, 'One page of attempts', 'Link') }
        }
      },
      async (request, reply) =>
        withLink(await jobs.attempts(request.params.id, request.query), request, reply)
    )

    app.post(
      '/:id/cancel',
      {
        config: { scope: 'operate', errors: ['job_not_found', 'job_finished'] },
        schema: {
          operationId: 'cancelJob',
          tags: ['jobs'],
          summary: 'Cancel a job',
          description:
            'Needs the scope of the type of the job. A job that runs is `cancelling` until its statement has been stopped inside the engine, then `cancelled`, and the warehouse is as before it. A job whose work was done by then has `succeeded`. Asking again changes nothing.',
          params: JobParamsSchema,
          headers: WaitHeadersSchema,
          querystring: NoQuerySchema,
          response: {
            200: answer(JobSchema, 'The job, which has ended', 'Preference-Applied'),
            202: answer(JobSchema, 'The job, which is about to end', 'Preference-Applied')
          }
        }
      },
      async (request, reply) => {
        const job = await cancel.cancel(request.params.id, request.actor)
        return replyWhenEnded(job, jobs, request, reply)
      }
    )

    app.post(
      '/:id/retry',
      {
        config: {
          scope: 'operate',
          errors: [
            'job_not_found',
            'job_not_retryable',
            'cluster_not_found',
            'tables_not_created',
            'jobs_active',
            'warehouse_unavailable',
            'source_not_allowed',
            'idempotency_key_reused'
          ]
        },
        schema: {
          operationId: 'retryJob',
          tags: ['jobs'],
          summary: 'Try a job again that failed or was cancelled',
          description:
            'Starts a new job with the same type, parameters, priority, times and callback URL; its `retry_of` names the old one. Needs the scope of the type of the job.',
          params: JobParamsSchema,
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          response: jobResponses('tries it again')
        }
      },
      async (request, reply) => {
        const { idempotencyKey } = startOptions(request.headers)
        const started = await retry.retry(request.params.id, request.actor, idempotencyKey)
        return replyWithJob(started, jobs, request, reply)
      }
    )
  }
}
