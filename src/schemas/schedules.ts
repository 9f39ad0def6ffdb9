/** Schedules: jobs that start by the clock. */
import { type Static, Type } from 'typebox'
import { Defaulted, Nullable, pageOf, Text, TimestampSchema } from './common.ts'
import { StartJobSchema } from './etl.ts'

// When it runs, and what happens in a conflict, is the schedule's own business.
const { run_after: _, on_conflict: __, dry_run: ___, ...jobProperties } = StartJobSchema.properties
const ScheduledJobSchema = Type.Object(jobProperties, {
  additionalProperties: false,
  description: 'The job to start, as in POST /v1/jobs'
})

const overlaps = ['skip', 'queue', 'cancel'] as const

const settings = {
  name: Text(100, { description: 'A name of its own', examples: ['nightly load'] }),
  cron: Text(100, {
    description: 'Minute, hour, day of month, month, day of week; or @hourly, @daily and so on',
    examples: ['30 2 * * *']
  }),
  time_zone: Defaulted(
    Type.String({
      maxLength: 100,
      default: 'UTC',
      description: 'IANA time zone whose clocks the expression is about',
      examples: ['Europe/Berlin']
    })
  ),
  job: ScheduledJobSchema,
  overlap: Defaulted(
    Type.Unsafe<(typeof overlaps)[number]>(
      Type.String({
        enum: [...overlaps],
        default: 'skip',
        description:
          'When its job before has not ended: `skip` starts none, `queue` puts the new one behind it, `cancel` cancels it first'
      })
    )
  ),
  catch_up_seconds: Defaulted(
    Type.Integer({
      minimum: 60,
      maximum: 2_592_000,
      default: 86_400,
      description:
        'Runs that were missed while no service ran are made up for when they are no older than this'
    })
  ),
  jitter_seconds: Defaulted(
    Type.Integer({
      minimum: 0,
      maximum: 3600,
      default: 0,
      description: 'Each run is put off by up to so many seconds, so that schedules do not all start at once'
    })
  )
}

const example = {
  name: 'nightly load',
  cron: '30 2 * * *',
  time_zone: 'Europe/Berlin',
  job: { type: 'etl', mode: 'incremental', max_rejects: 0, priority: 'normal' },
  overlap: 'skip',
  catch_up_seconds: 86400,
  jitter_seconds: 60
}

export const ScheduleSettingsSchema = Type.Object(settings, {
  $id: 'ScheduleSettings',
  additionalProperties: false,
  examples: [{ name: 'hourly load', cron: '0 * * * *', job: { type: 'etl' } }, example]
})
export type ScheduleSettings = Static<typeof ScheduleSettingsSchema>

export const ScheduleSchema = Type.Object(
  {
    id: Type.String(),
    ...settings,
    paused_at: Nullable(TimestampSchema),
    next_tick_at: Nullable(Type.String({ format: 'date-time', description: 'Null while it is paused' })),
    next_run_at: Nullable(Type.String({ format: 'date-time', description: 'The same with its jitter' })),
    last_tick_at: Nullable(TimestampSchema),
    last_outcome: Nullable(
      Type.String({
        description:
          'started; skipped, because the job before had not ended; missed, because no service ran in time'
      })
    ),
    last_job_id: Nullable(Type.String({ description: 'The last job that it started' })),
    created_by: Type.String({
      description: 'Id of the API key that created it, and in whose name it starts jobs'
    }),
    created_at: TimestampSchema,
    updated_at: TimestampSchema
  },
  {
    $id: 'Schedule',
    examples: [
      {
        id: 'sched_0193',
        ...example,
        paused_at: null,
        next_tick_at: '2026-01-02T01:30:00Z',
        next_run_at: '2026-01-02T01:30:17Z',
        last_tick_at: '2026-01-01T01:30:00Z',
        last_outcome: 'started',
        last_job_id: 'job_0193',
        created_by: 'key_bootstrap',
        created_at: '2026-01-01T00:00:00Z',
        updated_at: '2026-01-01T00:00:00Z'
      }
    ]
  }
)
export type Schedule = Static<typeof ScheduleSchema>

export const SchedulePageSchema = pageOf(ScheduleSchema, { $id: 'SchedulePage' })

export const ScheduleParamsSchema = Type.Object({
  id: Text(100, { description: 'Id of a schedule', examples: ['sched_0193'] })
})

export const NextRunsQuerySchema = Type.Object(
  { limit: Defaulted(Type.Integer({ minimum: 1, maximum: 100, default: 10, description: 'How many' })) },
  { additionalProperties: false }
)

export const NextRunsSchema = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        tick_at: TimestampSchema,
        local_time: Type.String({ description: 'The same on the clocks of the time zone' })
      })
    )
  },
  {
    $id: 'NextRuns',
    examples: [{ items: [{ tick_at: '2026-01-02T01:30:00Z', local_time: '2026-01-02T02:30:00+01:00' }] }]
  }
)
export type NextRuns = Static<typeof NextRunsSchema>
