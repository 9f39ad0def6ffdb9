import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LastEventIdHeadersSchema, PageQuerySchema } from '../schemas/common.ts'
import { eventStreamExample, JobEventPageSchema, JobParamsSchema } from '../schemas/jobs.ts'
import { answerOrStream, noContent } from '../schemas/responses.ts'
import type { JobEvents } from '../services/job-events.ts'
import { requestSignal } from './abort.ts'
import { lastEventId, sendStream } from './event-stream.ts'
import { withLink } from './page-link.ts'

const asStream =
  'With `Accept: text/event-stream` it streams them as they happen, with a comment as heartbeat every 15 seconds, and resumes after `Last-Event-ID`.'

/** The story of one job, and of all of them: in pages, or live. */
export function jobEventsRoutes(jobEvents: JobEvents): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/jobs/:id/events',
      {
        config: { scope: 'read', errors: ['job_not_found', 'invalid_cursor', 'too_many_streams'] },
        sse: 'dual',
        schema: {
          operationId: 'listJobEvents',
          tags: ['jobs'],
          summary: "List or stream a job's events, oldest first",
          description: `${asStream} The stream ends when the job does; whoever comes back after the last event is answered 204.`,
          params: JobParamsSchema,
          headers: LastEventIdHeadersSchema,
          querystring: PageQuerySchema,
          response: {
            200: answerOrStream(JobEventPageSchema, 'One page of events', eventStreamExample, 'Link'),
            204: noContent('The stream is over')
          }
        }
      },
      async (request, reply) => {
        const { id } = request.params
        if (!reply.sse) return withLink(await jobEvents.list(id, request.query), request, reply)
        const options = {
          actor: request.actor,
          lastEventId: lastEventId(request),
          signal: requestSignal(reply)
        }
        const stream = await jobEvents.follow(id, options)
        if (stream === undefined) return reply.code(204).send()
        await sendStream(stream, request, reply)
      }
    )

    app.get(
      '/job-events',
      {
        config: { scope: 'read', errors: ['invalid_cursor', 'too_many_streams'] },
        sse: 'dual',
        schema: {
          operationId: 'listAllJobEvents',
          tags: ['jobs'],
          summary: 'List or stream the events of all jobs, oldest first',
          description: `${asStream} Without that header it begins with what happens from now on; after \`0\`, with the oldest event that is kept.`,
          headers: LastEventIdHeadersSchema,
          querystring: PageQuerySchema,
          response: {
            200: answerOrStream(JobEventPageSchema, 'One page of events', eventStreamExample, 'Link')
          }
        }
      },
      async (request, reply) => {
        if (!reply.sse) return withLink(await jobEvents.listAll(request.query), request, reply)
        const options = {
          actor: request.actor,
          lastEventId: lastEventId(request),
          signal: requestSignal(reply)
        }
        await sendStream(await jobEvents.followAll(options), request, reply)
      }
    )
  }
}
