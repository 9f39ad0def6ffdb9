import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AuditEventPageSchema, AuditQuerySchema, AuditVerificationSchema } from '../schemas/audit.ts'
import { NoQuerySchema } from '../schemas/common.ts'
import { answer } from '../schemas/responses.ts'
import type { Audit } from '../services/audit.ts'
import { withLink } from './page-link.ts'

/** Who changed what, and who was denied. */
export function auditRoutes(audit: Audit): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '',
      {
        config: { scope: 'admin', errors: ['invalid_cursor'] },
        schema: {
          operationId: 'listAuditEvents',
          tags: ['access'],
          summary: 'List changes and denied tries, newest first',
          querystring: AuditQuerySchema,
          response: { 200: answer(AuditEventPageSchema, 'One page of events', 'Link') }
        }
      },
      async (request, reply) => withLink(await audit.list(request.query), request, reply)
    )

    app.post(
      '/verify',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'verifyAuditEvents',
          tags: ['access'],
          summary: 'Check that no event was changed or removed',
          description: 'Computes the chain of hashes anew, over all events.',
          querystring: NoQuerySchema,
          response: { 200: answer(AuditVerificationSchema, 'What the chain says') }
        }
      },
      async () => audit.verify()
    )
  }
}
