import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  AnalyticsQueryPageSchema,
  AnalyticsQueryParamsSchema,
  AnalyticsQuerySchema,
  ChartQuerySchema,
  pascalCase,
  ResultsHeadersSchema,
  resultsSchema
} from '../schemas/analytics.ts'
import { AnswerVerificationSchema, VerifyAnswerSchema } from '../schemas/analytics-verify.ts'
import { NoQuerySchema } from '../schemas/common.ts'
import { answer, chartResponses, resultsResponses } from '../schemas/responses.ts'
import type { Analytics } from '../services/analytics.ts'
import { type AnswerFormat, answerFormats, chooseFormat } from '../services/answer-formats.ts'
import type { Answer, Answers } from '../services/answers.ts'
import { lazyRequestSignal, requestSignal } from './abort.ts'
import { preferredWait } from './job-reply.ts'

/** What every question to the warehouse may meet. */
const resultErrors = [
  'cluster_not_found',
  'tables_not_created',
  'warehouse_unavailable',
  'too_many_queries',
  'query_timeout'
] as const

/** Names the answer in the headers; true when the caller has it. */
function isKnownAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  { etag, keptIn }: Pick<Answer, 'etag' | 'keptIn'>
): boolean {
  const cache = keptIn === undefined ? 'miss' : 'hit'
  reply.repeatableIn = keptIn
  reply.headers({ etag, vary: 'accept', 'cache-control': 'private, no-cache', 'x-cache': cache })
  const { 'if-none-match': known } = request.headers
  return known !== undefined && isKnown(known, etag)
}

function sendNothing(reply: FastifyReply, body: string | Readable): FastifyReply {
  if (typeof body !== 'string') body.destroy()
  return reply.code(304).send()
}

/** RFC 9110: weak or strong, any of a list, or a star. */
function isKnown(ifNoneMatch: string, etag: string): boolean {
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
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
            errors: ['data_not_ready', ...resultErrors]
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
          const { etag, body, keptIn } = await answers.answer(entry, {
            ...{ params, format: chosen, signal: lazyRequestSignal(reply) },
            minDataVersion: min_data_version as number | undefined,
            wait: preferredWait(request.headers.prefer),
            isFresh: /\bno-cache\b/i.test(request.headers['cache-control'] ?? '')
          })
          if (isKnownAnswer(request, reply, { etag, keptIn })) return sendNothing(reply, body)
          if (chosen === 'csv')
            reply.header('content-disposition', `attachment; filename="${entry.query}.csv"`)
          return reply.type(answerFormats[chosen]).send(body)
        }
      )
    }

    app.get(
      '/:query/chart',
      {
        config: { scope: 'read', errors: ['query_not_found', 'chart_not_found', ...resultErrors] },
        schema: {
          operationId: 'getAnalyticsChart',
          tags: ['analytics'],
          summary: 'Draw the answer of a query',
          description: 'An SVG of its own. It takes the parameters of the query too.',
          params: AnalyticsQueryParamsSchema,
          headers: ResultsHeadersSchema,
          querystring: ChartQuerySchema,
          response: chartResponses
        }
      },
      async (request, reply) => {
        const { theme, width, ...texts } = request.query
        const { etag, body, keptIn } = await answers.chart(request.params.query, texts, {
          look: { theme, width },
          signal: lazyRequestSignal(reply)
        })
        if (isKnownAnswer(request, reply, { etag, keptIn })) return sendNothing(reply, body)
        // Opened by itself it can neither run nor fetch anything.
        reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
        return reply.type('image/svg+xml; charset=utf-8').send(body)
      }
    )

    app.post(
      '/:query/verify',
      {
        config: {
          scope: 'read',
          errors: ['query_not_found', ...resultErrors]
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
