/** The OpenAPI document, generated from the routes' schemas, and Swagger UI on top of it. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { version } from '../version.ts'

const tags = [
  { name: 'cluster', description: 'The warehouse cluster: create, look, delete' },
  { name: 'tables', description: 'Staging tables, star schema and load ledger' },
  { name: 'jobs', description: 'Everything that takes longer than a request' },
  { name: 'loads', description: 'The load ledger: receipts, objects, rejects' },
  { name: 'analytics', description: 'Canned queries' },
  { name: 'system', description: 'Health, version, identity' }
]

export default fp(
  async (app: FastifyInstance) => {
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Sparkify warehouse',
          version,
          description: 'Control plane of the song-play warehouse: provision it, load it, ask it.',
          license: { name: 'MIT', identifier: 'MIT' }
        },
        servers: [{ url: '/', description: 'This service' }],
        tags,
        components: {
          securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key' } }
        }
      },
      refResolver: {
        buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `def-${index}`)
      },
      transform: ({ schema, url, route }) => {
        const scope = route.config?.scope
        if (scope === undefined) return { schema: { ...schema, security: [] }, url }
        const description = [schema.description, `Scope: \`${scope}\`.`].filter(Boolean).join(' ')
        return { schema: { ...schema, description, security: [{ apiKey: [] }] }, url }
      }
    })
    await app.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: true,
      uiConfig: { persistAuthorization: true, displayRequestDuration: true, docExpansion: 'list' }
    })
  },
  { name: 'openapi' }
)
