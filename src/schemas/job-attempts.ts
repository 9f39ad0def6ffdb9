/** Attempts: every time that a worker took a job. */
import { type Static, Type } from 'typebox'
import { literals, Nullable, pageOf, TimestampSchema } from './common.ts'
import { JobErrorSchema } from './jobs.ts'

export const JobAttemptSchema = Type.Object(
  {
    job_id: Type.String(),
    attempt: Type.Integer({ description: 'From 1' }),
    worker: Type.String({ description: 'The process that made it' }),
    outcome: Nullable(
      literals(['succeeded', 'failed', 'cancelled', 'lost', 'handed_back'], {
        description:
          'Null while it goes on. `lost`: its worker stopped without a word. `handed_back`: its worker was told to stop.'
      })
    ),
    error: Nullable(JobErrorSchema),
    started_at: TimestampSchema,
    finished_at: Nullable(TimestampSchema)
  },
  {
    $id: 'JobAttempt',
    examples: [
      {
        job_id: 'job_0193',
        attempt: 1,
        worker: 'laptop-4711',
        outcome: 'lost',
        error: null,
        started_at: '2026-01-01T00:00:00Z',
        finished_at: '2026-01-01T00:00:40Z'
      }
    ]
  }
)
export type JobAttempt = Static<typeof JobAttemptSchema>

export const JobAttemptPageSchema = pageOf(JobAttemptSchema, { $id: 'JobAttemptPage' })
