/** Webhooks: telling a URL that a job has ended. */
import { type Static, Type } from 'typebox'
import { literals, Nullable, pageOf, Text, TimestampSchema } from './common.ts'

export const WebhookAttemptSchema = Type.Object({
  at: TimestampSchema,
  status: Nullable(Type.Integer({ description: 'HTTP status of the answer; null when there was none' })),
  error: Nullable(Type.String({ description: 'What went wrong' })),
  elapsed_ms: Type.Integer()
})
export type WebhookAttempt = Static<typeof WebhookAttemptSchema>

export const WebhookDeliverySchema = Type.Object(
  {
    id: Type.String({ description: 'Also the header webhook-id: the same in every attempt' }),
    job_id: Type.String(),
    url: Type.String(),
    status: literals(['pending', 'delivered', 'failed']),
    attempts: Type.Integer({ description: 'How often it was sent' }),
    next_attempt_at: Nullable(TimestampSchema),
    log: Type.Array(WebhookAttemptSchema, { description: 'What came of each attempt, oldest first' }),
    created_at: TimestampSchema,
    finished_at: Nullable(TimestampSchema)
  },
  {
    $id: 'WebhookDelivery',
    examples: [
      {
        id: 'whd_0193',
        job_id: 'job_0193',
        url: 'https://hooks.example.com/sparkify',
        status: 'delivered',
        attempts: 2,
        next_attempt_at: null,
        log: [
          { at: '2026-01-01T00:00:40Z', status: 503, error: 'The answer was 503', elapsed_ms: 81 },
          { at: '2026-01-01T00:00:45Z', status: 204, error: null, elapsed_ms: 54 }
        ],
        created_at: '2026-01-01T00:00:40Z',
        finished_at: '2026-01-01T00:00:45Z'
      }
    ]
  }
)
export type WebhookDelivery = Static<typeof WebhookDeliverySchema>

export const WebhookDeliveryPageSchema = pageOf(WebhookDeliverySchema, { $id: 'WebhookDeliveryPage' })

export const WebhookDeliveryParamsSchema = Type.Object({
  id: Text(100, { description: 'Id of a job', examples: ['job_0193'] }),
  delivery_id: Text(100, { description: 'Id of a delivery', examples: ['whd_0193'] })
})
