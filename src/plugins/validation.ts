/**
 * Validation by JSON schema. What comes in a URL or a header is text and is converted; a body is JSON and must have
 * the right types already. Nothing unknown is ever dropped in silence.
 */
import { Ajv, type Options } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

const options: Options = { useDefaults: true, removeAdditional: false, allErrors: true, strict: false }

function createAjv(coerceTypes: boolean): Ajv {
  const ajv = new Ajv({ ...options, coerceTypes })
  addFormats.default(ajv)
  return ajv
}

export default fp(
  async (app: FastifyInstance) => {
    const [strict, coercing] = [createAjv(false), createAjv(true)]
    app.setValidatorCompiler(({ schema, httpPart }) =>
      (httpPart === 'body' ? strict : coercing).compile(schema)
    )
  },
  { name: 'validation' }
)
