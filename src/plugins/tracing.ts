/** Every request is a span, below the one that its `traceparent` names. */
import { context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { contextOf, tracer } from '../services/traces.ts'

export default fp(
  async (app: FastifyInstance) => {
    const spans = new WeakMap<object, Span>()
    app.addHook('onRequest', (request, _reply, done) => {
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
      spans.set(request, span)
      context.with(trace.setSpan(parent, span), done)
    })
    app.addHook('onResponse', async (request, reply) => {
      const span = spans.get(request)
      span?.setAttribute('http.response.status_code', reply.statusCode)
      if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR })
      span?.end()
    })
    app.addHook('onRequestAbort', async (request) => spans.get(request)?.end())
  },
  { name: 'tracing' }
)
