/** Serialization by JSON schema. */
import { SerializerSelector } from '@fastify/fast-json-stringify-compiler'

const select = SerializerSelector()

/**
 * Fastify's own compiler of serializers, asked once for each schema: the same few problem documents are answers of every
 * route, and compiling them anew for each took a fifth of the time to start.
 */
export const buildSerializer: typeof select = (externalSchemas, options) => {
  const compile = select(externalSchemas, options)
  const compiled = new Map<string, ReturnType<typeof compile>>()
  return (definition) => {
    const key = JSON.stringify(definition.schema)
    const serialize = compiled.get(key) ?? compile(definition)
    compiled.set(key, serialize)
    return serialize
  }
}
