/** Every request is a span, below the one that its `traceparent` names. */
import type { ServerResponse } from 'node:http'
import { context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { contextOf, tracer } from '../services/traces.ts'

export default fp(
  async (app: FastifyInstance) => {
    app.addHook('onRequest', (request, reply, done) => {
      const parent = contextOf(request.headers)
      const route = request.routeOptions.url ?? 'unknown'
      const attributes = {
        'http.request.method': request.method,
        'http.route': route,
        'request.id': request.id
      }
      const span = tracer().startSpan(
        `${request.method} ${route}`,
        { kind: SpanKind.SERVER, attributes },
        parent
      )
      endWith(reply.raw, span)
      context.with(trace.setSpan(parent, span), done)
    })
  },
  { name: 'tracing' }
)

/** Ends a span with its response, which closes when it was sent as well as when the caller has left before. */
function endWith(response: ServerResponse, span: Span) {
  response.once('close', () => {
    const { writableEnded: isAnswered, statusCode } = response
    if (isAnswered) span.setAttribute('http.response.status_code', statusCode)
    if (isAnswered && statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  })
}
