/** Shapes that several nouns share: references, texts, times, lists, request headers. */
import { type Static, type TObjectOptions, type TSchema, Type } from 'typebox'

export const TimestampSchema = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' })

export const Nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])

/**
 * A property that callers may leave out: validation fills its default in, so the code always finds a value.
 */
export const Defaulted = <Schema extends TSchema>(schema: Schema) =>
  Type.Optional(schema) as unknown as Schema

/** One of a few names. */
export const literals = <Name extends string>(names: readonly Name[], options = {}) =>
  Type.Unsafe<Name>(Type.String({ enum: [...names], ...options }))

/** A time that PostgreSQL takes: it knows no year 0, and no offset from 16 hours on. */
export const TimeSchema = (description: string) =>
  Type.String({
    format: 'date-time',
    pattern: '^[12][0-9]{3}-.*([Zz]|[+-](0[0-9]|1[0-5]):[0-9]{2})$',
    description,
    examples: ['2026-01-01T00:00:00Z']
  })

/** What a text from outside may hold: PostgreSQL stores neither NUL nor half of a surrogate pair. */
const STORABLE = '[^\\u0000\\ud800-\\udfff]'
export const Text = (maxLength: number, options: { description: string; examples?: string[] }) =>
  Type.String({ minLength: 1, maxLength, pattern: `^${STORABLE}*$`, ...options })

/** The first example of a schema. */
export function exampleOf(schema: TSchema): unknown {
  const { $id, examples } = schema as { $id?: string; examples?: unknown[] }
  if (examples?.[0] === undefined) throw new Error(`the schema ${$id} has no example`)
  return examples[0]
}

/**
 * A reference to a schema that the app knows by its `$id`: OpenAPI then shows it once, under its own name.
 */
export const ref = <Schema extends TSchema>(schema: Schema) => {
  const { $id } = schema as { $id?: string }
  if ($id === undefined) throw new Error('only a schema with an $id can be referred to')
  return Type.Unsafe<Static<Schema>>({ $ref: `${$id}#` })
}

export const NoQuerySchema = Type.Object({}, { additionalProperties: false })

export const IdempotencyHeadersSchema = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description:
        'A name of your own for this request: repeated with the same request it gives the same job, with another request an error. Kept for 72 hours.'
    })
  ),
  prefer: Type.Optional(
    Type.String({
      maxLength: 200,
      description:
        '`wait=N`: wait up to N seconds (at most 60) for the job to end, or for `min_data_version`',
      examples: ['wait=10']
    })
  )
})

export const WaitHeadersSchema = Type.Object({ prefer: IdempotencyHeadersSchema.properties.prefer })

export const LastEventIdHeadersSchema = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      maxLength: 100,
      description: 'The `id` of the last event that was seen: a stream goes on after it',
      examples: ['42']
    })
  )
})

export const PageQuerySchema = Type.Object(
  {
    limit: Defaulted(Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Items a page' })),
    cursor: Type.Optional(Type.String({ maxLength: 500, description: '`next_cursor` of the page before' }))
  },
  { additionalProperties: false }
)
export type PageQuery = Static<typeof PageQuerySchema>

/** One page of a list; `item` is a schema with an `$id`. */
export const pageOf = <Item extends TSchema>(item: Item, options: TObjectOptions & { $id: string }) =>
  Type.Object(
    {
      items: Type.Array(ref(item)),
      next_cursor: Nullable(
        Type.String({ description: 'Pass it as `cursor` for the next page; null on the last' })
      )
    },
    { examples: [{ items: [exampleOf(item)], next_cursor: null }], ...options }
  )

export interface Page<Item> {
  items: Item[]
  next_cursor: string | null
}
