import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ClusterPlanSchema, ClusterSchema, TeardownQuerySchema } from '../schemas/cluster.ts'
import { errorResponses, IdempotencyHeadersSchema, NoQuerySchema, ref } from '../schemas/common.ts'
import { JobSchema } from '../schemas/jobs.ts'
import type { Clusters } from '../services/cluster.ts'
import type { Jobs } from '../services/jobs.ts'
import { replyWithJob, startOptions } from './job-reply.ts'

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
          response: { 200: ref(ClusterSchema), ...errorResponses() }
        }
      },
      async () => clusters.get()
    )

    app.put(
      '',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'ensureCluster',
          tags: ['cluster'],
          summary: 'Make the cluster exist',
          description: 'Answers the cluster when nothing is missing, else the job that creates it.',
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          response: {
            200: {
              ...Type.Union([ref(ClusterSchema), ref(JobSchema)]),
              description: 'The cluster when nothing is missing; the finished job when asked to wait for it'
            },
            202: { ...ref(JobSchema), description: 'The job that creates it' },
            ...errorResponses(409, 422)
          }
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
          response: { 200: ref(ClusterPlanSchema), ...errorResponses(409, 422) }
        }
      },
      async () => clusters.plan()
    )

    app.post(
      '/pause',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'pauseCluster',
          tags: ['cluster'],
          summary: 'Pause the cluster',
          description:
            'Only its storage costs money then. Refused while jobs that use the warehouse are not finished, and by an engine that has no such thing.',
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          response: {
            200: { ...ref(JobSchema), description: 'The finished job, when asked to wait' },
            202: { ...ref(JobSchema), description: 'The job that pauses it' },
            ...errorResponses(409, 422)
          }
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
        config: { scope: 'admin' },
        schema: {
          operationId: 'resumeCluster',
          tags: ['cluster'],
          summary: 'Resume the cluster',
          description: 'The end of a pause. It takes minutes, and capacity in the region.',
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          response: {
            200: { ...ref(JobSchema), description: 'The finished job, when asked to wait' },
            202: { ...ref(JobSchema), description: 'The job that resumes it' },
            ...errorResponses(409, 422)
          }
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
        config: { scope: 'admin' },
        schema: {
          operationId: 'deleteCluster',
          tags: ['cluster'],
          summary: 'Delete the cluster',
          description: 'Refused while jobs that use the warehouse are not finished.',
          headers: IdempotencyHeadersSchema,
          querystring: TeardownQuerySchema,
          response: {
            200: { ...ref(JobSchema), description: 'The finished job, when asked to wait' },
            202: { ...ref(JobSchema), description: 'The job that deletes it' },
            ...errorResponses(409, 422)
          }
        }
      },
      async (request, reply) => {
        const started = await clusters.remove(request.query, request.actor, startOptions(request.headers))
        return replyWithJob(started, jobs, request, reply)
      }
    )
  }
}
