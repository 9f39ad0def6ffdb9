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

const ajv = new Ajv({
  useDefaults: true,
  removeAdditional: false,
  allErrors: true,
  strict: false,
  // The schemas are this program's own, and checked as part of its OpenAPI document.
  ...{ meta: false, validateSchema: false },
  // The code is run a few times a second at most: making it smaller takes longer than that saves.
  code: { optimize: false }
})
addFormats.default(ajv)

/**
 * By the text of their schema: each is compiled once, when it is first needed, because a start that compiles all of them
 * takes noticeably longer.
 */
const compiled = new Map<string, ValidateFunction>()

const compile: FastifySchemaCompiler<object> = ({ schema, httpPart }) => {
  let own: ValidateFunction | undefined
  const validate = (values: object): { value: object } | { error: ErrorObject[] } => {
    own ??= compileOnce(schema)
    return own(values) ? { value: values } : { error: own.errors ?? [] }
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

function compileOnce(schema: object): ValidateFunction {
  const key = JSON.stringify(schema)
  const validate = compiled.get(key) ?? ajv.compile(schema)
  compiled.set(key, validate)
  return validate
}

export default fp(
  async (app: FastifyInstance) => {
    app.setValidatorCompiler(compile)
    // A scope that adds a schema would go back to Fastify's own compiler, which drops what is unknown.
    app.addHook('onRegister', (scope) => void scope.setValidatorCompiler(compile))

    // Fastify would hand plain text on as if it were a body of ours.
    app.removeContentTypeParser('text/plain')

    app.addHook('preParsing', (request, _, payload, done) => {
      // Some clients name a type for the body that they do not send.
      if (!hasBody(request)) delete request.headers['content-type']
      else if (!request.is404 && request.routeOptions.schema?.body === undefined) {
        const detail = `${request.method} ${request.routeOptions.url} takes no body.`
        return done(new ServiceError('invalid_request', detail))
      }
      done(null, payload)
    })

    app.addHook('preValidation', (request, _, done) => {
      const body = request.routeOptions.schema?.body
      if (body !== undefined && request.body === undefined && isOptionalBody(body)) request.body = {}
      done()
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
