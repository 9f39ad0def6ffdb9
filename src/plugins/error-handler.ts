/** Every error leaves as problem details (RFC 9457); what is not ours to show stays in the log. */
import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify'
import fp from 'fastify-plugin'
import { type ErrorCode, type ErrorItem, ServiceError, toProblem } from '../errors.ts'

/** Fastify's own errors in our catalogue. */
const fastifyErrors: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_BAD_URL: 'invalid_request'
}

const hints: Partial<Record<ErrorCode, string>> = {
  unsupported_media_type: 'Send the body as JSON, with Content-Type: application/json.'
}

export default fp(
  async (app) => {
    app.setErrorHandler<FastifyError>((error, request, reply) =>
      sendProblem(asServiceError(error), error, request, reply)
    )
    app.setNotFoundHandler((request, reply) => {
      const detail = `${request.method} ${request.url.split('?')[0]} is no endpoint. See /docs for what there is.`
      return sendProblem(new ServiceError('route_not_found', detail), undefined, request, reply)
    })
  },
  { name: 'error-handler' }
)

function sendProblem(
  error: ServiceError | undefined,
  original: unknown,
  request: FastifyRequest,
  reply: FastifyReply
) {
  const problem = toProblem(error)
  if (problem.code === 'internal') request.log.error({ err: original }, 'a request failed')
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  if (problem.status === 503) reply.header('retry-after', '5')
  const body = { ...problem, instance: request.url.split('?')[0], request_id: request.id }
  return reply.code(problem.status).type('application/problem+json').send(body)
}

function asServiceError(error: FastifyError): ServiceError | undefined {
  if (error instanceof ServiceError) return error
  if (error.validation !== undefined)
    return invalidRequest(error.validation, error.validationContext ?? 'body')
  const code = fastifyErrors[error.code]
  if (code !== undefined) return new ServiceError(code, hints[code] ?? error.message)
  // The JSON parser throws a bare SyntaxError with this status.
  if (error.statusCode === 400) return new ServiceError('malformed_json', error.message)
  return undefined
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
