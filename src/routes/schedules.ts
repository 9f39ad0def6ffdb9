import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { IdempotencyHeadersSchema, NoQuerySchema, PageQuerySchema } from '../schemas/common.ts'
import { jobResponses } from '../schemas/jobs.ts'
import { answer, noContent } from '../schemas/responses.ts'
import {
  NextRunsQuerySchema,
  NextRunsSchema,
  SchedulePageSchema,
  ScheduleParamsSchema,
  ScheduleSchema,
  ScheduleSettingsSchema
} from '../schemas/schedules.ts'
import type { Jobs } from '../services/jobs.ts'
import type { Schedules } from '../services/schedules.ts'
import { replyWithJob, startOptions } from './job-reply.ts'
import { withLink } from './page-link.ts'

/** Schedules: jobs that start by the clock. */
export function schedulesRoutes(schedules: Schedules, jobs: Jobs): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '',
      {
        config: { scope: 'read', errors: ['invalid_cursor'] },
        schema: {
          operationId: 'listSchedules',
          tags: ['schedules'],
          summary: 'List schedules, newest first',
          querystring: PageQuerySchema,
          response: { 200: answer(SchedulePageSchema, 'One page of schedules', 'Link') }
        }
      },
      async (request, reply) => withLink(await schedules.list(request.query), request, reply)
    )

    app.post(
      '',
      {
        config: { scope: 'operate', errors: ['schedule_exists', 'invalid_schedule', 'callback_not_allowed'] },
        schema: {
          operationId: 'createSchedule',
          tags: ['schedules'],
          summary: 'Create a schedule',
          querystring: NoQuerySchema,
          body: ScheduleSettingsSchema,
          response: { 201: answer(ScheduleSchema, 'The schedule', 'Location') }
        }
      },
      async (request, reply) => {
        const schedule = await schedules.create(request.body, request.actor)
        return reply.code(201).header('location', `/v1/schedules/${schedule.id}`).send(schedule)
      }
    )

    app.get(
      '/:id',
      {
        config: { scope: 'read', errors: ['schedule_not_found'] },
        schema: {
          operationId: 'getSchedule',
          tags: ['schedules'],
          summary: 'Get a schedule',
          params: ScheduleParamsSchema,
          querystring: NoQuerySchema,
          response: { 200: answer(ScheduleSchema, 'The schedule') }
        }
      },
      async (request) => schedules.get(request.params.id)
    )

    app.put(
      '/:id',
      {
        config: {
          scope: 'operate',
          errors: ['schedule_not_found', 'schedule_exists', 'invalid_schedule', 'callback_not_allowed']
        },
        schema: {
          operationId: 'replaceSchedule',
          tags: ['schedules'],
          summary: 'Replace the settings of a schedule',
          params: ScheduleParamsSchema,
          querystring: NoQuerySchema,
          body: ScheduleSettingsSchema,
          response: { 200: answer(ScheduleSchema, 'The schedule') }
        }
      },
      async (request) => schedules.replace(request.params.id, request.body)
    )

    app.delete(
      '/:id',
      {
        config: { scope: 'operate', errors: ['schedule_not_found'] },
        schema: {
          operationId: 'deleteSchedule',
          tags: ['schedules'],
          summary: 'Delete a schedule',
          description: 'Jobs that it has started go on.',
          params: ScheduleParamsSchema,
          querystring: NoQuerySchema,
          response: { 204: noContent('It is gone') }
        }
      },
      async (request, reply) => {
        await schedules.remove(request.params.id)
        return reply.code(204).send()
      }
    )

    for (const action of ['pause', 'resume'] as const) {
      app.post(
        `/:id/${action}`,
        {
          config: { scope: 'operate', errors: ['schedule_not_found'] },
          schema: {
            operationId: `${action}Schedule`,
            tags: ['schedules'],
            summary: action === 'pause' ? 'Pause a schedule' : 'Resume a paused schedule',
            description:
              action === 'pause'
                ? 'It starts nothing until it is resumed.'
                : 'What it would have started meanwhile is not made up for.',
            params: ScheduleParamsSchema,
            querystring: NoQuerySchema,
            response: { 200: answer(ScheduleSchema, 'The schedule') }
          }
        },
        async (request) => schedules[action](request.params.id)
      )
    }

    app.post(
      '/:id/trigger',
      {
        config: {
          scope: 'operate',
          errors: [
            'schedule_not_found',
            'cluster_not_found',
            'tables_not_created',
            'warehouse_unavailable',
            'source_not_allowed',
            'callback_not_allowed',
            'idempotency_key_reused'
          ]
        },
        schema: {
          operationId: 'triggerSchedule',
          tags: ['schedules'],
          summary: 'Start the job of a schedule now',
          description: 'Paused or not, and whatever its overlap says; its times stay as they are.',
          params: ScheduleParamsSchema,
          headers: IdempotencyHeadersSchema,
          querystring: NoQuerySchema,
          response: jobResponses('the schedule starts')
        }
      },
      async (request, reply) => {
        const { id } = request.params
        const started = await schedules.trigger(id, request.actor, startOptions(request.headers))
        return replyWithJob(started, jobs, request, reply)
      }
    )

    app.get(
      '/:id/next-runs',
      {
        config: { scope: 'read', errors: ['schedule_not_found'] },
        schema: {
          operationId: 'listNextRuns',
          tags: ['schedules'],
          summary: 'List the next times of a schedule',
          description: 'Whether it is paused or not, and without jitter.',
          params: ScheduleParamsSchema,
          querystring: NextRunsQuerySchema,
          response: { 200: answer(NextRunsSchema, 'The next times') }
        }
      },
      async (request) => schedules.nextRuns(request.params.id, request.query.limit)
    )
  }
}
