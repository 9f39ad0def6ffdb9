/** The audit log: every change, and every try that was denied. */
import { type Static, Type } from 'typebox'
import { literals, Nullable, PageQuerySchema, pageOf, Text, TimeSchema, TimestampSchema } from './common.ts'

const outcomes = ['done', 'failed', 'denied'] as const

export const AuditEventSchema = Type.Object(
  {
    id: Type.Integer({ description: 'Numbered without a gap, in the order of the chain' }),
    at: TimestampSchema,
    key_id: Nullable(
      Type.String({
        description: 'The key that asked, or `oidc:` and the subject of a token; null when neither was valid'
      })
    ),
    key_name: Nullable(Type.String()),
    action: Type.String({ description: "The operation's id in the OpenAPI document" }),
    path: Type.String({ description: 'Path of the request, without its query' }),
    status: Type.Integer({ description: 'HTTP status of the answer' }),
    outcome: literals(outcomes),
    code: Nullable(Type.String({ description: 'The error, when there was one' })),
    address: Type.String({ description: 'Where the request came from' }),
    request_id: Type.String(),
    job_id: Nullable(Type.String({ description: 'The job that it started or changed' })),
    hash: Type.String({ description: 'SHA-256 over the event and the hash of the one before' })
  },
  {
    $id: 'AuditEvent',
    examples: [
      {
        id: 42,
        at: '2026-01-01T00:00:00.123Z',
        key_id: 'key_5d41402abc4b2a76b9',
        key_name: 'nightly loads',
        action: 'startJob',
        path: '/v1/jobs',
        status: 202,
        outcome: 'done',
        code: null,
        address: '203.0.113.7',
        request_id: 'req_0197f3a0-7c1e-4d55-9b0a-2f6e8c1d4a3b',
        job_id: 'job_0193',
        hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
      }
    ]
  }
)
export type AuditEvent = Static<typeof AuditEventSchema>

export const AuditEventPageSchema = pageOf(AuditEventSchema, { $id: 'AuditEventPage' })

export const AuditQuerySchema = Type.Object(
  {
    ...PageQuerySchema.properties,
    key_id: Type.Optional(
      Text(100, { description: 'Only what this key asked for', examples: ['key_5d41402abc4b2a76b9'] })
    ),
    outcome: Type.Optional(
      literals(outcomes, { description: 'Only what ended like this', examples: ['denied'] })
    ),
    job_id: Type.Optional(
      Text(100, { description: 'Only what started or changed this job', examples: ['job_0193'] })
    ),
    request_id: Type.Optional(Text(100, { description: 'Only this request', examples: ['req_0193'] })),
    after: Type.Optional(TimeSchema('Only events of then or later, RFC 3339')),
    before: Type.Optional(TimeSchema('Only events before, RFC 3339'))
  },
  { additionalProperties: false }
)
export type AuditQuery = Static<typeof AuditQuerySchema>

export const AuditVerificationSchema = Type.Object(
  {
    intact: Type.Boolean({ description: 'Whether every event is as it was written, and none is missing' }),
    events: Type.Integer({ description: 'How many there are' }),
    first_broken: Nullable(
      Type.Integer({
        description: 'The first event that is not as it was written, or whose predecessor is missing'
      })
    ),
    head: Type.Integer({ description: 'The last event that was written' })
  },
  { $id: 'AuditVerification', examples: [{ intact: true, events: 42, first_broken: null, head: 42 }] }
)
export type AuditVerification = Static<typeof AuditVerificationSchema>
