/** Errors as the API shows them: the problem document, and the errors that an operation documents. */
import { type Static, Type } from 'typebox'
import { type ErrorCode, errorCatalogue, ServiceError, toProblem } from '../errors.ts'
import { ref } from './common.ts'
import { responseHeaders } from './responses.ts'

export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong, where, and what to do' }),
    instance: Type.Optional(Type.String({ description: 'Path of the request' })),
    code: Type.String({ enum: Object.keys(errorCatalogue) }),
    request_id: Type.Optional(Type.String({ description: 'What the log calls the request' })),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON pointer into the body, or the name of a parameter' }),
          code: Type.String(),
          message: Type.String()
        })
      )
    )
  },
  { $id: 'Problem', description: 'RFC 9457 problem details' }
)

/** The errors that an operation may document, each with a `detail` as it reads, and the path it comes from. */
const examples = {
  invalid_request: ['/v1/jobs', 'limit must be <= 200; sort is an unknown parameter.'],
  invalid_cursor: ['/v1/jobs', 'cursor is not a value that next_cursor had. Start without it.'],
  malformed_json: ['/v1/jobs', 'The body is not JSON, or it has a key that is forbidden.'],
  missing_credentials: ['/v1/jobs', 'Send your API key as Authorization: Bearer <key>.'],
  invalid_api_key: ['/v1/jobs', 'The API key is unknown, expired or revoked.'],
  invalid_token: ['/v1/jobs', 'The token has expired. Get a new one.'],
  identity_provider_unavailable: [
    '/v1/jobs',
    'The identity provider https://login.example.com does not say which tokens are its own; the log has the reason. API keys still work.'
  ],
  insufficient_scope: ['/v1/jobs', 'This needs the scope operate; the key key_5d41402abc has read.'],
  job_not_found: ['/v1/jobs/job_0', 'No job has the id job_0. GET /v1/jobs lists the jobs.'],
  delivery_not_found: [
    '/v1/jobs/job_0193/deliveries/whd_0/redeliver',
    'The job job_0193 has no delivery whd_0 that is over. GET /v1/jobs/job_0193/deliveries lists them.'
  ],
  key_not_found: ['/v1/api-keys/key_0', 'No key has the id key_0. GET /v1/api-keys lists the keys.'],
  key_configured: [
    '/v1/api-keys/key_bootstrap',
    'This key comes from the configuration and is made valid at every start. Change ADMIN_API_KEY (or admin.key in DATA_DIR) and start again.'
  ],
  key_not_valid: ['/v1/api-keys/key_0193/rotate', 'key_0193 is revoked. Create a new key instead.'],
  last_admin_key: [
    '/v1/api-keys/key_0193',
    'key_0193 is the last valid key with the scope admin. Create another one first.'
  ],
  load_not_found: ['/v1/loads/99', 'No load has the id 99. GET /v1/loads lists the loads.'],
  schedule_not_found: [
    '/v1/schedules/sched_0',
    'No schedule has the id sched_0. GET /v1/schedules lists the schedules.'
  ],
  schedule_exists: [
    '/v1/schedules',
    'sched_0193 is called "nightly load" already. Change that one with PUT, or choose another name.'
  ],
  invalid_schedule: ['/v1/schedules', '/time_zone is no IANA time zone such as Europe/Berlin or UTC.'],
  table_not_found: ['/v1/tables/analytics.plays', 'There is no table analytics.plays.'],
  query_not_found: ['/v1/analytics/flops', 'No canned query is called flops.'],
  cluster_not_found: ['/v1/tables', 'There is no cluster yet. Create it with PUT /v1/cluster.'],
  tables_not_created: ['/v1/loads', 'The tables do not exist yet. Create them with POST /v1/tables.'],
  job_finished: ['/v1/jobs/job_0193/cancel', 'The job job_0193 has ended: succeeded.'],
  job_not_retryable: ['/v1/jobs/job_0193/retry', 'The job job_0193 is running. Cancel it first.'],
  job_conflict: [
    '/v1/jobs',
    'job_0193 does the same and is running. Wait for it, or ask for on_conflict queue.'
  ],
  jobs_active: ['/v1/cluster', 'Wait for these jobs, then delete the cluster: job_0193 (etl).'],
  not_supported: [
    '/v1/cluster/pause',
    'The embedded cluster cannot be paused: it costs nothing while it rests.'
  ],
  foreign_cluster: [
    '/v1/cluster',
    "The cluster sparkify does not carry this deployment's tag, so it is not ours to pause."
  ],
  body_too_large: ['/v1/jobs', 'Request body is too large'],
  unsupported_media_type: ['/v1/jobs', 'Send the body as JSON, with Content-Type: application/json.'],
  confirmation_mismatch: ['/v1/cluster', 'confirm must be the identifier of the cluster, sparkify.'],
  idempotency_key_reused: [
    '/v1/jobs',
    'The Idempotency-Key was used for another request, which started job_0193. Use a new key for a new request.'
  ],
  callback_not_allowed: [
    '/v1/jobs',
    'callback_url names the host hooks.example.com; WEBHOOK_HOSTS allows hooks.sparkify.com.'
  ],
  source_not_allowed: ['/v1/jobs', '/etc is not in a directory that jobs may read.'],
  too_many_requests: [
    '/v1/jobs',
    'There were 60000 requests of this key within a minute, which is the limit. Try again in 42 seconds.'
  ],
  too_many_streams: [
    '/v1/job-events',
    'The key key_5d41402abc has 16 streams open, which is the limit. Close one of them.'
  ],
  shutting_down: ['/v1/jobs', 'The service is shutting down. Try again soon.'],
  internal: ['/v1/jobs', 'Something failed inside the service; its log has the details.'],
  warehouse_unavailable: ['/v1/tables', 'The warehouse cannot be opened.'],
  chart_not_found: ['/v1/analytics/mine/chart', 'The header of mine says nothing of a chart.'],
  data_not_ready: [
    '/v1/analytics/top-songs/results',
    'The data has version 6; 7 was asked for. Wait for its load to end, or send Prefer: wait=N to wait here.'
  ],
  too_many_queries: [
    '/v1/analytics/top-songs/results',
    '4 queries run and 400 wait for them already. Try again soon.'
  ],
  query_timeout: [
    '/v1/analytics/top-songs/results',
    'The query was stopped after 30 seconds. Ask for a shorter period (from, to), or let the operator raise QUERY_TIMEOUT_SECONDS.'
  ],
  store_unavailable: ['/v1/jobs', 'PostgreSQL cannot be reached. Check DATABASE_URL and the server.']
} as const satisfies Partial<Record<ErrorCode, readonly [string, string]>>

