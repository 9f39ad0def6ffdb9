/** The warehouse's tables. */
import { type Static, Type } from 'typebox'
import { Nullable, pageOf, Text } from './common.ts'

export const TableSchema = Type.Object(
  {
    schema: Type.String(),
    name: Type.String(),
    description: Type.String(),
    exists: Type.Boolean(),
    row_count: Nullable(Type.Integer({ description: 'null while the table does not exist' })),
    columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String(), nullable: Type.Boolean() })),
    key: Type.Array(Type.String(), {
      description: 'Columns that identify a row; kept by the loads, not by the engine'
    }),
    distribution: Type.Object(
      { style: Type.String({ enum: ['even', 'all', 'key'] }), column: Type.Optional(Type.String()) },
      { description: 'How a cluster spreads the rows over its nodes; the embedded engine has one' }
    ),
    sort_key: Type.Array(Type.String()),
    skew: Nullable(
      Type.Number({ description: 'Rows on the fullest slice over rows on the emptiest; null where unknown' })
    )
  },
  {
    $id: 'Table',
    examples: [
      {
        schema: 'analytics',
        name: 'songplays',
        description: 'One row for each play, that is each NextSong event of a user.',
        exists: true,
        row_count: 6820,
        columns: [{ name: 'songplay_id', type: 'bigint', nullable: false }],
        key: ['songplay_id'],
        distribution: { style: 'key', column: 'song_id' },
        sort_key: ['start_time'],
        skew: 1.2
      }
    ]
  }
)
export type Table = Static<typeof TableSchema>

export const TablePageSchema = pageOf(TableSchema, { $id: 'TablePage' })

export const TableParamsSchema = Type.Object({
  table: Text(200, { description: 'Schema and name', examples: ['analytics.songplays'] })
})

export const CreateTablesSchema = Type.Object(
  {
    recreate: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Drop everything first, the load ledger included (scope admin)'
      })
    ),
    confirm: Type.Optional(Type.String({ description: 'With `recreate`: the name of the database' }))
  },
  {
    $id: 'CreateTables',
    additionalProperties: false,
    examples: [{}, { recreate: true, confirm: 'sparkify' }]
  }
)
export type CreateTables = Static<typeof CreateTablesSchema>

export const DropTablesQuerySchema = Type.Object(
  { confirm: Type.String({ description: 'The name of the database', examples: ['sparkify'] }) },
  { additionalProperties: false }
)
