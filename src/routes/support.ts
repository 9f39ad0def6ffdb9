import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoQuerySchema } from '../schemas/common.ts'
import { JobParamsSchema } from '../schemas/jobs.ts'
import { answer } from '../schemas/responses.ts'
import { DoctorReportSchema, JobBundleSchema } from '../schemas/support.ts'
import type { Doctor } from '../services/doctor.ts'
import type { JobBundles } from '../services/job-bundle.ts'

/** For whoever looks for what is wrong. */
export function supportRoutes(doctor: Doctor, bundles: JobBundles): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/doctor',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'getDoctorReport',
          tags: ['system'],
          summary: 'Look for what is wrong with the deployment',
          description:
            'Store, clock, disk, cluster, permissions, warehouse, tables and sources. It answers 200 whatever is found, and changes nothing.',
          querystring: NoQuerySchema,
          response: { 200: answer(DoctorReportSchema, 'What was found') }
        }
      },
      async () => doctor.examine()
    )

    app.get(
      '/jobs/:id/bundle',
      {
        config: { scope: 'read', errors: ['job_not_found'] },
        schema: {
          operationId: 'getJobBundle',
          tags: ['jobs'],
          summary: 'Get everything about a job, for a bug report',
          description: 'It holds no secret and no text of a record.',
          params: JobParamsSchema,
          querystring: NoQuerySchema,
          response: { 200: answer(JobBundleSchema, 'The bundle') }
        }
      },
      async (request) => bundles.collect(request.params.id)
    )
  }
}
