/** Jobs: everything that takes longer than a request, in one table whatever its type. */
import { type Static, Type } from 'typebox'
import {
  exampleOf,
  literals,
  Nullable,
  PageQuerySchema,
  pageOf,
  Text,
  TimeSchema,
  TimestampSchema
} from './common.ts'
import { priorities } from './job-options.ts'
import { answer } from './responses.ts'

export const jobStatuses = ['queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled'] as const
export type JobStatus = (typeof jobStatuses)[number]
export const finalStatuses: readonly JobStatus[] = ['succeeded', 'failed', 'cancelled']

export const scopes = ['read', 'operate', 'admin'] as const
export type Scope = (typeof scopes)[number]

/** Every job that writes to the warehouse or changes the cluster waits for the one before it. */
export const WAREHOUSE_LANE = 'warehouse'

/** The scope a job needs is that of its type, whichever endpoint starts it. */
export const jobTypes = {
  etl: { scope: 'operate', lane: WAREHOUSE_LANE, max_attempts: 3 },
  'etl.replay': { scope: 'operate', lane: WAREHOUSE_LANE, max_attempts: 3 },
  'etl.rebuild': { scope: 'operate', lane: WAREHOUSE_LANE, max_attempts: 3 },
  'tables.create': { scope: 'operate', lane: WAREHOUSE_LANE, max_attempts: 3 },
  'tables.recreate': { scope: 'admin', lane: WAREHOUSE_LANE, max_attempts: 3 },
  'tables.drop': { scope: 'admin', lane: WAREHOUSE_LANE, max_attempts: 3 },
  'cluster.provision': { scope: 'admin', lane: WAREHOUSE_LANE, max_attempts: 3 },
  'cluster.teardown': { scope: 'admin', lane: WAREHOUSE_LANE, max_attempts: 3 },
  'cluster.pause': { scope: 'admin', lane: WAREHOUSE_LANE, max_attempts: 3 },
  'cluster.resume': { scope: 'admin', lane: WAREHOUSE_LANE, max_attempts: 3 }
} as const satisfies Record<string, { scope: Scope; lane: string; max_attempts: number }>
export type JobType = keyof typeof jobTypes

/** The scope of a job of this type; one that another version knows is for admins. */
export const scopeOf = (type: string): Scope =>
  (jobTypes as Record<string, { scope: Scope }>)[type]?.scope ?? 'admin'

export const ProgressSchema = Type.Object({
  step: Type.String(),
  step_index: Type.Integer({ description: 'From 1' }),
  step_count: Type.Integer(),
  rows: Type.Integer({ description: 'Records handled in this step so far' }),
  bytes: Type.Integer({ description: 'Bytes handled in this step so far' }),
  percent: Type.Integer({ minimum: 0, maximum: 100, description: 'Of the whole job' })
})
export type Progress = Static<typeof ProgressSchema>

export const StepSchema = Type.Object({
  name: Type.String(),
  status: literals(['running', 'succeeded', 'failed']),
  rows: Type.Integer(),
  bytes: Type.Integer(),
  started_at: TimestampSchema,
  finished_at: Nullable(TimestampSchema)
})
export type Step = Static<typeof StepSchema>

export const JobErrorSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String(),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), code: Type.String(), message: Type.String() }))
    )
  },
  { description: 'The failure, as problem details' }
)

export const JobTriggerSchema = Type.Object({
  kind: Type.String({
    description:
      'api, retry or schedule; idle or ttl when the cost guard started it, query when a query met a paused cluster'
  }),
  traceparent: Type.Optional(
    Type.String({ description: 'The trace of the request that asked for it (W3C)' })
  ),
  schedule_id: Type.Optional(Type.String({ description: 'The schedule that started it' })),
  tick: Type.Optional(
    Type.String({ format: 'date-time', description: 'The time of the schedule that it was started for' })
  )
})
export type JobTrigger = Static<typeof JobTriggerSchema>

