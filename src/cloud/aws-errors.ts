/** The one place that reads the AWS SDK's errors. What leaves it holds no secret and says what to do. */
import { type ErrorCode, ServiceError } from '../errors.ts'

/** An error that AWS reported. `aws` is the SDK's name of it, for code that expects it. */
export class AwsError extends ServiceError {
  readonly aws: string

  constructor(code: ErrorCode, detail: string, aws: string, cause: unknown) {
    super(code, detail, { cause })
    this.aws = aws
  }
}

/** True if AWS reported one of these. */
export const isAwsError = (error: unknown, ...names: string[]): error is AwsError =>
  error instanceof AwsError && names.includes(error.aws)

/** True while Redshift does not see a role yet that IAM has just created. It has no code of its own for that. */
export const isRoleUnseen = (error: unknown): boolean =>
  isAwsError(error, 'InvalidParameterValue') && /IAM role/i.test(error.message)

interface SdkError {
  name?: string
  message?: string
  code?: string
  $metadata?: { httpStatusCode?: number; requestId?: string }
}

interface Kind {
  code: ErrorCode
  advice: string
  /** AWS's own text is shown: it names the setting, the quota or the permission. */
  isShown: boolean
}

const throttled: Kind = {
  code: 'aws_throttled',
  advice: 'The account makes too many requests; the work is tried again.',
  isShown: false
}
const unavailable: Kind = {
  code: 'aws_unavailable',
  advice: 'Check the network and the AWS status page; the work is tried again.',
  isShown: false
}
const credentials: Kind = {
  code: 'aws_credentials_invalid',
  advice:
    'The credentials are missing, wrong, expired, or not for this region. Renew them where the AWS SDK finds them (environment, profile or role); check AWS_REGION and the clock of this machine.',
  isShown: false
}
const denied: Kind = {
  code: 'aws_access_denied',
  advice: "Add the permission to the policy of the service's own user or role.",
  isShown: false
}
const capacity: Kind = {
  code: 'insufficient_capacity',
  advice: 'Try again later, or with another NODE_TYPE, NUMBER_OF_NODES, SUBNET_GROUP_NAME or AWS_REGION.',
  isShown: true
}
const quota: Kind = {
  code: 'quota_exceeded',
  advice: 'Delete what is not needed, or ask for a higher quota in the Service Quotas console.',
  isShown: true
}
const state: Kind = {
  code: 'invalid_cluster_state',
  advice: 'GET /v1/cluster shows the state; try again when it has changed.',
  isShown: true
}
const refused: Kind = {
  code: 'aws_request_refused',
  advice: 'Check the settings that the message names.',
  isShown: true
}

/** The SDK's names, which carry "Fault" where the wire's codes do not; the first match counts. */
const kinds: [RegExp, Kind][] = [
  [/^(.*Throttl.*|RequestLimitExceeded|TooManyRequests.*|SlowDown|BandwidthLimitExceeded)$/, throttled],
  [/^Insufficient.*Capacity/, capacity],
  [/QuotaExceeded|LimitExceeded|MaximumExceeded/, quota],
  [/^Invalid(Cluster|ClusterSnapshot|Namespace)State/, state],
  [/^(AccessDenied|UnauthorizedOperation|UnauthorizedAccess)/, denied],
  [
    /^(Expired|RequestExpired|InvalidClientTokenId|UnrecognizedClient|AuthFailure|SignatureDoesNotMatch|InvalidSignature|IncompleteSignature|MissingAuthenticationToken|InvalidAccessKeyId|InvalidToken|OptInRequired|CredentialsProvider|TokenProvider)/,
    credentials
  ],
  [
    /^(ServiceUnavailable|Unavailable|Internal(Error|Failure)|ServiceFailure|RequestTimeout|TimeoutError|ConcurrentModification|DependentServiceUnavailable)/,
    unavailable
  ]
]

