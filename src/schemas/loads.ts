/** The load ledger: receipts, manifests, rejects. */
import { type Static, Type } from 'typebox'
import { literals, Nullable, PageQuerySchema, pageOf, Text, TimestampSchema } from './common.ts'

const RecordCountsSchema = Type.Object(
  {
    read: Type.Integer({ description: 'Records found in the objects' }),
    loaded: Type.Integer({ description: 'Written to staging' }),
    duplicates: Type.Integer({
      description: 'There already, or superseded by a later version in the same load'
    }),
    rejected: Type.Integer({ description: 'Could not be loaded: GET /v1/rejects' })
  },
  { description: 'read = loaded + duplicates + rejected' }
)

const TableChangeSchema = Type.Object({
  inserted: Type.Integer(),
  updated: Type.Integer({ description: 'Rows replaced' }),
  row_count: Type.Integer({ description: 'Rows after the load' })
})

export const LoadSchema = Type.Object(
  {
    id: Type.String(),
    sequence: Type.Integer({ description: 'Loads are numbered in the order of their commits' }),
    job_id: Type.String(),
    mode: Type.String(),
    committed_at: TimestampSchema,
    data_version: Type.Integer({ description: 'Raised by every load that changes a row' }),
    objects: Type.Integer({ description: 'Objects read' }),
    objects_skipped: Type.Integer({ description: 'Objects that the ledger knew already' }),
    events: RecordCountsSchema,
    songs: RecordCountsSchema,
    tables: Type.Record(Type.String(), TableChangeSchema),
    checks: Type.Array(
      Type.Object({
        name: Type.String(),
        status: Type.String({ enum: ['passed', 'warning'] }),
        violations: Type.Integer(),
        detail: Type.Optional(Type.String({ description: 'What a warning is about' }))
      }),
      {
        description:
          'What was checked before the load was published; warnings are what is unlike the loads before'
      }
    ),
    measures: Type.Record(Type.String(), Type.Integer(), {
      description: 'The plays and songs that the load wrote, and how many of them lack what'
    }),
    links: Type.Object({
      self: Type.String(),
      objects: Type.String(),
      rejects: Type.String(),
      job: Type.String()
    })
  },
  {
    $id: 'Load',
    examples: [
      {
        id: '7',
        sequence: 7,
        job_id: 'job_0193',
        mode: 'incremental',
        committed_at: '2026-01-01T00:00:05Z',
        data_version: 7,
        objects: 31,
        objects_skipped: 0,
        events: { read: 8056, loaded: 8056, duplicates: 0, rejected: 0 },
        songs: { read: 14896, loaded: 14896, duplicates: 0, rejected: 0 },
        tables: { 'analytics.songplays': { inserted: 6820, updated: 0, row_count: 6820 } },
        checks: [{ name: 'songplay_id is unique', status: 'passed', violations: 0 }],
        measures: { plays: 6820, plays_without_level: 0, songs: 14896 },
        links: {
          self: '/v1/loads/7',
          objects: '/v1/loads/7/objects',
          rejects: '/v1/rejects?load_id=7',
          job: '/v1/jobs/job_0193'
        }
      }
    ]
  }
)
export type Load = Static<typeof LoadSchema>
export type Receipt = Omit<Load, 'id' | 'sequence' | 'committed_at' | 'links'>

export const LoadPageSchema = pageOf(LoadSchema, { $id: 'LoadPage' })

export const LoadedObjectSchema = Type.Object(
  {
    kind: Type.String({ enum: ['events', 'songs'] }),
    url: Type.String(),
    etag: Type.String(),
    bytes: Type.Integer(),
    records: RecordCountsSchema
  },
  {
    $id: 'LoadedObject',
    examples: [
      {
        kind: 'events',
        url: 'file:///data/log_data/2018/11/2018-11-01-events.json',
        etag: '1a2b-17f3c5d2a9e4b000',
        bytes: 6699,
        records: { read: 15, loaded: 15, duplicates: 0, rejected: 0 }
      }
    ]
  }
)
export type LoadedObject = Static<typeof LoadedObjectSchema>

