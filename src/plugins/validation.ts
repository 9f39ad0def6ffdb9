/**
 * Validation by JSON schema. What comes in a URL or a header is text and is converted; a body is JSON and must have
 * the right types already. Nothing unknown is ever dropped in silence, a body that nobody reads included.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyInstance, FastifyRequest, FastifySchemaCompiler } from 'fastify'
import fp from 'fastify-plugin'
import { ServiceError } from '../errors.ts'

interface ObjectSchema {
  required?: readonly string[]
  properties?: Readonly<Record<string, { type?: unknown }>>
}

/** True if the request may come without this body: it requires nothing. */
export const isOptionalBody = (body: unknown): boolean => ((body as ObjectSchema).required ?? []).length === 0

function createCompiler(): FastifySchemaCompiler<object> {
  const ajv = new Ajv({ useDefaults: true, removeAdditional: false, allErrors: true, strict: false })
  addFormats.default(ajv)
  return ({ schema, httpPart }) => {
    // Compiled when it is first needed: a start that compiles all of them takes noticeably longer.
    let compiled: ValidateFunction | undefined
    const validate = (values: object): { value: object } | { error: ErrorObject[] } => {
      compiled ??= ajv.compile(schema)
      return compiled(values) ? { value: values } : { error: compiled.errors ?? [] }
    }
    if (httpPart === 'body') return validate
    const { properties = {} } = schema as ObjectSchema
    return (values: Record<string, unknown>) => {
      for (const [name, { type }] of Object.entries(properties)) {
        if (name in values) values[name] = fromText(values[name], type)
      }
      return validate(values)
    }
  }
}

export default fp(
  async (app: FastifyInstance) => {
    const compile = createCompiler()
    app.setValidatorCompiler(compile)
    // A scope that adds a schema would go back to Fastify's own compiler, which drops what is unknown.
    app.addHook('onRegister', (scope) => void scope.setValidatorCompiler(compile))

    // Fastify would hand plain text on as if it were a body of ours.
    app.removeContentTypeParser('text/plain')

    app.addHook('preParsing', async (request) => {
      // Some clients name a type for the body that they do not send.
      if (!hasBody(request)) delete request.headers['content-type']
      else if (!request.is404 && request.routeOptions.schema?.body === undefined) {
        throw new ServiceError(
          'invalid_request',
          `${request.method} ${request.routeOptions.url} takes no body.`
        )
      }
    })

    app.addHook('preValidation', async (request) => {
      const body = request.routeOptions.schema?.body
      if (body !== undefined && request.body === undefined && isOptionalBody(body)) request.body = {}
    })
  },
  { name: 'validation' }
)

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** A text as the type that its schema asks for. What is no such value stays as it is, and is refused. */
function fromText(value: unknown, type: unknown): unknown {
  if (typeof value !== 'string') return value
  if (type === 'integer' && /^-?\d+$/.test(value)) return Number(value)
  if (type === 'number' && /^-?\d+(\.\d+)?$/.test(value)) return Number(value)
  if (type === 'boolean' && /^(true|false)$/.test(value)) return value === 'true'
  return value
}
