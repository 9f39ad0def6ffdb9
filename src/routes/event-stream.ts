/** Sends events as they come (server-sent events), no faster than they are read. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { EventStream } from '../services/job-events.ts'

/** A reader that takes nothing for this time is dropped, in ms. */
const LONGEST_STALL = 60_000

export const lastEventId = (request: FastifyRequest): string | undefined =>
  request.headers['last-event-id'] as string | undefined

/**
 * Writes the stream to its end. What fails on the way ends it too, and is logged: the reader comes back with the id
 * of the last event that it has seen.
 */
export async function sendStream(stream: EventStream, request: FastifyRequest, reply: FastifyReply) {
  // Streams leave past the hook that does so for other answers.
  reply.header('x-request-id', request.id)
  const { raw } = reply
  const gone = new Promise<void>((resolve) => raw.once('close', resolve))
  try {
    reply.sse.sendHeaders()
    if (request.method === 'HEAD') return
    // At once: a reader knows that it is connected though nothing happens yet.
    raw.flushHeaders()
    for await (const event of stream.events) {
      const stalled = new AbortController()
      const drop = sleep(LONGEST_STALL, undefined, { signal: stalled.signal, ref: false }).then(
        () => raw.destroy(),
        () => {}
      )
      await Promise.race([reply.sse.send(event), gone, drop])
      stalled.abort()
      if (raw.destroyed) return
    }
  } catch (error) {
    request.log.warn({ err: error }, 'a stream of events broke off')
  } finally {
    stream.end()
  }
}
