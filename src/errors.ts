/**
 * Every error the API can return, declared once. `status` is the HTTP status when a request meets it.
 * `kind` decides what a job does with it: a `transient` failure is tried again, every other kind is final.
 */
export const errorCatalogue = {
  // the request
  malformed_request: { status: 400, kind: 'request', title: 'The request is not valid HTTP' },
  malformed_json: { status: 400, kind: 'request', title: 'The body is not valid JSON' },
  invalid_request: { status: 400, kind: 'request', title: 'The request does not match the schema' },
  invalid_cursor: { status: 400, kind: 'request', title: 'The cursor is not one that this list returned' },
  missing_credentials: { status: 401, kind: 'request', title: 'An API key is required' },
  invalid_api_key: { status: 401, kind: 'request', title: 'The API key is not valid' },
  invalid_token: { status: 401, kind: 'request', title: 'The token is not valid' },
  insufficient_scope: { status: 403, kind: 'request', title: 'The API key lacks the scope for this' },
  route_not_found: { status: 404, kind: 'request', title: 'There is no such endpoint' },
  job_not_found: { status: 404, kind: 'request', title: 'There is no such job' },
  load_not_found: { status: 404, kind: 'request', title: 'There is no such load' },
  table_not_found: { status: 404, kind: 'request', title: 'There is no such table' },
  query_not_found: { status: 404, kind: 'request', title: 'There is no such canned query' },
  chart_not_found: { status: 404, kind: 'request', title: 'The canned query has no chart' },
  schedule_not_found: { status: 404, kind: 'request', title: 'There is no such schedule' },
  key_not_found: { status: 404, kind: 'request', title: 'There is no such API key' },
  delivery_not_found: { status: 404, kind: 'request', title: 'There is no such delivery that is over' },
  method_not_allowed: { status: 405, kind: 'request', title: 'The endpoint does not take this method' },
  request_timeout: { status: 408, kind: 'request', title: 'The request did not arrive in time' },
  cluster_not_found: { status: 409, kind: 'configuration', title: 'The cluster does not exist' },
  tables_not_created: { status: 409, kind: 'configuration', title: 'The tables have not been created' },
  tables_outdated: { status: 409, kind: 'configuration', title: 'The tables have another shape' },
  job_finished: { status: 409, kind: 'request', title: 'The job has ended' },
  job_not_retryable: { status: 409, kind: 'request', title: 'The job cannot be retried' },
  job_conflict: { status: 409, kind: 'request', title: 'A job that does the same is not finished' },
  jobs_active: { status: 409, kind: 'request', title: 'Jobs that use the warehouse are not finished' },
  key_configured: { status: 409, kind: 'request', title: 'The API key comes from the configuration' },
  key_not_valid: { status: 409, kind: 'request', title: 'The API key is not valid any more' },
  last_admin_key: { status: 409, kind: 'request', title: 'It is the last API key of an admin' },
  schedule_exists: { status: 409, kind: 'request', title: 'A schedule has the name already' },
  body_too_large: { status: 413, kind: 'request', title: 'The body is too large' },
  unsupported_media_type: { status: 415, kind: 'request', title: 'The body must be JSON' },
  confirmation_mismatch: { status: 422, kind: 'request', title: 'The confirmation does not match' },
  idempotency_key_reused: {
    status: 422,
    kind: 'request',
    title: 'The Idempotency-Key was used for another request'
  },
  invalid_schedule: { status: 422, kind: 'request', title: 'The schedule names no time' },
  callback_not_allowed: {
    status: 422,
    kind: 'configuration',
    title: 'No webhook may go to the callback URL'
  },
  source_not_allowed: { status: 422, kind: 'configuration', title: 'The source is not under SOURCE_ROOTS' },
  data_not_ready: { status: 409, kind: 'request', title: 'The data is older than asked for' },
  too_many_queries: { status: 503, kind: 'transient', title: 'Too many queries wait for the warehouse' },
  query_timeout: { status: 504, kind: 'configuration', title: 'The query took longer than it may' },
  host_not_allowed: { status: 421, kind: 'request', title: 'The service has another name' },
  too_many_requests: { status: 429, kind: 'request', title: 'There were too many requests' },
  too_many_streams: { status: 429, kind: 'request', title: 'The API key has too many streams open' },
  headers_too_large: { status: 431, kind: 'request', title: 'The address and headers are too large' },
  identity_provider_unavailable: {
    status: 503,
    kind: 'transient',
    title: 'The identity provider does not answer'
  },
  shutting_down: { status: 503, kind: 'request', title: 'The service is shutting down' },
  // the cluster and AWS
  not_supported: { status: 409, kind: 'request', title: 'The warehouse engine has no such operation' },
  cluster_attached: { status: 409, kind: 'request', title: 'The cluster is attached and never changed' },
  foreign_cluster: { status: 409, kind: 'configuration', title: 'The cluster is not ours' },
  foreign_resource: { status: 409, kind: 'configuration', title: 'A role or security group is not ours' },
  cluster_paused: { status: 409, kind: 'configuration', title: 'The cluster is paused' },
  invalid_cluster_state: {
    status: 409,
    kind: 'configuration',
    title: 'The state of the cluster does not allow this now'
  },
  cluster_failed: {
    status: 409,
    kind: 'configuration',
    title: 'The cluster is in a state that it does not leave by itself'
  },
  cluster_not_ready: {
    status: 503,
    kind: 'configuration',
    title: 'The cluster did not get there in time'
  },
  cluster_unreachable: {
    status: 503,
    kind: 'configuration',
    title: 'The cluster is available, but nothing connects to it'
  },
  open_ingress_refused: { status: 422, kind: 'configuration', title: 'Ingress from everywhere is refused' },
  network_not_found: { status: 422, kind: 'configuration', title: 'There is no network for the cluster' },
  iam_role_not_found: { status: 422, kind: 'configuration', title: 'The IAM role is not there' },
  iam_role_not_visible: {
    status: 409,
    kind: 'configuration',
    title: 'Redshift does not see the IAM role'
  },
  insufficient_capacity: { status: 503, kind: 'configuration', title: 'AWS has no capacity for the cluster' },
  quota_exceeded: { status: 409, kind: 'configuration', title: 'A quota of the AWS account is reached' },
  aws_access_denied: { status: 503, kind: 'configuration', title: 'AWS denies the service a permission' },
  aws_credentials_invalid: {
    status: 503,
    kind: 'configuration',
    title: "AWS does not accept the service's credentials"
  },
  aws_request_refused: { status: 422, kind: 'configuration', title: 'AWS refuses the request' },
  aws_throttled: { status: 503, kind: 'transient', title: 'AWS asks the service to slow down' },
  aws_unavailable: { status: 503, kind: 'transient', title: 'AWS does not answer' },
  // what a job can meet
  manifest_needed: {
    status: 409,
    kind: 'configuration',
    title: 'COPY needs a manifest to read these objects'
  },
  source_unreadable: { status: 422, kind: 'configuration', title: 'The source cannot be read' },
  source_empty: { status: 422, kind: 'data', title: 'The source holds no objects' },
  object_unreadable: { status: 422, kind: 'data', title: 'An object cannot be read' },
  too_many_rejects: {
    status: 422,
    kind: 'data',
    title: 'More records were rejected than max_rejects allows'
  },
  ledger_moved: {
    status: 409,
    kind: 'transient',
    title: 'Another load published the same objects meanwhile'
  },
  unlike_past_loads: { status: 422, kind: 'data', title: 'The load is unlike the loads before it' },
  receipt_mismatch: { status: 500, kind: 'internal', title: 'The load does not add up' },
  disk_full: { status: 507, kind: 'configuration', title: 'The disk is full' },
  out_of_memory: { status: 507, kind: 'configuration', title: 'The warehouse ran out of memory' },
  warehouse_unavailable: { status: 503, kind: 'transient', title: 'The warehouse is not available' },
  warehouse_conflict: { status: 409, kind: 'transient', title: 'Another transaction was in the way' },
  warehouse_login_failed: { status: 503, kind: 'configuration', title: 'The warehouse refused the login' },
  statement_cancelled: { status: 503, kind: 'configuration', title: 'The warehouse stopped a statement' },
  iam_role_not_usable: { status: 503, kind: 'transient', title: 'The cluster cannot assume its IAM role' },
  source_access_denied: { status: 422, kind: 'configuration', title: 'The source may not be read' },
  source_unavailable: { status: 503, kind: 'transient', title: 'The source does not answer' },
  object_changed: { status: 409, kind: 'transient', title: 'An object changed after it was listed' },
  store_unavailable: { status: 503, kind: 'transient', title: 'The control store is not available' },
  attempts_exhausted: { status: 500, kind: 'internal', title: 'The job was interrupted too often' },
  timed_out: { status: 504, kind: 'configuration', title: 'The job took longer than it may' },
  cancelled: { status: 409, kind: 'request', title: 'The work was cancelled' },
  internal: { status: 500, kind: 'internal', title: 'The service failed' }
} as const satisfies Record<string, { status: number; kind: ErrorKind; title: string }>

