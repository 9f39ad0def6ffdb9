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