const NETWORK = /^(ECONN|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_|ETIMEDOUT|ERR_SSL|ERR_TLS|CERT_|UND_)/

function kindOf({ name = '', code = '', $metadata }: SdkError): Kind | undefined {
  const known = kinds.find(([pattern]) => pattern.test(name))
  if (known !== undefined) return known[1]
  const status = $metadata?.httpStatusCode
  if (status === undefined) return NETWORK.test(code) ? unavailable : undefined
  if (status >= 500) return unavailable
  if (status === 401 || status === 403) return denied
  return status >= 400 ? refused : unavailable
}

/**
 * Makes one call of AWS. `action` is its IAM action, such as `redshift:CreateCluster`. Throws the signal's reason as
 * soon as it is aborted, else an `AwsError`; `secrets` are the values that no message may repeat.
 */
export async function callAws<Result>(
  action: string,
  signal: AbortSignal,
  send: (options: { abortSignal: AbortSignal }) => Promise<Result>,
  secrets: readonly string[] = []
): Promise<Result> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  try {
    signal.throwIfAborted()
    signal.addEventListener('abort', onAbort)
    // The SDK looks at the signal between its pauses only.
    return await Promise.race([send({ abortSignal: signal }), aborted.promise])
  } catch (error) {
    // A caller's deadline is AWS being too slow; any other abort is the caller's own business.
    if (signal.aborted && (signal.reason as Error).name !== 'TimeoutError') throw signal.reason
    throw toAwsError(action, signal.aborted ? signal.reason : error, secrets)
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** The SDK's error as one of ours; what is no error of AWS stays as it is. */
export function toAwsError(action: string, error: unknown, secrets: readonly string[] = []): unknown {
  if (error instanceof ServiceError) return error
  const sdk = error as SdkError
  const kind = kindOf(sdk)
  if (kind === undefined) return error
  const name = sdk.name ?? 'Error'
  const message = clean(sdk.message ?? '', secrets)
  const shown = kind.isShown && message !== '' ? `${name}: ${message}` : name
  const detail =
    kind === denied
      ? `${deniedSentence(action, message)} ${kind.advice}`
      : `${action} failed (${shown.replace(/\.$/, '')}). ${kind.advice}`
  return new AwsError(kind.code, detail, name, traceOf(sdk, kind === refused || kind.isShown ? message : ''))
}

/** Names the permission: the one that AWS names (`iam:PassRole` is asked for by another action), else the action's. */
function deniedSentence(action: string, message: string): string {
  const [, named, resource] =
    /not authorized to perform: ([\w-]+:[\w*]+)(?: on resource: ([\w:/.*@+=,-]+))?/.exec(message) ?? []
  const on = resource === undefined ? '' : ` on ${resource}`
  return `The service may not perform ${named ?? action}${on}${named && named !== action ? `, which ${action} needs` : ''}.`
}

/** What a log may hold of the SDK's error: the error itself carries the request and the response. */
function traceOf({ name, $metadata }: SdkError, message: string): Error {
  const { httpStatusCode, requestId } = $metadata ?? {}
  return new Error(
    `${name} (status ${httpStatusCode ?? 'none'}, request ${requestId ?? 'none'}) ${message}`.trim()
  )
}

const SECRETS = [
  /\b(AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /x-amz-security-token[:=]\S+/gi,
  /X-Amz-(Signature|Credential|Security-Token)=[^&\s]+/gi,
  /Encoded authorization failure message: \S+/g,
  // Tokens and encoded messages are long; nothing that a reader needs is one word of this length.
  /[A-Za-z0-9+/=_-]{80,}/g
]

/** AWS's text in one line, short, and without what could be a secret. */
function clean(message: string, secrets: readonly string[]): string {
  let text = message
  for (const secret of secrets) text = text.replaceAll(secret, '[redacted]')
  for (const pattern of SECRETS) text = text.replace(pattern, '[redacted]')
  return text.replace(/\s+/g, ' ').trim().slice(0, 400)
}
