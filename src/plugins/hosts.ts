/**
 * Refuses requests that were sent to another name than the service's: a page that makes its own name lead to this machine (DNS
 * rebinding) would otherwise speak to a service that listens here only.
 */
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ServiceError } from '../errors.ts'

/** Names with ports that are remembered as right. */
const MOST_KNOWN = 100
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']
const isLoopback = (host: string) => [...LOOPBACK, '::1'].includes(host.toLowerCase())

/** The names that are answered to; undefined for any. */
export function allowedHosts({ HOST, ALLOWED_HOSTS }: { HOST: string; ALLOWED_HOSTS?: string }) {
  const named = (ALLOWED_HOSTS ?? '').split(',').map((name) => name.trim().toLowerCase())
  if (isLoopback(HOST)) return new Set([...LOOPBACK, ...named])
  return ALLOWED_HOSTS === undefined ? undefined : new Set(named)
}

export default fp(
  async (app: FastifyInstance, { allowed }: { allowed: Set<string> | undefined }) => {
    if (allowed === undefined) return
    // With their ports: most requests name the same one.
    const known = new Set<string | undefined>()
    app.addHook('onRequest', (request, _, done) => {
      const { host } = request.headers
      if (known.has(host)) return done()
      const { hostname } = request
      if (allowed.has(hostname.toLowerCase())) {
        if (known.size < MOST_KNOWN) known.add(host)
        return done()
      }
      const name = JSON.stringify(hostname.slice(0, 255))
      const detail = `The service is not called ${name}. Name it in ALLOWED_HOSTS if it is.`
      done(new ServiceError('host_not_allowed', detail))
    })
  },
  { name: 'hosts' }
)
