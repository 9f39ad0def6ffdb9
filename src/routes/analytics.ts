import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  AnalyticsQueryPageSchema,
  AnalyticsQueryParamsSchema,
  AnalyticsQuerySchema,
  pascalCase,
  ResultsHeadersSchema,
  resultsSchema
} from '../schemas/analytics.ts'
import { AnswerVerificationSchema, VerifyAnswerSchema } from '../schemas/analytics-verify.ts'
import { NoQuerySchema } from '../schemas/common.ts'
import { answer, resultsResponses } from '../schemas/responses.ts'
import type { Analytics } from '../services/analytics.ts'
import { type AnswerFormat, answerFormats, chooseFormat } from '../services/answer-formats.ts'
import type { Answers } from '../services/answers.ts'
import { requestSignal } from './abort.ts'
import { preferredWait } from './job-reply.ts'

/** RFC 9110: weak or strong, any of a list, or a star. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}

/** The catalogue of canned queries and, for each query, the endpoint that its header describes. */
export function analyticsRoutes(analytics: Analytics, answers: Answers): FastifyPluginAsyncTypebox {
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
            errors: [
              'cluster_not_found',
              'tables_not_created',
              'warehouse_unavailable',
              'data_not_ready',
              'too_many_queries',
              'query_timeout'
            ]
          },
          schema: {
            operationId: `get${pascalCase(entry.query)}Results`,
            tags: ['analytics'],
            summary: entry.question,
            ...(entry.description && { description: entry.description }),
            headers: ResultsHeadersSchema,
            querystring: entry.querystring,
            response: resultsResponses(results, entry.title)
          }
        },
        async (request, reply) => {
          const { format, min_data_version, ...params } = request.query
          const chosen = chooseFormat(format as AnswerFormat | undefined, request.headers.accept)
          const { etag, body, isCached } = await answers.answer(entry, {
            ...{ params, format: chosen, signal: requestSignal(reply) },
            minDataVersion: min_data_version as number | undefined,
            wait: preferredWait(request.headers.prefer),
            isFresh: /\bno-cache\b/i.test(request.headers['cache-control'] ?? '')
          })
          reply.headers({
            ...{ etag, vary: 'accept', 'cache-control': 'private, no-cache' },
            'x-cache': isCached ? 'hit' : 'miss'
          })
          if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send()
          if (chosen === 'csv')
            reply.header('content-disposition', `attachment; filename="${entry.query}.csv"`)
          return reply.type(answerFormats[chosen]).send(body)
        }
      )
    }

    app.post(
      '/:query/verify',
      {
        config: {
          scope: 'read',
          errors: [
            'query_not_found',
            'cluster_not_found',
            'tables_not_created',
            'warehouse_unavailable',
            'too_many_queries',
            'query_timeout'
          ]
        },
        schema: {
          operationId: 'verifyAnalyticsAnswer',
          tags: ['analytics'],
          summary: 'Compare the answer of a query with the rows that it should have',
          params: AnalyticsQueryParamsSchema,
          querystring: NoQuerySchema,
          body: VerifyAnswerSchema,
          response: { 200: answer(AnswerVerificationSchema, 'Equal, or the differences') }
        }
      },
      async (request, reply) => answers.verify(request.params.query, request.body, requestSignal(reply))
    )

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
