import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  ApiKeyPageSchema,
  ApiKeyParamsSchema,
  ApiKeySchema,
  CreatedApiKeySchema,
  NewApiKeySchema,
  RotateApiKeySchema
} from '../schemas/api-keys.ts'
import { NoQuerySchema, PageQuerySchema } from '../schemas/common.ts'
import { answer } from '../schemas/responses.ts'
import type { ApiKeys } from '../services/api-keys.ts'
import { withLink } from './page-link.ts'

/** Keys: created, looked at, replaced, revoked. */
export function apiKeysRoutes(apiKeys: ApiKeys): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '',
      {
        config: { scope: 'admin', errors: ['invalid_cursor'] },
        schema: {
          operationId: 'listApiKeys',
          tags: ['access'],
          summary: 'List API keys, newest first',
          querystring: PageQuerySchema,
          response: { 200: answer(ApiKeyPageSchema, 'One page of keys', 'Link') }
        }
      },
      async (request, reply) => withLink(await apiKeys.list(request.query), request, reply)
    )

    app.post(
      '',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'createApiKey',
          tags: ['access'],
          summary: 'Create an API key',
          description: 'The answer holds the key itself, this once.',
          querystring: NoQuerySchema,
          body: NewApiKeySchema,
          response: { 201: answer(CreatedApiKeySchema, 'The key', 'Location') }
        }
      },
      async (request, reply) => {
        const created = await apiKeys.create(request.body, request.actor.key_id)
        return reply.code(201).header('location', `/v1/api-keys/${created.id}`).send(created)
      }
    )

    app.get(
      '/:id',
      {
        config: { scope: 'admin', errors: ['key_not_found'] },
        schema: {
          operationId: 'getApiKey',
          tags: ['access'],
          summary: 'Get an API key, without its text',
          params: ApiKeyParamsSchema,
          querystring: NoQuerySchema,
          response: { 200: answer(ApiKeySchema, 'The key') }
        }
      },
      async (request) => apiKeys.get(request.params.id)
    )

    app.delete(
      '/:id',
      {
        config: { scope: 'admin', errors: ['key_not_found', 'key_configured', 'last_admin_key'] },
        schema: {
          operationId: 'revokeApiKey',
          tags: ['access'],
          summary: 'Revoke an API key',
          description: 'It is refused from now on, by other replicas within a second. It stays in the list.',
          params: ApiKeyParamsSchema,
          querystring: NoQuerySchema,
          response: { 200: answer(ApiKeySchema, 'The key, revoked') }
        }
      },
      async (request) => apiKeys.revoke(request.params.id)
    )

    app.post(
      '/:id/rotate',
      {
        config: { scope: 'admin', errors: ['key_not_found', 'key_configured', 'key_not_valid'] },
        schema: {
          operationId: 'rotateApiKey',
          tags: ['access'],
          summary: 'Replace an API key',
          description: 'A new key of the same name and scope. The old one goes on for `overlap_seconds`.',
          params: ApiKeyParamsSchema,
          querystring: NoQuerySchema,
          body: RotateApiKeySchema,
          response: { 201: answer(CreatedApiKeySchema, 'The new key', 'Location') }
        }
      },
      async (request, reply) => {
        const created = await apiKeys.rotate(request.params.id, request.body, request.actor.key_id)
        return reply.code(201).header('location', `/v1/api-keys/${created.id}`).send(created)
      }
    )
  }
}
