/** Server-sent events: heartbeats keep proxies from closing a quiet stream, and every stream ends before the service. */
import { fastifySSE } from '@fastify/sse'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { JobEvents } from '../services/job-events.ts'

/** Time between two heartbeats of a stream, in ms. */
const HEARTBEAT_INTERVAL = 15_000

export default fp(
  async (app: FastifyInstance, { jobEvents }: { jobEvents: JobEvents }) => {
    await app.register(fastifySSE, { heartbeatInterval: HEARTBEAT_INTERVAL })

    // After the worker has handed its jobs back, so that the streams tell of it.
    app.addHook('preClose', () => jobEvents.close())
  },
  { name: 'streams', dependencies: ['worker'] }
)
