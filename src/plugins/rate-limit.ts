/** How often a key may ask, and how often an address may try keys that are not valid. Each process counts by itself. */
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ServiceError } from '../errors.ts'

/** Tries with a key that is not valid, by address and minute. */
const FAILED_TRIES = 60
const MINUTE = 60_000

export interface KeyCount {
  /** How many requests are left. */
  headers: Record<string, number>
  isExceeded: boolean
  /** Until they are counted from the beginning, in seconds. */
  seconds: number
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts a request of a key; undefined where keys have no limit. */
    countKey(keyId: string): Promise<KeyCount> | undefined
    /** The same, and says in the headers how many are left. Throws `too_many_requests`. */
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

    async function countKey(key_id: string): Promise<KeyCount> {
      // The library reads no more of a request.
      const request = { actor: { key_id }, routeOptions: {} } as FastifyRequest
      const count = await perKey(request)
      if (count.isAllowed) throw new Error('nobody is exempt')
      const headers = {
        'ratelimit-limit': perMinute,
        'ratelimit-remaining': count.remaining,
        'ratelimit-reset': count.ttlInSeconds
      }
      return { headers, isExceeded: count.isExceeded, seconds: count.ttlInSeconds }
    }
    app.decorate('countKey', (keyId: string) => (perMinute === 0 ? undefined : countKey(keyId)))

    app.decorate('countRequest', async (request: FastifyRequest, reply: FastifyReply) => {
      const count = await app.countKey(request.actor.key_id)
      if (count === undefined) return
      reply.headers(count.headers)
      if (count.isExceeded) throw tooMany(reply, count.seconds, `${perMinute} requests of this key`)
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
