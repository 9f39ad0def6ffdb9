/** API keys and tokens guard every route of the scope that this plugin is registered in. */
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ServiceError } from '../errors.ts'
import type { Scope } from '../schemas/jobs.ts'
import { type Actor, requireScope } from '../services/api-keys.ts'
import type { Identity } from '../services/identity.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope that the route needs; every guarded route names one. */
    scope?: Scope
  }
  interface FastifyRequest {
    /** Who makes the request. Only guarded routes have one. */
    actor: Actor
  }
}

export default fp(
  async (app: FastifyInstance, { identity }: { identity: Identity }) => {
    app.decorateRequest('actor', null as unknown as Actor)

    app.addHook('onRoute', (route) => {
      if (route.config?.scope === undefined) throw new Error(`${route.method} ${route.url} names no scope`)
    })

    app.addHook('onRequest', async (request, reply) => {
      request.actor = await identity.identify(request.headers.authorization).catch(async (error) => {
        if (error instanceof ServiceError && error.status === 401) await app.countFailedTry(request, reply)
        if (error instanceof ServiceError && error.code === 'identity_provider_unavailable') {
          request.log.warn({ err: error }, 'the identity provider does not answer')
        }
        throw error
      })
      await app.countRequest(request, reply)
      const { scope } = request.routeOptions.config
      if (scope !== undefined) requireScope(request.actor, scope)
    })
  },
  { name: 'auth', dependencies: ['rate-limit'] }
)