export const LoadedObjectPageSchema = pageOf(LoadedObjectSchema, { $id: 'LoadedObjectPage' })

export const RejectSchema = Type.Object(
  {
    id: Type.Integer(),
    job_id: Type.String(),
    load_id: Nullable(Type.String({ description: 'null when the load failed over its rejects' })),
    kind: Type.String({ enum: ['events', 'songs'] }),
    url: Type.String(),
    etag: Type.String(),
    line_number: Nullable(Type.Integer()),
    code: Type.String(),
    column: Nullable(Type.String()),
    message: Type.String(),
    raw: Nullable(Type.String({ description: 'The record as it stands in its object' })),
    raw_truncated: Type.Boolean(),
    rejected_at: TimestampSchema,
    replayed_by: Nullable(Type.String({ description: 'The load that took the record in after all' }))
  },
  {
    $id: 'Reject',
    examples: [
      {
        id: 1,
        job_id: 'job_0193',
        load_id: null,
        kind: 'events',
        url: 'file:///data/log_data/2018/11/2018-11-01-events.json',
        etag: '1a2b-17f3c5d2a9e4b000',
        line_number: 12,
        code: 'malformed_json',
        column: null,
        message: 'the line is not a JSON object',
        raw: '{"artist": "The Night Shift", "auth"',
        raw_truncated: false,
        rejected_at: '2026-01-01T00:00:05Z',
        replayed_by: null
      }
    ]
  }
)
export type RejectRecord = Static<typeof RejectSchema>

export const RejectPageSchema = pageOf(RejectSchema, { $id: 'RejectPage' })

export const LoadParamsSchema = Type.Object({
  id: Text(100, { description: 'Id of a load', examples: ['7'] })
})

export const RejectListQuerySchema = Type.Object(
  {
    ...PageQuerySchema.properties,
    load_id: Type.Optional(
      Type.String({
        pattern: '^[1-9][0-9]{0,14}$',
        description: 'Only rejects of this load',
        examples: ['7']
      })
    ),
    job_id: Type.Optional(Text(64, { description: 'Only rejects of this job', examples: ['job_0193'] })),
    kind: Type.Optional(
      Type.String({
        enum: ['events', 'songs'],
        description: 'Only rejects of this kind',
        examples: ['events']
      })
    ),
    code: Type.Optional(
      Text(64, { description: 'Only rejects for this reason', examples: ['malformed_json'] })
    ),
    replayed: Type.Optional(
      Type.Boolean({
        description: 'Only rejects that a replay has taken in after all, or only the others',
        examples: [false]
      })
    )
  },
  { additionalProperties: false }
)
export type RejectListQuery = Static<typeof RejectListQuerySchema>

const claimStatuses = ['holds', 'superseded', 'violated'] as const

export const LoadVerificationSchema = Type.Object(
  {
    load_id: Type.String(),
    verified_at: TimestampSchema,
    holds: Type.Boolean({ description: 'Nothing that the receipt claims is violated' }),
    replaced_by: Nullable(
      Type.String({
        description: 'The full load that has replaced everything since: no rows of this one are left'
      })
    ),
    claims: Type.Array(
      Type.Object({
        claim: Type.String(),
        claimed: Type.Integer(),
        found: Type.Integer(),
        status: literals(claimStatuses, {
          description:
            '`superseded`: a later load, or the age of the rejects, is the reason for the difference'
        })
      })
    ),
    links: Type.Object({ load: Type.String() })
  },
  {
    $id: 'LoadVerification',
    examples: [
      {
        load_id: '7',
        verified_at: '2026-01-02T00:00:00Z',
        holds: true,
        replaced_by: null,
        claims: [{ claim: 'events loaded', claimed: 8056, found: 8056, status: 'holds' }],
        links: { load: '/v1/loads/7' }
      }
    ]
  }
)
export type LoadVerification = Static<typeof LoadVerificationSchema>
