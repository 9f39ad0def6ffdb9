/** Loads as jobs: what they are asked for. */
import { type Static, Type } from 'typebox'
import { Defaulted, Text } from './common.ts'
import { JobOptionsSchema, stepTimeouts } from './job-options.ts'

export const etlSteps = { discover: 5, stage: 60, transform: 25, check: 5, publish: 5 }

/** What a load is asked for. */
const etlParams = {
  mode: Defaulted(
    Type.Unsafe<'incremental' | 'full'>(
      Type.String({
        enum: ['incremental', 'full'],
        default: 'incremental',
        description:
          '`incremental` loads the objects that the ledger does not know yet. `full` empties the tables and loads every object, in one transaction.'
      })
    )
  ),
  song_data: Type.Optional(Text(2000, { description: 'Directory of song objects; default SONG_DATA' })),
  log_data: Type.Optional(Text(2000, { description: 'Directory of event logs; default LOG_DATA' })),
  max_rejects: Defaulted(
    Type.Unsafe<number | string>({
      type: ['integer', 'string'],
      minimum: 0,
      maximum: 1_000_000,
      pattern: '^(100|[0-9]{1,2}(\\.[0-9]{1,4})?)%$',
      default: 0,
      description:
        'The load fails, and publishes nothing, when more records than this are rejected: a number, or a share of the records read such as "0.5%", which is 100,000 of them at most.',
      examples: [0, '0.5%']
    })
  ),
  dry_run: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        'Load nothing: the result of the job lists what is new, and the problems that a sample of it shows.'
    })
  )
}
export const EtlParamsSchema = Type.Object(etlParams)
export type EtlParams = Static<typeof EtlParamsSchema>

export const StartJobSchema = Type.Object(
  {
    type: Type.Literal('etl'),
    ...etlParams,
    ...JobOptionsSchema.properties,
    step_timeouts: Type.Optional(stepTimeouts(Object.keys(etlSteps)))
  },
  {
    $id: 'StartJob',
    additionalProperties: false,
    examples: [
      { type: 'etl' },
      {
        type: 'etl',
        mode: 'full',
        max_rejects: 10,
        priority: 'high',
        on_conflict: 'reject',
        timeout_seconds: 3600
      },
      { type: 'etl', max_rejects: '0.5%', dry_run: true }
    ]
  }
)

export type StartJob = Static<typeof StartJobSchema>

/** Which rejects are to be tried again. */
export const ReplayRejectsSchema = Type.Object(
  {
    load_id: Type.Optional(
      Type.String({
        pattern: '^[1-9][0-9]{0,14}$',
        description: 'Only rejects of this load',
        examples: ['7']
      })
    ),
    kind: Type.Optional(Type.String({ enum: ['events', 'songs'], description: 'Only rejects of this kind' })),
    code: Type.Optional(
      Text(64, { description: 'Only rejects for this reason', examples: ['malformed_json'] })
    )
  },
  { $id: 'ReplayRejects', additionalProperties: false, examples: [{}, { code: 'value_too_long' }] }
)
export type ReplayRejects = Static<typeof ReplayRejectsSchema>
