/**
 * Gives names to what operations share. The generator writes every parameter, header, error response and example out
 * where it is used; as components they are read once, and generated clients get one type for each.
 */

/** What this file touches of an OpenAPI document. */
export interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas?: Record<string, { examples?: unknown }> } & Record<string, Record<string, unknown>>
}

interface Operation {
  parameters?: (Parameter | Reference)[]
  requestBody?: { required?: boolean; content: Record<string, Media> }
  responses: Record<string, Response | Reference>
  'x-body'?: AboutBody
}
/** What the generator does not keep of a body's schema. */
export interface AboutBody {
  name: string
  optional: boolean
}
interface Reference {
  $ref: string
}
interface Parameter {
  in: string
  name: string
}
interface Response {
  headers?: Record<string, unknown>
  content?: Record<string, Media>
}
interface Media {
  schema?: object
  examples?: Record<string, Example | Reference>
}
interface Example {
  value: unknown
}

/** Moves what is shared into `components`, in place. Throws when two different things would get one name. */
export function shareParts(document: Document): Document {
  const share = (section: string, name: string, part: unknown): Reference => {
    document.components[section] ??= {}
    const parts = document.components[section]
    if (name in parts && JSON.stringify(parts[name]) !== JSON.stringify(part)) {
      throw new Error(`two different ${section} would be called ${name}`)
    }
    parts[name] = part
    return { $ref: `#/components/${section}/${name}` }
  }
  // The generator has rewritten them; the answers show them as they are.
  for (const schema of Object.values(document.components.schemas ?? {})) delete schema.examples
  for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
    shareParameters(operation, share)
    shareBody(operation, share)
    for (const [status, response] of Object.entries(operation.responses)) {
      operation.responses[status] = shareResponse(response as Response, share)
    }
  }
  return document
}

type Share = (section: string, name: string, part: unknown) => Reference

function shareParameters(operation: Operation, share: Share): void {
  operation.parameters = operation.parameters?.map((parameter) => {
    const { in: where, name } = parameter as Parameter
    if (where !== 'header') return parameter
    const spelled = name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase())
    return share('parameters', spelled, { ...parameter, name: spelled })
  })
}

function shareBody(operation: Operation, share: Share): void {
  const { requestBody, 'x-body': about } = operation
  if (requestBody === undefined || about === undefined) return
  delete operation['x-body']
  requestBody.required = !about.optional
  for (const media of Object.values(requestBody.content)) {
    media.schema = share('schemas', about.name, media.schema)
  }
}

function shareResponse(response: Response, share: Share): Response | Reference {
  response.headers = mapValues(response.headers ?? {}, (header, name) => share('headers', name, header))
  const { 'application/json': json, 'application/problem+json': problem } = response.content ?? {}
  if (json)
    json.examples = mapValues(json.examples ?? {}, (example, name) => shareExample(example, name, share))
  if (problem === undefined) return response
  const codes = Object.keys(problem.examples ?? {})
  return share('responses', codes.map(pascalCase).join('Or'), response)
}

/** `examplesOf` made text of it, which nothing on the way here could change. */
const shareExample = (example: Example | Reference, name: string, share: Share) =>
  share('examples', name, { value: JSON.parse(String((example as Example).value)) })

const mapValues = <From, To>(record: Record<string, From>, map: (value: From, name: string) => To) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]))

const pascalCase = (code: string): string =>
  code.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
