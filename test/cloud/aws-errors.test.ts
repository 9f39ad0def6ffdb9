import t from 'tap'
import { type AwsError, callAws, isAwsError, isRoleUnseen, toAwsError } from '../../src/cloud/aws-errors.ts'
import { errorCatalogue } from '../../src/errors.ts'

const sdkError = (name: string, message = '', httpStatusCode: number | undefined = 400, code?: string) =>
  Object.assign(new Error(message), { name, code, $metadata: { httpStatusCode, requestId: 'r-1' } })
const never = new AbortController().signal

t.test('every name has its code', async (t) => {
  const cases: [string, number | undefined, string][] = [
    ['Throttling', 400, 'aws_throttled'],
    ['ThrottlingException', 400, 'aws_throttled'],
    ['RequestLimitExceeded', 503, 'aws_throttled'],
    ['SlowDown', 503, 'aws_throttled'],
    ['InsufficientClusterCapacityFault', 400, 'insufficient_capacity'],
    ['ClusterQuotaExceededFault', 400, 'quota_exceeded'],
    ['NumberOfNodesQuotaExceededFault', 400, 'quota_exceeded'],
    ['NumberOfNodesPerClusterLimitExceededFault', 400, 'quota_exceeded'],
    ['LimitExceededException', 409, 'quota_exceeded'],
    ['RulesPerSecurityGroupLimitExceeded', 400, 'quota_exceeded'],
    ['InvalidClusterStateFault', 400, 'invalid_cluster_state'],
    ['AccessDenied', 403, 'aws_access_denied'],
    ['UnauthorizedOperation', 403, 'aws_access_denied'],
    ['SomethingNew', 403, 'aws_access_denied'],
    ['ExpiredToken', 403, 'aws_credentials_invalid'],
    ['RequestExpired', 400, 'aws_credentials_invalid'],
    ['AuthFailure', 401, 'aws_credentials_invalid'],
    ['InvalidClientTokenId', 403, 'aws_credentials_invalid'],
    ['SignatureDoesNotMatch', 403, 'aws_credentials_invalid'],
    ['CredentialsProviderError', undefined, 'aws_credentials_invalid'],
    ['ServiceUnavailable', 503, 'aws_unavailable'],
    ['InternalFailure', 500, 'aws_unavailable'],
    ['Unknown', 502, 'aws_unavailable'],
    ['TimeoutError', undefined, 'aws_unavailable'],
    ['InvalidParameterValue', 400, 'aws_request_refused'],
    ['ClusterNotFoundFault', 404, 'aws_request_refused']
  ]
  for (const [name, status, code] of cases) {
    const error = toAwsError('redshift:CreateCluster', sdkError(name, 'why', status))
    t.match(error, { code, aws: name }, name)
  }
  const network = sdkError('Error', 'connect ECONNREFUSED', undefined, 'ECONNREFUSED')
  t.match(toAwsError('iam:GetRole', { ...network, $metadata: {} }), { code: 'aws_unavailable' })
})

t.test('what is tried again by itself is a transient error, nothing else', async (t) => {
  for (const code of ['aws_throttled', 'aws_unavailable'] as const)
    t.equal(errorCatalogue[code].kind, 'transient')
  for (const code of ['aws_access_denied', 'quota_exceeded', 'insufficient_capacity'] as const) {
    t.equal(errorCatalogue[code].kind, 'configuration')
  }
})

t.test('an error that is none of AWS stays as it is', async (t) => {
  const bug = new TypeError('x is not a function')
  t.equal(toAwsError('iam:GetRole', bug), bug)
})

t.test('no secret gets into a message, its cause or its stack', async (t) => {
  const key = 'AKIAIOSFODNN7EXAMPLE'
  const token = 'FwoGZXIvYXdzEBYaD'.repeat(8)
  const password = 'Sekrit0-password'
  const message = `Value '${password}' at 'masterUserPassword' failed; key ${key}; x-amz-security-token:${token}; Encoded authorization failure message: ${token}`
  for (const name of ['InvalidParameterValue', 'AccessDenied', 'SignatureDoesNotMatch', 'InternalFailure']) {
    const error = toAwsError('redshift:CreateCluster', sdkError(name, message), [password]) as AwsError
    const cause = error.cause as Error
    const text = [error.message, error.stack, cause.message, cause.stack, JSON.stringify(error)].join('\n')
    for (const secret of [key, token, password])
      t.notOk(text.includes(secret), `${name} hides ${secret.slice(0, 6)}`)
  }
  const long = toAwsError('x:Y', sdkError('InvalidParameterValue', 'word '.repeat(1000))) as AwsError
  t.ok(long.message.length < 600)
})

t.test('a call ends at once when it is aborted, whatever it does', async (t) => {
  const controller = new AbortController()
  const call = callAws('iam:GetRole', controller.signal, () => new Promise<never>(() => {}))
  controller.abort(new Error('shutdown'))
  await t.rejects(call, { message: 'shutdown' })
  await t.rejects(
    callAws('iam:GetRole', controller.signal, async () => t.fail('it is not sent')),
    { message: 'shutdown' }
  )
  // The deadline alone does not keep a process alive.
  const timer = setTimeout(() => {}, 5_000)
  t.teardown(() => clearTimeout(timer))
  const late = callAws('iam:GetRole', AbortSignal.timeout(1), () => new Promise<never>(() => {}))
  await t.rejects(late, { code: 'aws_unavailable' }, 'a deadline of ours is AWS being slow')
})

t.test('errors that code expects are told by name', async (t) => {
  const gone = sdkError('ClusterNotFoundFault', 'none', 404)
  const error = await callAws('redshift:DescribeClusters', never, () => Promise.reject(gone)).catch((e) => e)
  t.ok(isAwsError(error, 'Other', 'ClusterNotFoundFault'))
  t.notOk(isAwsError(error, 'Other'))
  t.notOk(isAwsError(gone, 'ClusterNotFoundFault'))
  const unseen =
    'The IAM role arn:x is not valid. The IAM role must delegate access to an Amazon Redshift account.'
  t.ok(isRoleUnseen(toAwsError('redshift:CreateCluster', sdkError('InvalidParameterValue', unseen))))
  t.notOk(isRoleUnseen(toAwsError('redshift:CreateCluster', sdkError('InvalidParameterValue', 'Bad port'))))
  t.notOk(isRoleUnseen(toAwsError('redshift:CreateCluster', sdkError('AccessDenied', unseen))))
})
