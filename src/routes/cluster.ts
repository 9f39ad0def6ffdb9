import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import {
  ClusterPlanSchema,
  ClusterSchema,
  EnsureClusterSchema,
  TeardownQuerySchema
} from '../schemas/cluster.ts'
import { IdempotencyHeadersSchema, NoQuerySchema, ref } from '../schemas/common.ts'
import { JobSchema, jobResponses } from '../schemas/jobs.ts'
import { answer, examplesOf } from '../schemas/responses.ts'
import type { Clusters } from '../services/cluster.ts'
import type { Jobs } from '../services/jobs.ts'
import { replyWithJob, startOptions } from './job-reply.ts'

const provisioning = jobResponses('creates it')
const ensureResponses = {
  ...provisioning,
  200: {
    ...provisioning[200],
    description: 'The cluster when nothing is missing; the ended job when asked to wait for it',
    content: {
      'application/json': {
        schema: Type.Union([ref(ClusterSchema), ref(JobSchema)]),
        examples: examplesOf(ClusterSchema, JobSchema)
      }
    }
  }
}

/** The cluster. */
export function clusterRoutes(clusters: Clusters, jobs: Jobs): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getCluster',
          tags: ['cluster'],
          summary: 'Get the cluster and its state',
          querystring: NoQuerySchema,
          response: { 200: answer(ClusterSchema, 'The cluster, `absent` when there is none') }
        }
      },
      async () => clusters.get()
    )

    app.put(
      '',
      {
        config: { scope: 'admin', errors: ['idempotency_key_reused'] },
        schema: {
          operationId: 'ensureCluster',
          tags: ['cluster'],
          summary: 'Make the cluster exist',
          description: 'Answers the cluster when nothing is missing, else the job that creates it.',
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          body: EnsureClusterSchema,
          response: ensureResponses
        }
      },
      async (request, reply) => {
        const ensured = await clusters.ensure(request.actor, startOptions(request.headers))
        return 'job' in ensured ? replyWithJob(ensured, jobs, request, reply) : ensured
      }
    )

    app.post(
      '/plan',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'planCluster',
          tags: ['cluster'],
          summary: 'Show what PUT would do and cost',
          querystring: NoQuerySchema,
          description: 'The actions in order, and what the cluster would cost then. Nothing is changed.',
          response: { 200: answer(ClusterPlanSchema, 'What is missing') }
        }
      },
      async () => clusters.plan()
    )

    app.post(
      '/pause',
      {
        config: {
          scope: 'admin',
          errors: [
            'cluster_not_found',
            'jobs_active',
            'not_supported',
            'foreign_cluster',
            'idempotency_key_reused'
          ]
        },
        schema: {
          operationId: 'pauseCluster',
          tags: ['cluster'],
          summary: 'Pause the cluster',
          description:
            'Only its storage costs money then. Refused while jobs that use the warehouse are not finished, and by an engine that has no such thing.',
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          response: jobResponses('The job that pauses it')
        }
      },
      async (request, reply) => {
        const started = await clusters.pause(request.actor, startOptions(request.headers))
        return replyWithJob(started, jobs, request, reply)
      }
    )

    app.post(
      '/resume',
      {
        config: {
          scope: 'admin',
          errors: ['cluster_not_found', 'not_supported', 'foreign_cluster', 'idempotency_key_reused']
        },
        schema: {
          operationId: 'resumeCluster',
          tags: ['cluster'],
          summary: 'Resume the cluster',
          description: 'The end of a pause. It takes minutes, and capacity in the region.',
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          response: jobResponses('The job that resumes it')
        }
      },
      async (request, reply) => {
        const started = await clusters.resume(request.actor, startOptions(request.headers))
        return replyWithJob(started, jobs, request, reply)
      }
    )

    app.delete(
      '',
      {
        config: {
          scope: 'admin',
          errors: ['cluster_not_found', 'jobs_active', 'confirmation_mismatch', 'idempotency_key_reused']
        },
        schema: {
          operationId: 'deleteCluster',
          tags: ['cluster'],
          summary: 'Delete the cluster',
          description: 'Refused while jobs that use the warehouse are not finished.',
          headers: IdempotencyHeadersSchema,
          querystring: TeardownQuerySchema,
          response: jobResponses('deletes it')
        }
      },
      async (request, reply) => {
        const started = await clusters.remove(request.query, request.actor, startOptions(request.headers))
        return replyWithJob(started, jobs, request, reply)
      }
    )
  }
}
