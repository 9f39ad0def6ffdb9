/** Every error leaves as problem details (RFC 9457); what is not ours to show stays in the log. */
import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify'
import fp from 'fastify-plugin'
import { type ErrorCode, type ErrorItem, ServiceError, toProblem } from '../errors.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** The error that is answered with; null without one. */
    problemCode: string | null
  }
}

/** Fastify's own errors in our catalogue, with what we say about them where we know better. */
const fastifyErrors: Record<string, [ErrorCode, string?]> = {
  FST_ERR_BAD_URL: ['malformed_request', 'The address holds a % that starts no escape.'],
  FST_ERR_MAX_PARAM_LENGTH: ['invalid_request', 'A part of the path is too long for any id or name.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['body_too_large'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'malformed_request',
    'The body is not as long as its Content-Length says.'
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported_media_type',
    'Send the body as JSON, with Content-Type: application/json.'
  ],
  FST_ERR_CTP_INVALID_JSON_BODY: [
    'malformed_json',
    'The body is not JSON, or it has a key that is forbidden.'
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed_json', 'The body is empty.']
}

export default fp(
  async (app) => {
    app.decorateReply('problemCode', null)
    const allowed = watchMethods()
    app.addHook('onRoute', allowed.add)

    let isClosing = false
    app.addHook('preClose', async () => {
      isClosing = true
    })
    app.addHook('onRequest', (_request, _reply, done) => {
      if (!isClosing) return done()
      done(new ServiceError('shutting_down', 'The service is shutting down. Try again soon.'))
    })

    app.setErrorHandler<FastifyError>((error, request, reply) => replyWithError(error, request, reply))
    app.setNotFoundHandler((request, reply) => {
      const path = pathOf(request)
      const methods = allowed.at(path)
      if (methods.length === 0 || methods.includes(request.method)) {
        const detail = `${request.method} ${path} is no endpoint. See /docs for what there is.`
        return replyWithError(new ServiceError('route_not_found', detail), request, reply)
      }
      reply.header('allow', methods.join(', '))
      const detail = `${path} takes ${methods.join(', ')}; it does not take ${request.method}.`
      return replyWithError(new ServiceError('method_not_allowed', detail), request, reply)
    })
  },
  { name: 'error-handler' }
)

/** Answers with the error as a problem. The server needs it too, for what fails before there is a route. */
export function replyWithError(
  error: FastifyError | ServiceError,
  request: FastifyRequest,
  reply: FastifyReply
) {
  const problem = toProblem(asServiceError(error))
  reply.problemCode = problem.code
  if (problem.code === 'internal') request.log.error({ err: error }, 'a request failed')
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  if (problem.status === 503) reply.header('retry-after', '5')
  const body = { ...problem, instance: pathOf(request), request_id: request.id }
  return reply
    .code(problem.status)
    .header('x-request-id', request.id)
    .type('application/problem+json')
    .send(body)
}

const pathOf = (request: FastifyRequest): string => request.url.split('?')[0] ?? ''

/** Which methods there are at a path: for 405 and its Allow. */
function watchMethods() {
  const routes = new Map<string, { pattern: RegExp; methods: string[] }>()
  return {
    add({ url, method }: { url: string; method: string | string[] }) {
      const pattern = new RegExp(`^${url.split('/').map(segmentPattern).join('/')}$`)
      const route = routes.get(url) ?? { pattern, methods: [] }
      route.methods.push(...[method].flat())
      routes.set(url, route)
    },
    at(path: string): string[] {
      const matching = [...routes.values()].filter(({ pattern }) => pattern.test(path))
      return [...new Set(matching.flatMap(({ methods }) => methods))].sort()
    }
  }
}

function segmentPattern(segment: string): string {
  if (segment === '*') return '.*'
  return segment.startsWith(':') ? '[^/]+' : RegExp.escape(segment)
}

function asServiceError(error: FastifyError | ServiceError): ServiceError | undefined {
  if (error instanceof ServiceError) return error
  if (error.validation !== undefined) {
    return invalidRequest(error.validation, error.validationContext ?? 'body')
  }
  const [code, detail = error.message] = fastifyErrors[error.code] ?? []
  return code && new ServiceError(code, detail)
}

function invalidRequest(findings: FastifySchemaValidationError[], where: string): ServiceError {
  const errors = findings.map((finding) => toItem(finding, where))
  const list = errors.map(({ pointer, message }) => (pointer === '' ? message : `${pointer} ${message}`))
  return new ServiceError('invalid_request', `${[...new Set(list)].join('; ')}.`, { errors })
}

/** Names the body's part by JSON pointer, a parameter by its name. */
function toItem(
  { instancePath, keyword, params, message }: FastifySchemaValidationError,
  where: string
): ErrorItem {
  const name = String(params.additionalProperty ?? params.missingProperty ?? '')
  const path = name === '' ? instancePath : `${instancePath}/${name}`
  const pointer = where === 'body' ? path : path.slice(1)
  const kind = where === 'body' ? 'property' : 'parameter'
  const allowed = Array.isArray(params.allowedValues) ? `: ${params.allowedValues.join(', ')}` : ''
  const text =
    keyword === 'additionalProperties'
      ? `is an unknown ${kind}`
      : keyword === 'required'
        ? `is required`
        : `${message ?? 'is not valid'}${allowed}`
  return { pointer, code: keyword, message: text }
}