export type ErrorKind = 'request' | 'transient' | 'data' | 'configuration' | 'internal'
export type ErrorCode = keyof typeof errorCatalogue

/** One finding about one part of the input; `pointer` is a JSON pointer into the body, or names the parameter. */
export interface ErrorItem {
  pointer: string
  code: string
  message: string
}

export interface ErrorOptions {
  errors?: ErrorItem[]
  cause?: unknown
}

/** An error of the catalogue. `detail` says what is wrong, where, and what to do; it is shown to the caller. */
export class ServiceError extends Error {
  readonly code: ErrorCode
  readonly errors: ErrorItem[] | undefined

  constructor(code: ErrorCode, detail: string, { errors, cause }: ErrorOptions = {}) {
    super(detail, { cause })
    this.name = 'ServiceError'
    this.code = code
    this.errors = errors
  }

  get status(): number {
    return errorCatalogue[this.code].status
  }

  get title(): string {
    return errorCatalogue[this.code].title
  }

  get kind(): ErrorKind {
    return errorCatalogue[this.code].kind
  }
}

export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: ErrorCode
  errors?: ErrorItem[]
}

/** The RFC 9457 body of an error. Anything that is not a `ServiceError` shows nothing of itself. */
export function toProblem(error: unknown): Problem {
  const known =
    error instanceof ServiceError
      ? error
      : new ServiceError('internal', 'Something failed inside the service; its log has the details.')
  return {
    type: `urn:sparkify-warehouse:error:${known.code}`,
    title: known.title,
    status: known.status,
    detail: known.message,
    code: known.code,
    ...(known.errors && { errors: known.errors })
  }
}
