/** How operations answer: the body by its name, an example of it, and the headers that come with it. */
import { type TSchema, Type } from 'typebox'
import { exampleOf, ref } from './common.ts'

/** Headers of answers, by the names that OpenAPI shows. */
export const responseHeaders = {
  'X-Request-Id': Type.String({
    description: "The service's own name for this request: what its log calls it, and new for every request"
  }),
  Location: Type.String({ description: 'Where to find it', examples: ['/v1/jobs/job_0193'] }),
  'Idempotency-Replayed': Type.String({
    enum: ['true'],
    description: 'There when an earlier request with the same Idempotency-Key had started the job'
  }),
  'Preference-Applied': Type.String({
    description: 'How long it waited at most, when asked to wait',
    examples: ['wait=10']
  }),
  Link: Type.String({
    description: 'The next page (RFC 8288); absent on the last',
    examples: ['</v1/jobs?limit=50&cursor=am9iXzAxOTM>; rel="next"']
  }),
  ETag: Type.String({
    description: 'Names this answer: query, parameters, format and the load that it is of',
    examples: ['"q3Zy0x"']
  }),
  'X-Cache': Type.String({ enum: ['hit', 'miss'], description: 'Whether the answer was kept from before' }),
  'Retry-After': Type.String({ description: 'Seconds to wait before the next try', examples: ['5'] }),
  'WWW-Authenticate': Type.String({ enum: ['Bearer'], description: 'How to authenticate' })
}

function headersNamed(...names: (keyof typeof responseHeaders)[]) {
  return Object.fromEntries(
    (['X-Request-Id', ...names] as const).map((name) => [name, responseHeaders[name]])
  )
}

/** A JSON answer; `schema` is one with an `$id` and an example. */
export function answer<Schema extends TSchema>(
  schema: Schema,
  description: string,
  ...headers: (keyof typeof responseHeaders)[]
) {
  return {
    description,
    headers: headersNamed(...headers),
    content: { 'application/json': { schema: ref(schema), examples: examplesOf(schema) } }
  }
}

/**
 * The schemas' examples by the names of the schemas. They are text until the document is complete: the generator
 * takes them for schemas and would rewrite, for one, a column's `nullable`.
 */
export const examplesOf = (...schemas: TSchema[]): Record<string, { value: string }> =>
  Object.fromEntries(
    schemas.map((schema) => {
      const { $id = '' } = schema as { $id?: string }
      return [$id, { value: JSON.stringify(exampleOf(schema)) }]
    })
  )

/** A JSON answer that also comes as a stream of server-sent events, to whoever accepts `text/event-stream`. */
export const answerOrStream = <Schema extends TSchema>(
  schema: Schema,
  description: string,
  example: string,
  ...headers: (keyof typeof responseHeaders)[]
) => {
  const json = answer(schema, description, ...headers)
  const stream = { schema: Type.String(), examples: { stream: { value: example } } }
  return { ...json, content: { ...json.content, 'text/event-stream': stream } }
}

/** An answer without a body. */
export const noContent = (description: string) => ({
  description,
  headers: { 'X-Request-Id': responseHeaders['X-Request-Id'] },
  type: 'null'
})

/** The answers of a canned query: in three formats, or none when the caller has it already. */
export const resultsResponses = <Schema extends TSchema>(schema: Schema, title: string) => {
  const json = answer(schema, `The answer: ${title}`, 'ETag', 'X-Cache')
  return {
    200: {
      ...json,
      content: {
        ...json.content,
        'text/csv': { schema: Type.String(), examples: { csv: { value: csvExample(schema) } } },
        'application/x-ndjson': {
          schema: Type.String(),
          examples: { ndjson: { value: ndjsonExample(schema) } }
        }
      }
    },
    304: { ...noContent('The caller has the answer already'), headers: json.headers }
  }
}

/** A chart, or none when the caller has it already. */
export const chartResponses = {
  200: {
    description: 'The chart',
    headers: headersNamed('ETag', 'X-Cache'),
    content: {
      'image/svg+xml': {
        schema: Type.String(),
        examples: {
          chart: { value: '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="400"></svg>' }
        }
      }
    }
  },
  304: { ...noContent('The caller has the chart already'), headers: headersNamed('ETag', 'X-Cache') }
}

const rowOf = (schema: TSchema) => (exampleOf(schema) as { rows: [Record<string, unknown>] }).rows[0]
const csvExample = (schema: TSchema) => {
  const row = rowOf(schema)
  return `${Object.keys(row).join()}\r\n${Object.values(row).join()}\r\n`
}
const ndjsonExample = (schema: TSchema) => `${JSON.stringify(rowOf(schema))}\n`
