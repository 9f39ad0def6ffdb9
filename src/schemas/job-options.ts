/** How a job is to be run: its place in the queue, its time, and what to do when the same is under way already. */
import { type Static, Type } from 'typebox'
import { Defaulted, literals, Text, TimeSchema } from './common.ts'

export const priorities = ['low', 'normal', 'high'] as const
export type Priority = (typeof priorities)[number]

/** A week, in seconds. */
const LONGEST_TIMEOUT = 604_800
export const TimeoutSchema = (description: string) =>
  Type.Integer({ minimum: 1, maximum: LONGEST_TIMEOUT, description })

/** Times for the steps of a job, in seconds. */
export const stepTimeouts = (steps: readonly string[]) =>
  Type.Object(
    Object.fromEntries(
      steps.map((step) => [step, Type.Optional(TimeoutSchema(`Seconds for the step ${step}`))])
    ),
    { additionalProperties: false, description: 'Seconds that a step may take, by its name' }
  )

/** What every job that is started by itself may be given. */
export const JobOptionsSchema = Type.Object({
  priority: Defaulted(
    literals(priorities, {
      default: 'normal',
      description: 'Jobs of a lane run in the order of priority, then of age.'
    })
  ),
  run_after: Type.Optional(TimeSchema('The job waits at least until then, RFC 3339')),
  on_conflict: Defaulted(
    literals(['queue', 'return', 'reject'], {
      default: 'queue',
      description:
        'When a job of the same type and parameters is queued or running: `queue` puts this one behind it, `return` answers that one and starts none, `reject` answers 409.'
    })
  ),
  queue_timeout_seconds: Type.Optional(
    TimeoutSchema(
      'The job fails when it was not started so many seconds after it could be; no limit by default'
    )
  ),
  callback_url: Type.Optional(
    Text(2000, {
      description:
        'A URL on a host of WEBHOOK_HOSTS that is told of the end of the job, by a signed POST with the job in it',
      examples: ['https://hooks.example.com/sparkify']
    })
  ),
  timeout_seconds: Type.Optional(
    TimeoutSchema('The job fails when it has not ended so many seconds after its start; no limit by default')
  )
})
export type JobOptions = Partial<Static<typeof JobOptionsSchema>> & {
  step_timeouts?: Readonly<Record<string, number | undefined>>
}
