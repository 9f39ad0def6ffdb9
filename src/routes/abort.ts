/** What stops the work behind a request when nobody is left to read the answer. */
import type { FastifyReply } from 'fastify'
import { ServiceError } from '../errors.ts'

/**
 * A signal that aborts, with `cancelled` as its reason, when the client hangs up before the reply is sent.
 * It listens to the response: the request's own `close` (and Fastify's `request.signal` with it) also comes as
 * soon as a body has been read, and not at all for a client that left before anybody listened.
 */
export function requestSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  const response = reply.raw
  const abort = () => {
    if (response.writableEnded) return
    controller.abort(new ServiceError('cancelled', 'The client closed the connection before the answer.'))
  }
  if (response.destroyed) abort()
  else response.once('close', abort)
  return controller.signal
}

/** The same, made when it is first asked for: most answers are there before anybody could hang up. */
export function lazyRequestSignal(reply: FastifyReply): () => AbortSignal {
  let signal: AbortSignal | undefined
  return () => {
    signal ??= requestSignal(reply)
    return signal
  }
}
