/** Shapes that several nouns share: errors, lists, times. */
import { type Static, type TObjectOptions, type TSchema, Type } from 'typebox'
import { errorCatalogue } from '../errors.ts'

export const TimestampSchema = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' })

export const Nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])

export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong, where, and what to do' }),
    instance: Type.Optional(Type.String({ description: 'Path of the request' })),
    code: Type.String({ enum: Object.keys(errorCatalogue) }),
    request_id: Type.Optional(Type.String()),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON pointer into the body, or the name of a parameter' }),
          code: Type.String(),
          message: Type.String()
        })
      )
    )
  },
  {
    $id: 'Problem',
    description: 'RFC 9457 problem details',
    examples: [
      {
        type: 'urn:sparkify-warehouse:error:job_not_found',
        title: 'There is no such job',
        status: 404,
        detail: 'No job has the id job_0. GET /v1/jobs lists the jobs.',
        instance: '/v1/jobs/job_0',
        code: 'job_not_found',
        request_id: 'req_019a'
      }
    ]
  }
)

/**
 * A reference to a schema that the app knows by its `$id`: OpenAPI then shows it once, under its own name.
 */
export const ref = <Schema extends TSchema>(schema: Schema) => {
  const { $id } = schema as { $id?: string }
  if ($id === undefined) throw new Error('only a schema with an $id can be referred to')
  return Type.Unsafe<Static<Schema>>({ $ref: `${$id}#` })
}

const problemResponse = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: ref(ProblemSchema) } }
})

const problems = {
  400: problemResponse('The request is malformed or has unknown parameters'),
  401: problemResponse('The API key is missing or not valid'),
  403: problemResponse('The API key lacks the scope'),
  404: problemResponse('There is no such thing'),
  409: problemResponse('The state does not allow it now'),
  413: problemResponse('The body is too large'),
  415: problemResponse('The body is not JSON'),
  422: problemResponse('Well-formed, but not valid'),
  503: problemResponse('The service, or what it needs, is not available')
}

/** The documented errors of a guarded operation: those that every one has, and its own. */
export function errorResponses(...statuses: (keyof typeof problems)[]) {
  const all = [400, 401, 403, ...statuses, 503] as const
  return Object.fromEntries(all.map((status) => [status, problems[status]])) as Record<
    (typeof all)[number],
    (typeof problems)[400]
  >
}

export const NoQuerySchema = Type.Object({}, { additionalProperties: false })

export const IdempotencyHeadersSchema = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'A name of your own for this request: repeated, it gives the same job. Kept for 72 hours.'
    })
  ),
  prefer: Type.Optional(
    Type.String({
      maxLength: 200,
      description: '`wait=N`: wait up to N seconds (at most 60) for the job to end'
    })
  )
})

export const WaitHeadersSchema = Type.Object({ prefer: IdempotencyHeadersSchema.properties.prefer })

export const PageQuerySchema = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Items a page' }),
    cursor: Type.Optional(Type.String({ maxLength: 500, description: '`next_cursor` of the page before' }))
  },
  { additionalProperties: false }
)
export type PageQuery = Static<typeof PageQuerySchema>

export const pageOf = <Item extends TSchema>(item: Item, options: TObjectOptions = {}) =>
  Type.Object(
    {
      items: Type.Array(item),
      next_cursor: Nullable(
        Type.String({ description: 'Pass it as `cursor` for the next page; null on the last' })
      )
    },
    options
  )

export interface Page<Item> {
  items: Item[]
  next_cursor: string | null
}