export type DocumentedError = keyof typeof examples

/** What every operation that takes a JSON body can answer. */
export const bodyErrors = ['malformed_json', 'body_too_large', 'unsupported_media_type'] as const

/** The responses, by status, of an operation that can answer with these errors. */
export function errorResponses(codes: readonly DocumentedError[]) {
  const byStatus = Map.groupBy(new Set(codes), (code) => errorCatalogue[code].status)
  return Object.fromEntries([...byStatus].map(([status, same]) => [status, problemResponse(status, same)]))
}

function problemResponse(status: number, codes: DocumentedError[]) {
  return {
    description: codes.map((code) => `\`${code}\`: ${errorCatalogue[code].title}.`).join(' '),
    headers: {
      'X-Request-Id': responseHeaders['X-Request-Id'],
      ...(status === 401 && { 'WWW-Authenticate': responseHeaders['WWW-Authenticate'] }),
      ...([429, 503].includes(status) && { 'Retry-After': responseHeaders['Retry-After'] })
    },
    content: {
      'application/problem+json': {
        schema: ref(ProblemSchema),
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleProblem(code) }]))
      }
    }
  }
}

function exampleProblem(code: DocumentedError): Static<typeof ProblemSchema> {
  const [instance, detail] = examples[code]
  const errors = code === 'invalid_request' ? exampleItems : undefined
  return {
    ...toProblem(new ServiceError(code, detail, { errors })),
    instance,
    request_id: 'req_0197f3a0-7c1e-4d55-9b0a-2f6e8c1d4a3b'
  }
}

const exampleItems = [
  { pointer: 'limit', code: 'maximum', message: 'must be <= 200' },
  { pointer: 'sort', code: 'additionalProperties', message: 'is an unknown parameter' }
]
