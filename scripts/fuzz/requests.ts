/** Requests made from an OpenAPI document: valid ones, almost valid ones, and garbage. */
import type { Random } from './random.ts'

// biome-ignore lint/suspicious/noExplicitAny: a JSON schema is whatever the document holds.
export type Schema = any

export interface Operation {
  id: string
  method: string
  path: string
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  spec: any
}

export interface FuzzRequest {
  operation: Operation
  method: string
  url: string
  headers: Record<string, string>
  body?: string
}

/** What breaks programs that trust their input. */
const nasty: unknown[] = [
  ...[
    '',
    ' ',
    '0',
    '-1',
    '1e999',
    '9007199254740993',
    'null',
    'true',
    '[]',
    '{}',
    '%',
    '%00',
    'é',
    '😀',
    '\u202e'
  ],
  ...[
    "' or 1=1 --",
    "'; drop table jobs; --",
    '$1',
    ':limit',
    '{{7*7}}',
    '../../etc/passwd',
    '..%2f..',
    '\\'
  ],
  ...['<script>alert(1)</script>', 'a\r\nx: y', '__proto__', 'constructor', 'x'.repeat(5000)],
  ...[0, -1, 1.5, 2 ** 53, -(2 ** 31) - 1, true, false, null, [], {}, [[[[]]]], { a: { b: { c: {} } } }]
]

export function operationsOf(document: Schema): Operation[] {
  return Object.entries<Schema>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Schema>(methods).map(([method, spec]) => ({ id: spec.operationId, method, path, spec }))
  )
}

export function createRequests(document: Schema, random: Random, ids: () => string[]) {
  const resolve = (schema: Schema): Schema =>
    schema?.$ref === undefined
      ? schema
      : resolve(
          schema.$ref
            .slice(2)
            .split('/')
            .reduce((at: Schema, key: string) => at[key.replaceAll('~1', '/')], document)
        )

  /** A value that the schema takes, as far as one can tell by looking. */
  function valid(given: Schema, depth = 0): unknown {
    const schema = resolve(given) ?? {}
    if (schema.const !== undefined) return schema.const
    if (schema.enum !== undefined) return random.pick(schema.enum)
    if (schema.examples !== undefined && random.chance(0.5)) return random.pick(schema.examples)
    if (schema.default !== undefined && random.chance(0.3)) return schema.default
    const union = schema.anyOf ?? schema.oneOf
    if (union !== undefined) return valid(random.pick(union), depth)
    const type = Array.isArray(schema.type) ? random.pick(schema.type) : schema.type
    if (type === 'integer' || type === 'number') {
      const low = schema.minimum ?? schema.exclusiveMinimum ?? -1000
      const high = schema.maximum ?? schema.exclusiveMaximum ?? low + 2000
      const value = random.pick([low, high, low + random.next() * (high - low)])
      return type === 'integer' ? Math.round(value) : value
    }
    if (type === 'boolean') return random.chance(0.5)
    if (type === 'null') return null
    if (type === 'array') {
      const count = depth > 3 ? 0 : Math.floor(random.next() * 3)
      return Array.from({ length: count }, () => valid(schema.items, depth + 1))
    }
    if (type === 'object') return validObject(schema, depth)
    if (schema.format === 'date') return random.pick(['2018-11-01', '2018-11-30', '1970-01-01'])
    if (schema.format === 'date-time')
      return random.pick(['2018-11-01T00:00:00Z', '2100-01-01T12:00:00.5+02:00'])
    return random.pick(['a', 'users', 'paid', 'sparkify', 'x'.repeat(schema.minLength ?? 3)])
  }

  function validObject(schema: Schema, depth: number) {
    const required = new Set(schema.required ?? [])
    const entries = Object.entries(schema.properties ?? {}).filter(
      ([name]) => required.has(name) || random.chance(0.5)
    )
    return Object.fromEntries(entries.map(([name, property]) => [name, valid(property, depth + 1)]))
  }

  /** The same value with something wrong in it. */
  function spoil(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return random.pick(nasty)
    const entries = Object.entries(value)
    const at = Math.floor(random.next() * (entries.length + 1))
    if (entries[at] === undefined) return { ...value, [String(random.pick(nasty))]: random.pick(nasty) }
    if (random.chance(0.3)) return Object.fromEntries(entries.toSpliced(at, 1))
    return Object.fromEntries(entries.with(at, [entries[at][0], spoil(entries[at][1])]))
  }

  const value = (schema: Schema, spoiled: number) =>
    random.chance(spoiled) ? spoil(valid(schema)) : valid(schema)

  return function next(operation: Operation): FuzzRequest {
    const { spec } = operation
    let path = operation.path
    const query = new URLSearchParams()
    const headers: Record<string, string> = {}
    for (const given of spec.parameters ?? []) {
      const parameter = resolve(given)
      const isId = parameter.in === 'path' && random.chance(0.7)
      const chosen = isId ? random.pick([...ids(), valid(parameter.schema)]) : value(parameter.schema, 0.15)
      const text = typeof chosen === 'string' ? chosen : JSON.stringify(chosen)
      if (parameter.in === 'path')
        path = path.replace(`{${parameter.name}}`, encodeURIComponent(text) || '%20')
      else if (!parameter.required && random.chance(0.6)) continue
      else if (parameter.in === 'query') query.append(parameter.name, text)
      // What Node would not send is no header.
      else if (/^[\x20-\x7e]*$/.test(text) && parameter.name !== 'prefer') headers[parameter.name] = text
    }
    if (random.chance(0.05)) query.append(String(random.pick(nasty)), 'x')
    const request: FuzzRequest = {
      ...{ operation, headers, method: operation.method.toUpperCase() },
      url: path + (query.size > 0 ? `?${query}` : '')
    }
    const body = spec.requestBody?.content?.['application/json']?.schema
    if (body === undefined || (!spec.requestBody.required && random.chance(0.3))) return request
    headers['content-type'] = random.chance(0.97) ? 'application/json' : 'text/plain'
    const made = random.chance(0.03) ? String(random.pick(nasty)) : JSON.stringify(value(body, 0.4))
    return { ...request, body: made }
  }
}
