import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'

const folder = fileURLToPath(new URL('../dashboard/', import.meta.url))

/** Everything comes from this service, and nobody else is asked; charts are images made of what it answered. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "base-uri 'none'",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "img-src 'self' blob:",
  "script-src 'self'",
  "style-src 'self'"
].join('; ')

/** The dashboard: one page that asks the API with the caller's own key. It needs no key itself, and holds no data. */
export const dashboardRoutes: FastifyPluginAsyncTypebox = async (app) => {
  await app.register(fastifyStatic, {
    root: folder,
    prefix: '/dashboard/',
    index: false,
    allowedPath: (path, _root, { routeOptions }) => routeOptions.url === '/' || /\.(js|css|svg)$/.test(path),
    setHeaders: (reply) => {
      reply.headers({
        'content-security-policy': contentSecurityPolicy,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer'
      })
    }
  })
  app.get('/', { schema: { hide: true } }, async (_, reply) => reply.sendFile('index.html'))
}
