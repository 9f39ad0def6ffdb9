import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  AnalyticsQueryPageSchema,
  AnalyticsQueryParamsSchema,
  AnalyticsQuerySchema,
  pascalCase,
  resultsSchema
} from '../schemas/analytics.ts'
import { NoQuerySchema } from '../schemas/common.ts'
import { answer } from '../schemas/responses.ts'
import type { Analytics } from '../services/analytics.ts'
import { requestSignal } from './abort.ts'

/** The catalogue of canned queries and, for each query, the endpoint that its header describes. */
export function analyticsRoutes(analytics: Analytics): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      // Not '/': that would add /v1/analytics/, which OpenAPI linters refuse.
      '',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listAnalyticsQueries',
          tags: ['analytics'],
          summary: 'List the canned queries',
          querystring: NoQuerySchema,
          response: { 200: answer(AnalyticsQueryPageSchema, 'All of them on one page') }
        }
      },
      async () => analytics.list()
    )

    app.get(
      '/:query',
      {
        config: { scope: 'read', errors: ['query_not_found'] },
        schema: {
          operationId: 'getAnalyticsQuery',
          tags: ['analytics'],
          summary: 'Get a canned query and its SQL',
          params: AnalyticsQueryParamsSchema,
          querystring: NoQuerySchema,
          response: { 200: answer(AnalyticsQuerySchema, 'The query') }
        }
      },
      async (request) => analytics.get(request.params.query)
    )

    for (const entry of analytics.catalogue) {
      const results = resultsSchema(entry)
      app.addSchema(results)
      app.get(
        `/${entry.query}/results`,
        {
          config: {
            scope: 'read',
            errors: ['cluster_not_found', 'tables_not_created', 'warehouse_unavailable']
          },
          schema: {
            operationId: `get${pascalCase(entry.query)}Results`,
            tags: ['analytics'],
            summary: entry.question,
            ...(entry.description && { description: entry.description }),
            querystring: entry.querystring,
            response: { 200: answer(results, `The answer: ${entry.title}`) }
          }
        },
        async (request, reply) => analytics.run(entry.query, request.query, { signal: requestSignal(reply) })
      )
    }

    // Every query of the catalogue has its own route above; what is left is no query.
    app.get(
      '/:query/results',
      { config: { scope: 'read' }, schema: { hide: true, params: AnalyticsQueryParamsSchema } },
      async (request) => {
        throw analytics.notFound(request.params.query)
      }
    )
  }
}
