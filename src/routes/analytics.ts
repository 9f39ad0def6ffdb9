import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  AnalyticsQueryPageSchema,
  AnalyticsQueryParamsSchema,
  AnalyticsQuerySchema,
  NoQuerystringSchema,
  pascalCase,
  resultsSchema
} from '../schemas/analytics.ts'
import { ProblemSchema } from '../schemas/common.ts'
import type { Analytics } from '../services/analytics.ts'
import { requestSignal } from './abort.ts'

/** The error responses of every operation here. */
const problems = { '4xx': ProblemSchema }

/** The catalogue of canned queries and, for each query, the endpoint that its header describes. */
export function analyticsRoutes(analytics: Analytics): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      // Not '/': that would add /v1/analytics/, which OpenAPI linters refuse.
      '',
      {
        schema: {
          operationId: 'listAnalyticsQueries',
          tags: ['analytics'],
          summary: 'List the canned queries',
          querystring: NoQuerystringSchema,
          response: { 200: AnalyticsQueryPageSchema, ...problems }
        }
      },
      async () => analytics.list()
    )

    app.get(
      '/:query',
      {
        schema: {
          operationId: 'getAnalyticsQuery',
          tags: ['analytics'],
          summary: 'Get a canned query and its SQL',
          params: AnalyticsQueryParamsSchema,
          querystring: NoQuerystringSchema,
          response: { 200: AnalyticsQuerySchema, ...problems }
        }
      },
      async (request) => analytics.get(request.params.query)
    )

    for (const entry of analytics.catalogue) {
      app.get(
        `/${entry.query}/results`,
        {
          schema: {
            operationId: `get${pascalCase(entry.query)}Results`,
            tags: ['analytics'],
            summary: entry.question,
            ...(entry.description && { description: entry.description }),
            querystring: entry.querystring,
            response: { 200: resultsSchema(entry), ...problems }
          }
        },
        async (request, reply) => analytics.run(entry.query, request.query, { signal: requestSignal(reply) })
      )
    }

    // Every query of the catalogue has its own route above; what is left is no query.
    app.get(
      '/:query/results',
      { schema: { hide: true, params: AnalyticsQueryParamsSchema } },
      async (request) => {
        throw analytics.notFound(request.params.query)
      }
    )
  }
}
