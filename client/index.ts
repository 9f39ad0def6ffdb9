/** Typed client of the warehouse's HTTP API; `openapi.ts` is generated from its OpenAPI document. */
import createFetchClient, { type Client, type Middleware } from 'openapi-fetch'
import type { components, paths } from './openapi.ts'

export type { components, paths } from './openapi.ts'

export type Job = components['schemas']['Job']
export type Progress = NonNullable<Job['progress']>
export type Problem = components['schemas']['Problem']
export type Load = components['schemas']['Load']

/** One method for each HTTP method, typed by path: `client.GET('/v1/jobs/{id}', { params: { path: { id } } })`. */
export type WarehouseClient = Client<paths>

export interface ClientSettings {
  /** Where the service is, without `/v1`: `https://warehouse.example.com`. */
  baseUrl: string
  /** An API key; it goes into the Authorization header and nowhere else. */
  apiKey: string
  /** How often a request is tried again that the service could not take, or that got no answer; default 4. */
  retries?: number
  /** What sends the requests; default the platform's. */
  fetch?: (request: Request) => Promise<Response>
}

/** The service's own refusal: a problem document (RFC 9457). */
export class WarehouseError extends Error {
  /** What programs decide by: `tables_missing`, `invalid_request`; undefined when a proxy in between has answered. */
  readonly code: Problem['code'] | undefined
  /** HTTP status. */
  readonly status: number
  /** The service's name for the request, for a bug report. */
  readonly requestId: string | undefined
  readonly problem: Problem | undefined

  constructor(request: Request, response: Response, problem: Problem | undefined) {
    const what = `${request.method} ${new URL(request.url).pathname}`
    super(`${what} answered ${response.status}: ${problem?.detail ?? response.statusText}`)
    this.name = 'WarehouseError'
    this.code = problem?.code
    this.status = response.status
    this.requestId = problem?.request_id
    this.problem = problem
  }
}

/** A job that ended without success. */
export class JobError extends Error {
  readonly job: Job

  constructor(job: Job) {
    super(`The job ${job.id} (${job.type}) ${job.status}: ${job.error?.detail ?? 'no reason given'}`)
    this.name = 'JobError'
    this.job = job
  }
}

/** Paths whose changes take an `Idempotency-Key`. */
export const startsJob: ReadonlySet<string> = new Set<keyof paths>([
  '/v1/cluster',
  '/v1/cluster/pause',
  '/v1/cluster/resume',
  '/v1/tables',
  '/v1/tables/rebuild',
  '/v1/jobs',
  '/v1/jobs/{id}/retry',
  '/v1/schedules/{id}/trigger',
  '/v1/rejects/replay'
])

/** Before the first try anew, in ms; doubled each time. */
const FIRST_PAUSE = 200
/** The longest that a request waits for a job, in seconds. */
const WAIT_SECONDS = 30

/**
 * A client of one service. Requests that start a job carry an `Idempotency-Key`, so that one whose answer was lost is
 * tried again without starting a second. What the service answers with 429 or 503 is tried again after its
 * `Retry-After`. Refusals are thrown as `WarehouseError`.
 */
export function createClient({
  baseUrl,
  apiKey,
  retries = 4,
  fetch = globalThis.fetch
}: ClientSettings): WarehouseClient {
  const client = createFetchClient<paths>({ baseUrl, fetch: (request) => send(request, fetch, retries) })
  const middleware: Middleware = {
    onRequest({ request, schemaPath }) {
      request.headers.set('authorization', `Bearer ${apiKey}`)
      const { method, headers } = request
      if (method === 'GET' || headers.has('idempotency-key') || !startsJob.has(schemaPath)) return
      headers.set('idempotency-key', crypto.randomUUID())
    },
    async onResponse({ request, response }) {
      if (response.status >= 400) throw new WarehouseError(request, response, await readProblem(response))
    }
  }
  client.use(middleware)
  return client
}

/** The JSON of a successful answer; what is no success has been thrown. */
export async function bodyOf<Body>(answer: Promise<{ data?: Body }>): Promise<Exclude<Body, string>> {
  const { data } = await answer
  return data as Exclude<Body, string>
}

export interface WaitSettings {
  /** Gives up waiting, not the job. */
  signal?: AbortSignal
  /** Told of the job whenever it was looked at, which is then every `interval` ms. */
  onLook?: (job: Job) => void
  /** Between two looks, in ms; default 500. */
  interval?: number
}

/**
 * Waits until a job has ended, and returns it. Throws `JobError` when it failed or was cancelled. Without `onLook`
 * the service holds the answer back until then, which is the sooner one.
 */
export async function waitForJob(
  client: WarehouseClient,
  id: string,
  { signal, onLook, interval = 500 }: WaitSettings = {}
): Promise<Job> {
  const header = onLook === undefined ? { Prefer: `wait=${WAIT_SECONDS}` } : {}
  for (;;) {
    const job = await bodyOf(
      client.GET('/v1/jobs/{id}', { params: { path: { id }, header }, ...(signal && { signal }) })
    )
    onLook?.(job)
    if (job.status === 'succeeded') return job
    if (job.status === 'failed' || job.status === 'cancelled') throw new JobError(job)
    if (onLook !== undefined) await pause(interval, signal)
  }
}

/** Sends a request until it is taken. A lost answer is no reason to repeat what may have been done already. */
async function send(
  request: Request,
  fetch: (request: Request) => Promise<Response>,
  retries: number
): Promise<Response> {
  const isRepeatable = request.method !== 'POST' || request.headers.has('idempotency-key')
  for (let tries = 0; ; tries += 1) {
    const isLast = tries >= retries
    try {
      const response = await fetch(request.clone())
      if (isLast || (response.status !== 429 && response.status !== 503)) return response
      const seconds = Number(response.headers.get('retry-after'))
      await response.body?.cancel()
      await pause(seconds > 0 ? seconds * 1000 : FIRST_PAUSE * 2 ** tries, request.signal)
    } catch (error) {
      if (isLast || !isRepeatable || request.signal.aborted) throw error
      await pause(FIRST_PAUSE * 2 ** tries, request.signal)
    }
  }
}

async function readProblem(response: Response): Promise<Problem | undefined> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json')
  return isProblem ? ((await response.json()) as Problem) : undefined
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
