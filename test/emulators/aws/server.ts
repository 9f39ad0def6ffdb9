/** The HTTP server: reads requests, lets faults happen, checks signatures, answers. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { AwsError, authenticationError, type ServiceName } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { effectsOf, errorOf, type Fault, type Faults } from './faults.ts'
import { requestId } from './ids.ts'
import { readQueryExchange } from './query-protocol.ts'
import { readS3Exchange } from './s3-protocol.ts'
import type { Reply } from './s3-read.ts'
import type { S3Objects } from './s3-store.ts'
import { type Identity, readRegion, type SignedRequest, verifySignature } from './sigv4.ts'
import type { World } from './world.ts'

/** One request as it came; nothing is left out, for tests that look for secrets. */
export interface AwsCall {
  service: ServiceName
  operation: string
  params: Readonly<Record<string, string>>
  headers: Readonly<IncomingHttpHeaders>
  /** Milliseconds of the emulator's clock. */
  at: number
  /** Kinds of the faults that hit it. */
  faults: string[]
  /** Undefined until it is answered; 0 when the connection was broken instead. */
  status: number | undefined
  /** The error's code, if it failed. */
  code: string | undefined
}

export interface ServerParts {
  world: World
  store: S3Objects
  faults: Faults
  identities: ReadonlyMap<string, Identity>
  calls: AwsCall[]
}

const maxBody = 128 * 1024 * 1024

async function readRequest(request: IncomingMessage): Promise<SignedRequest> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBody) throw new Error('the body is too large for the emulator')
    chunks.push(chunk)
  }
  const url = request.url ?? '/'
  const cut = url.includes('?') ? url.indexOf('?') : url.length
  return {
    method: request.method ?? 'GET',
    path: url.slice(0, cut),
    query: url.slice(cut + 1),
    headers: request.headers,
    body: Buffer.concat(chunks)
  }
}

/** The caller; undefined for S3 requests that are not signed. Throws the service's own error. */
function authenticate(exchange: Exchange, request: SignedRequest, { identities, world }: ServerParts) {
  const caller = verifySignature(request, identities)
  if (caller === 'missing' && exchange.service === 's3') return undefined
  if (typeof caller === 'string') throw authenticationError(exchange.service, caller)
  if (exchange.isRegional && readRegion(request.headers) !== world.region) {
    throw authenticationError(exchange.service, 'mismatch')
  }
  return caller
}

/** Undefined when the connection is to be broken. */
async function answer(
  exchange: Exchange,
  request: SignedRequest,
  planned: readonly Fault[],
  id: string,
  parts: ServerParts
): Promise<Reply | undefined> {
  const caller = authenticate(exchange, request, parts)
  for (const fault of planned) {
    if (fault.kind === 'refused') return undefined
    // Who waits holds the process; the emulator does not.
    if (fault.kind === 'delay') await sleep(fault.ms, undefined, { ref: false })
    if (fault.kind === 'hook') await fault.before?.()
    const error = errorOf(fault, exchange, caller?.arn ?? 'anonymous')
    if (error) throw error
  }
  const reply = exchange.run(caller, effectsOf(planned), id)
  for (const fault of planned) if (fault.kind === 'hook') await fault.after?.()
  return planned.some(({ kind }) => kind === 'lost-response') ? undefined : reply
}

async function handle(
  incoming: IncomingMessage,
  response: ServerResponse,
  parts: ServerParts
): Promise<void> {
  const request = await readRequest(incoming)
  const exchange = readQueryExchange(request, parts.world) ?? readS3Exchange(request, parts.store)
  const planned = parts.faults.take(exchange)
  const id = requestId()
  const { service, operation, params } = exchange
  const call: AwsCall = {
    service,
    operation,
    params,
    headers: request.headers,
    at: parts.world.now(),
    faults: planned.map(({ kind }) => kind),
    status: undefined,
    code: undefined
  }
  parts.calls.push(call)
  let reply: Reply | undefined
  try {
    reply = await answer(exchange, request, planned, id, parts)
  } catch (error) {
    if (!(error instanceof AwsError)) throw error
    call.code = error.code
    const lost = planned.some(({ kind }) => kind === 'lost-response')
    reply = lost ? undefined : exchange.fail(error, id)
  }
  call.status = reply?.status ?? 0
  if (!reply) {
    incoming.socket.destroy()
    return
  }
  const idHeaders =
    service === 's3' ? { 'x-amz-request-id': id, 'x-amz-id-2': id } : { 'x-amzn-requestid': id }
  response.writeHead(reply.status, { ...idHeaders, ...reply.headers })
  if (!planned.some(({ kind }) => kind === 'cut-body')) {
    response.end(reply.body)
    return
  }
  const body = Buffer.from(reply.body ?? '')
  response.write(body.subarray(0, body.length / 2), () => incoming.socket.destroy())
}

export interface Server {
  readonly url: string
  /** Nobody gets a connection any more: ECONNREFUSED. */
  stop(): Promise<void>
  /** Listens again, on the same port. */
  start(): Promise<void>
}

export async function startServer(parts: ServerParts, host: string, port: number): Promise<Server> {
  // A connection that the server closes while a client takes it up again would look like a fault.
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    handle(request, response, parts).catch((error: unknown) => {
      // A mistake in the emulator, or a connection that broke: visible, and never mistaken for a service's answer.
      if (!incomingBroke(error)) console.error('AWS emulator:', error)
      request.socket.destroy()
    })
  })
  const listen = (at: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(at, host, () => {
        server.off('error', reject)
        resolve()
      })
    })
  await listen(port)
  const address = server.address() as AddressInfo
  return {
    url: `http://${host}:${address.port}`,
    async start() {
      if (!server.listening) await listen(address.port)
    },
    async stop() {
      if (!server.listening) return
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    }
  }
}

const incomingBroke = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
