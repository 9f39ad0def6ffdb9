/** How often a key may ask, and how often an address may try keys that are not valid. Each process counts by itself. */
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ServiceError } from '../errors.ts'

/** Tries with a key that is not valid, by address and minute. */
const FAILED_TRIES = 60
const MINUTE = 60_000

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts a request of a key, and says in the headers how many are left. Throws `too_many_requests`. */
    countRequest(request: FastifyRequest, reply: FastifyReply): Promise<void>
    /** Counts a try with a key that is not valid. Throws `too_many_requests` after too many of an address. */
    countFailedTry(request: FastifyRequest, reply: FastifyReply): Promise<void>
  }
}

export default fp(
  async (app: FastifyInstance, { perMinute }: { perMinute: number }) => {
    await app.register(rateLimit, { global: false })
    const perKey = app.createRateLimit({
      ...{ max: perMinute, timeWindow: MINUTE },
      keyGenerator: ({ actor }) => actor.key_id
    })
    const perAddress = app.createRateLimit({
      ...{ max: FAILED_TRIES, timeWindow: MINUTE },
      keyGenerator: ({ ip }) => ip
    })

    app.decorate('countRequest', async (request: FastifyRequest, reply: FastifyReply) => {
      if (perMinute === 0) return
      const count = await perKey(request)
      if (count.isAllowed) return
      reply.headers({
        'ratelimit-limit': perMinute,
        'ratelimit-remaining': count.remaining,
        'ratelimit-reset': count.ttlInSeconds
      })
      if (count.isExceeded) throw tooMany(reply, count.ttlInSeconds, `${perMinute} requests of this key`)
    })

    app.decorate('countFailedTry', async (request: FastifyRequest, reply: FastifyReply) => {
      const count = await perAddress(request)
      if (count.isAllowed || !count.isExceeded) return
      throw tooMany(
        reply,
        count.ttlInSeconds,
        `${FAILED_TRIES} tries of this address with keys that are not valid`
      )
    })
  },
  { name: 'rate-limit' }
)

function tooMany(reply: FastifyReply, seconds: number, what: string): ServiceError {
  reply.header('retry-after', seconds)
  return new ServiceError(
    'too_many_requests',
    `There were ${what} within a minute, which is the limit. Try again in ${seconds} seconds.`
  )
}
