/** Writes every change, and every try that was denied, to the audit log before it is answered. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { AuditEvent } from '../schemas/audit.ts'
import type { Audit } from '../services/audit.ts'

export default fp(
  async (app: FastifyInstance, { audit }: { audit: Audit }) => {
    app.addHook('onSend', async (request, reply, payload) => {
      const event = describe(request, reply)
      // The change has happened. Who asked for it is told so, and the log of the service has what the audit log lacks.
      if (event !== undefined) {
        await audit
          .append(event)
          .catch((error) => request.log.error({ err: error, audit: event }, 'not audited'))
      }
      return payload
    })
  },
  { name: 'audit', dependencies: ['auth', 'error-handler'] }
)

/** What happened, if it is for the log: reading is not, unless it was denied. */
function describe(
  request: FastifyRequest,
  reply: FastifyReply
): Omit<AuditEvent, 'id' | 'at' | 'hash'> | undefined {
  const { statusCode: status } = reply
  const { config, schema, url } = request.routeOptions
  // Not 429: a flood that is held back must not become one of writes.
  if (status === 429) return undefined
  const isDenied = [401, 403].includes(status)
  const isChange = !['GET', 'HEAD'].includes(request.method) && config.scope !== 'read'
  if (!isDenied && !isChange) return undefined
  const [, started] = /^\/v1\/jobs\/([^/]+)$/.exec(String(reply.getHeader('location') ?? '')) ?? []
  const { id } = (request.params ?? {}) as { id?: string }
  return {
    key_id: request.actor?.key_id ?? null,
    key_name: request.actor?.name ?? null,
    action: schema?.operationId ?? `${request.method} ${url}`,
    path: request.url.split('?')[0]?.slice(0, 500) ?? '',
    status,
    outcome: isDenied ? 'denied' : status < 400 ? 'done' : 'failed',
    code: reply.problemCode ?? null,
    address: request.ip,
    request_id: request.id,
    job_id: started ?? (url?.startsWith('/v1/jobs/:id') === true ? (id?.slice(0, 100) ?? null) : null)
  }
}
