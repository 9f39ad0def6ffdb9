/** Headers of every answer: its id, and what keeps browsers from doing more with it than showing it. */
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** For what has none of its own: an answer is data, and no page. */
const contentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'"

export default fp(
  async (app: FastifyInstance) => {
    app.addHook('onSend', (request, reply, payload, done) => {
      reply.header('x-request-id', request.id)
      reply.header('x-content-type-options', 'nosniff')
      if (!reply.hasHeader('content-security-policy')) {
        reply.header('content-security-policy', contentSecurityPolicy)
      }
      done(null, payload)
    })
  },
  { name: 'headers' }
)
