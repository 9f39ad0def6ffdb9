/** For whoever looks for what is wrong: the deployment's health, and everything about one job. */
import { type Static, Type } from 'typebox'
import { exampleOf, literals, Nullable, ref } from './common.ts'
import { JobAttemptSchema } from './job-attempts.ts'
import { JobEventSchema, JobSchema } from './jobs.ts'
import { LoadedObjectSchema, LoadSchema, RejectSchema } from './loads.ts'
import { WebhookDeliverySchema } from './webhooks.ts'

const DoctorCheckSchema = Type.Object({
  name: Type.String(),
  status: literals(['ok', 'warning', 'failed']),
  detail: Type.String({ description: 'What was found, and what to do about it' }),
  elapsed_ms: Type.Integer()
})
export type DoctorCheck = Static<typeof DoctorCheckSchema>

export const DoctorReportSchema = Type.Object(
  {
    healthy: Type.Boolean({ description: 'Whether no check has failed' }),
    checks: Type.Array(DoctorCheckSchema)
  },
  {
    $id: 'DoctorReport',
    examples: [
      {
        healthy: true,
        checks: [
          { name: 'store', status: 'ok', detail: 'pglite answers.', elapsed_ms: 2 },
          { name: 'clock', status: 'ok', detail: 'The clock of the store differs by 0 s.', elapsed_ms: 1 }
        ]
      }
    ]
  }
)
export type DoctorReport = Static<typeof DoctorReportSchema>

export const JobBundleSchema = Type.Object(
  {
    generated_at: Type.String({ format: 'date-time' }),
    versions: Type.Object({
      service: Type.String(),
      node: Type.String(),
      store: Type.String(),
      warehouse: Type.String()
    }),
    job: ref(JobSchema),
    attempts: Type.Array(ref(JobAttemptSchema)),
    events: Type.Array(ref(JobEventSchema), { description: 'The first 200' }),
    deliveries: Type.Array(ref(WebhookDeliverySchema)),
    load: Nullable(ref(LoadSchema)),
    objects: Type.Array(ref(LoadedObjectSchema), { description: 'The first 200 that the load read' }),
    rejects: Type.Array(ref(RejectSchema), { description: 'The first 200; their text is left out' }),
    missing: Type.Array(Type.String(), { description: 'What could not be told, and why' })
  },
  {
    $id: 'JobBundle',
    description: 'Everything about one job, for a bug report. It holds no secret and no text of a record.',
    examples: [
      {
        generated_at: '2026-01-01T00:10:00Z',
        versions: { service: '0.1.0', node: 'v24.0.0', store: 'pglite', warehouse: 'duckdb' },
        job: exampleOf(JobSchema),
        attempts: [],
        events: [],
        deliveries: [],
        load: null,
        objects: [],
        rejects: [],
        missing: []
      }
    ]
  }
)
export type JobBundle = Static<typeof JobBundleSchema>
