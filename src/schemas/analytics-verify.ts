/** Answers compared with what they should be. */
import { type Static, Type } from 'typebox'
import type { Values } from './analytics.ts'
import { Defaulted, Nullable } from './common.ts'

const Row = Type.Unsafe<Values>({
  type: 'object',
  additionalProperties: true,
  description: 'Values by name'
})

/** What a query is expected to answer. */
export const VerifyAnswerSchema = Type.Object(
  {
    params: Defaulted(
      Type.Unsafe<Values>({
        type: 'object',
        default: {},
        description: 'Parameters of the query, as in the query string of its results'
      })
    ),
    expected: Type.Unsafe<Values[] | string>({
      type: ['array', 'string'],
      items: { type: 'object' },
      maxItems: 10_000,
      description: 'The rows, as objects, or as CSV with a heading'
    }),
    ordered: Defaulted(
      Type.Boolean({ default: true, description: 'False compares the rows as a set, whatever their order' })
    ),
    tolerance: Defaulted(
      Type.Number({
        minimum: 0,
        maximum: 1,
        default: 1e-9,
        description: 'By how much numbers may differ, relative to the larger one where that is above 1'
      })
    )
  },
  {
    $id: 'VerifyAnswer',
    additionalProperties: false,
    examples: [
      { expected: [{ level: 'free', users: 120 }] },
      { expected: 'level,users\r\nfree,120\r\n', ordered: false }
    ]
  }
)
export type VerifyAnswer = Static<typeof VerifyAnswerSchema>

export const AnswerVerificationSchema = Type.Object(
  {
    query: Type.String(),
    params: Row,
    equal: Type.Boolean(),
    expected_rows: Type.Integer(),
    found_rows: Type.Integer(),
    difference_count: Type.Integer(),
    differences: Type.Array(
      Type.Object({
        row: Type.Integer({
          description: 'From 1; of the expected rows, or of the answer for an unexpected one'
        }),
        kind: Type.Unsafe<'missing' | 'unexpected' | 'different'>({
          type: 'string',
          enum: ['missing', 'unexpected', 'different']
        }),
        columns: Type.Optional(Type.Array(Type.String(), { description: 'Columns that differ' })),
        expected: Nullable(Row),
        found: Nullable(Row)
      }),
      { description: 'The first 100' }
    ),
    data_version: Type.Integer()
  },
  {
    $id: 'AnswerVerification',
    examples: [
      {
        query: 'users-by-level',
        params: {},
        equal: false,
        expected_rows: 1,
        found_rows: 1,
        difference_count: 1,
        differences: [
          {
            row: 1,
            kind: 'different',
            columns: ['users'],
            expected: { level: 'free', users: 120 },
            found: { level: 'free', users: 121 }
          }
        ],
        data_version: 7
      }
    ]
  }
)
export type AnswerVerification = Static<typeof AnswerVerificationSchema>
