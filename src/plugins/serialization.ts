/** Serialization by JSON schema. */
import { SerializerSelector } from '@fastify/fast-json-stringify-compiler'

const select = SerializerSelector()

/** By the text of their schema; what that refers to are the same named schemas everywhere. */
const compiled = new Map<string, ReturnType<ReturnType<typeof select>>>()

/**
 * Fastify's own compiler of serializers, asked when an answer is first needed, and once for each schema: compiling all of
 * them at the start, the same few problem documents for every route among them, took half of the time to build the service.
 */
export const buildSerializer: typeof select = (externalSchemas, options) => {
  const compile = select(externalSchemas, options)
  return (definition) => {
    const key = JSON.stringify(definition.schema)
    return (data) => {
      const serialize = compiled.get(key) ?? compile(definition)
      compiled.set(key, serialize)
      return serialize(data)
    }
  }
}
