/** The OpenAPI document, generated from the routes' schemas, and Swagger UI on top of it. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifySchema } from 'fastify'
import fp from 'fastify-plugin'
import type { Scope } from '../schemas/jobs.ts'
import { bodyErrors, type DocumentedError, errorResponses } from '../schemas/problems.ts'
import { version } from '../version.ts'
import { type AboutBody, type Document, shareParts } from './openapi-parts.ts'
import { isOptionalBody } from './validation.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the operation can answer beside the errors that every operation has. */
    errors?: readonly DocumentedError[]
  }
}

const description = `Control plane of the song-play warehouse: provision it, load it, ask it.

- Long work answers \`202\` with a job, and \`Location\` says where to follow it. \`Prefer: wait=N\` waits for its end.
- \`Idempotency-Key\` makes it safe to repeat a request that starts a job.
- Lists come in pages: \`next_cursor\` and \`Link\` lead to the next one.
- Errors are problem details (RFC 9457) with a \`code\`. Parameters, properties and bodies that an endpoint does not
  know are errors too.
- \`HEAD\` works wherever \`GET\` does. Any other method that an endpoint does not take, \`OPTIONS\` included, answers
  \`405\` with \`Allow\`.
- Every answer has an \`X-Request-Id\`, the service's own name for the request.`

const tags = [
  { name: 'cluster', description: 'The warehouse cluster: create, look, delete' },
  { name: 'tables', description: 'Staging tables, star schema and load ledger' },
  { name: 'jobs', description: 'Everything that takes longer than a request' },
  { name: 'schedules', description: 'Jobs that start by the clock' },
  { name: 'loads', description: 'The load ledger: receipts, objects, rejects' },
  { name: 'analytics', description: 'Canned queries' },
  { name: 'access', description: 'API keys and the audit log' },
  { name: 'system', description: 'Health, version, identity' }
]

/**
 * Swagger UI loads everything from this service and talks to nobody else. Not `upgrade-insecure-requests`, which
 * would break it wherever the service is reached over plain HTTP.
 */
const contentSecurityPolicy = {
  'default-src': "'none'",
  'base-uri': "'none'",
  'connect-src': "'self'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
  'img-src': "'self' data:",
  'script-src': "'self'",
  'style-src': "'self'"
}

export default fp(
  async (app: FastifyInstance) => {
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Sparkify warehouse',
          version,
          description,
          license: { name: 'MIT', identifier: 'MIT' }
        },
        servers: [{ url: '/', description: 'This service' }],
        tags,
        components: {
          securitySchemes: {
            apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, or a token' }
          }
        }
      },
      refResolver: {
        buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `def-${index}`)
      },
      transform: ({ schema, url, route }) => ({ schema: describe(schema, route.config ?? {}), url }),
      transformObject: (result) =>
        'openapiObject' in result ? shareParts(result.openapiObject as Document) : result.swaggerObject
    })
    await app.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: contentSecurityPolicy,
      uiConfig: {
        // Without the bar on top: it opens documents of other hosts, and its logo has a style that the policy forbids.
        layout: 'BaseLayout',
        ...{ persistAuthorization: true, displayRequestDuration: true, docExpansion: 'list' }
      }
    })
  },
  { name: 'openapi', dependencies: ['validation'] }
)

/** Adds to an operation what follows from its scope and its body. */
function describe(
  schema: FastifySchema,
  { scope, errors = [] }: { scope?: Scope; errors?: readonly DocumentedError[] }
): FastifySchema {
  const { body, description } = schema
  const guards: DocumentedError[] = [
    'missing_credentials',
    'invalid_api_key',
    'invalid_token',
    'too_many_requests',
    'store_unavailable',
    'identity_provider_unavailable'
  ]
  const documented: DocumentedError[] = [
    'invalid_request',
    ...errors,
    ...(body === undefined ? [] : bodyErrors),
    ...(scope === undefined ? [] : guards),
    // A key that is valid covers `read`.
    ...(scope === undefined || scope === 'read' ? [] : (['insufficient_scope'] as const)),
    'shutting_down',
    'internal'
  ]
  return {
    ...schema,
    response: { ...(schema.response as object), ...errorResponses(documented) },
    ...(body !== undefined && { 'x-body': aboutBody(body) }),
    ...(scope !== undefined && {
      description: [description, `Scope: \`${scope}\`.`].filter(Boolean).join(' ')
    }),
    security: scope === undefined ? [] : [{ apiKey: [] }]
  }
}

function aboutBody(body: unknown): AboutBody {
  const { $id } = body as { $id?: string }
  if ($id === undefined) throw new Error('a body needs a schema with an $id: its name in OpenAPI')
  return { name: $id, optional: isOptionalBody(body) }
}
