/**
 * Repeats responses ahead of the router. A request that is, to the byte, one that was answered with a kept answer gets that
 * response again as long as its key is known and the data is in the same state. Every check on the way through the router
 * would come to the same, and together they take longer than all the rest of such a request. A hook that does something for
 * each request, whatever it asks, has its place here too.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { LRUCache } from 'lru-cache'
import type { Actor } from '../services/api-keys.ts'
import type { DataState } from '../services/data-state.ts'
import type { Identity } from '../services/identity.ts'
import type { Metrics } from '../services/metrics.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** The state of the data in which this response may be repeated. */
    repeatableIn: string | undefined
  }
}

/** A response, and what it hangs on. */
interface Repeatable {
  status: number
  /** Names and values in turns, without those of one request alone. */
  headers: string[]
  body: string
  state: string
  authorization: string | undefined
  operation: string
}

/** A request that is answered here, since `began` by `performance.now()`. */
interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  began: number
}

export interface RepeatsOptions {
  isRepeating: boolean
  identity: Pick<Identity, 'known'>
  state: Pick<DataState, 'known'>
  metrics: Pick<Metrics, 'request'>
  newRequestId: () => string
}

/** Characters of requests and responses that are kept at most; bodies are shared with the answers that they are of. */
const MOST_CHARACTERS = 2 ** 24

/** The whole request, for one without a body: neither an address nor a header has a line break. */
const textOf = ({ url, rawHeaders }: IncomingMessage) => `${url}\n${rawHeaders.join('\n')}`

export default fp(
  async (app: FastifyInstance, { isRepeating, identity, state, metrics, newRequestId }: RepeatsOptions) => {
    app.decorateReply('repeatableIn', undefined)
    if (!isRepeating) return
    const known = new LRUCache<string, Repeatable>({
      maxSize: MOST_CHARACTERS,
      sizeCalculation: ({ body }, text) => text.length + body.length + 1000
    })
    const isLogged = ['info', 'debug', 'trace'].includes(app.log.level)
    let isClosing = false
    // The router says goodbye to every connection then.
    app.addHook('preClose', async () => {
      isClosing = true
    })

    app.addHook('onSend', (request, reply, payload, done) => {
      // Something may have failed since the answer was found.
      const isAnswer = reply.repeatableIn !== undefined && [200, 304].includes(reply.statusCode)
      if (isAnswer && request.method === 'GET') {
        known.set(textOf(request.raw), toRepeatable(request, reply, String(payload ?? '')))
      }
      done(null, payload)
    })

    /** The response to a request and whose key asks, unless it has to go through the router. */
    function find(request: IncomingMessage): { found: Repeatable; actor: Actor } | undefined {
      if (isClosing || request.method !== 'GET') return undefined
      const found = known.get(textOf(request))
      if (found === undefined || found.state !== state.known()) return undefined
      const actor = identity.known(found.authorization)
      return actor && { found, actor }
    }

    function send({ status, headers, body, operation }: Repeatable, more: string[], exchange: Exchange) {
      const { request, response, began } = exchange
      const id = newRequestId()
      response.writeHead(status, [...headers, ...more, 'x-request-id', id])
      response.end(body)
      const elapsed = performance.now() - began
      if (isLogged) logRepeat(app.log.child({ reqId: id }), request, status, elapsed)
      metrics.request({ operation, status, seconds: elapsed / 1000, cache: 'hit' })
    }

    const [route] = app.server.listeners('request')
    app.server.removeAllListeners('request')
    app.server.on('request', (request, response) => {
      const began = performance.now()
      const repeat = find(request)
      if (repeat === undefined) return route?.(request, response)
      const { found, actor } = repeat
      const counting = app.countKey(actor.key_id)
      if (counting === undefined) return send(found, [], { request, response, began })
      const byRouter = () => route?.(request, response)
      counting.then(({ isExceeded, headers }) => {
        // Where it is counted again, and refused.
        if (isExceeded) byRouter()
        else send(found, inTurns(headers), { request, response, began })
      }, byRouter)
    })
  },
  { name: 'repeats', dependencies: ['headers', 'metrics', 'rate-limit'] }
)

/** True for a header that says something of one request alone. */
const isOfRequest = (name: string) => name === 'x-request-id' || name.startsWith('ratelimit-')

/** Names and values as `writeHead` takes them fastest. */
const inTurns = (headers: object) => Object.entries(headers).flatMap(([name, value]) => [name, String(value)])

function toRepeatable(request: FastifyRequest, reply: FastifyReply, body: string): Repeatable {
  const headers = Object.entries(reply.getHeaders()).filter(([name]) => !isOfRequest(name))
  const length = reply.statusCode === 304 ? {} : { 'content-length': Buffer.byteLength(body) }
  return {
    ...{ status: reply.statusCode, body, state: reply.repeatableIn ?? '' },
    headers: inTurns({ ...Object.fromEntries(headers), ...length }),
    authorization: request.headers.authorization,
    operation: request.routeOptions.schema?.operationId ?? 'none'
  }
}

/** Writes the two lines that the router writes of each request. */
function logRepeat(
  log: FastifyBaseLogger,
  request: IncomingMessage,
  statusCode: number,
  responseTime: number
) {
  const { method, url, headers, socket } = request
  const req = { method, url, headers, socket, host: headers.host, ip: socket.remoteAddress }
  log.info({ req }, 'incoming request')
  log.info({ res: { statusCode }, responseTime }, 'request completed')
}