export const JobSchema = Type.Object(
  {
    id: Type.String(),
    type: literals(Object.keys(jobTypes) as JobType[]),
    lane: Type.String({ description: 'Jobs of one lane run one at a time' }),
    status: literals(jobStatuses),
    priority: literals(priorities),
    attempt: Type.Integer({ description: 'How often the job was started; 0 while it was not' }),
    max_attempts: Type.Integer(),
    params: Type.Record(Type.String(), Type.Unknown()),
    progress: Nullable(ProgressSchema),
    steps: Type.Array(StepSchema),
    result: Nullable(Type.Record(Type.String(), Type.Unknown())),
    error: Nullable(JobErrorSchema),
    created_by: Type.String({
      description: 'Id of the API key that asked for it; of a token `oidc:` and its subject'
    }),
    trigger: JobTriggerSchema,
    retry_of: Nullable(Type.String({ description: 'The job that this one tries again' })),
    callback_url: Nullable(Type.String({ description: 'What is told of its end' })),
    worker: Nullable(Type.String({ description: 'The process that runs or ran it' })),
    lease_expires_at: Nullable(TimestampSchema),
    cancel_requested_at: Nullable(TimestampSchema),
    run_after: TimestampSchema,
    queue_timeout_seconds: Nullable(Type.Integer()),
    timeout_seconds: Nullable(Type.Integer()),
    step_timeouts: Type.Record(Type.String(), Type.Integer(), { description: 'Seconds by step' }),
    deadline: Nullable(
      Type.String({
        format: 'date-time',
        description:
          'Before its first start: when it must have been started. After it: when it must have ended.'
      })
    ),
    created_at: TimestampSchema,
    started_at: Nullable(TimestampSchema),
    finished_at: Nullable(TimestampSchema),
    links: Type.Object({
      self: Type.String(),
      events: Type.String(),
      attempts: Type.String(),
      load: Nullable(Type.String())
    })
  },
  {
    $id: 'Job',
    examples: [
      {
        id: 'job_0193',
        type: 'etl',
        lane: 'warehouse',
        status: 'running',
        priority: 'normal',
        attempt: 1,
        max_attempts: 3,
        params: { mode: 'incremental', max_rejects: 0 },
        progress: { step: 'stage', step_index: 2, step_count: 5, rows: 120400, bytes: 88123456, percent: 34 },
        steps: [],
        result: null,
        error: null,
        created_by: 'key_bootstrap',
        trigger: { kind: 'api' },
        retry_of: null,
        callback_url: null,
        worker: 'laptop-4711',
        lease_expires_at: '2026-01-01T00:00:30Z',
        cancel_requested_at: null,
        run_after: '2026-01-01T00:00:00Z',
        queue_timeout_seconds: null,
        timeout_seconds: 3600,
        step_timeouts: {},
        deadline: '2026-01-01T01:00:00Z',
        created_at: '2026-01-01T00:00:00Z',
        started_at: '2026-01-01T00:00:00Z',
        finished_at: null,
        links: {
          self: '/v1/jobs/job_0193',
          events: '/v1/jobs/job_0193/events',
          attempts: '/v1/jobs/job_0193/attempts',
          load: null
        }
      }
    ]
  }
)
export type Job = Static<typeof JobSchema>

/** The answers of an operation that starts a job. */
export const jobResponses = (does: string) => {
  const headers = ['Location', 'Idempotency-Replayed', 'Preference-Applied'] as const
  return {
    200: answer(JobSchema, 'The ended job, when asked to wait for it', ...headers),
    202: answer(JobSchema, `The job that ${does}`, ...headers)
  }
}

export const JobParamsSchema = Type.Object({
  id: Text(100, { description: 'Id of a job', examples: ['job_0193'] })
})

export const JobPageSchema = pageOf(JobSchema, { $id: 'JobPage' })

export const JobListQuerySchema = Type.Object(
  {
    ...PageQuerySchema.properties,
    status: Type.Optional(
      literals(jobStatuses, { description: 'Only jobs that are in this state', examples: ['failed'] })
    ),
    type: Type.Optional(
      literals(Object.keys(jobTypes) as JobType[], {
        description: 'Only jobs of this type',
        examples: ['etl']
      })
    ),
    created_after: Type.Optional(TimeSchema('Only jobs created then or later, RFC 3339')),
    created_before: Type.Optional(TimeSchema('Only jobs created before, RFC 3339'))
  },
  { additionalProperties: false }
)
export type JobListQuery = Static<typeof JobListQuerySchema>

export const JobEventSchema = Type.Object(
  {
    id: Type.Integer({ description: 'Grows with time' }),
    job_id: Type.String(),
    attempt: Type.Integer(),
    type: Type.String({
      description:
        'queued, started, step, warning, cancelling, timed_out, retrying, handed_back, lost, succeeded, failed, cancelled'
    }),
    message: Type.String(),
    data: Nullable(Type.Record(Type.String(), Type.Unknown())),
    created_at: TimestampSchema
  },
  {
    $id: 'JobEvent',
    examples: [
      {
        id: 42,
        job_id: 'job_0193',
        attempt: 1,
        type: 'step',
        message: 'stage (2 of 5)',
        data: null,
        created_at: '2026-01-01T00:00:01Z'
      }
    ]
  }
)
export type JobEvent = Static<typeof JobEventSchema>

export const JobEventPageSchema = pageOf(JobEventSchema, { $id: 'JobEventPage' })

/** Events as a stream sends them. */
export const eventStreamExample = `id: 42\ndata: ${JSON.stringify(exampleOf(JobEventSchema))}\n\n: heartbeat\n\n`
