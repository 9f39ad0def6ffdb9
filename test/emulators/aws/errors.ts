/** An error as a service reports it. `code` is the code on the wire, which is not always the SDK's class name. */
export class AwsError extends Error {
  readonly code: string
  readonly status: number
  /** Only S3: further elements of the error document, and headers. */
  readonly details: Record<string, string>
  readonly headers: Record<string, string>

  constructor(
    code: string,
    message: string,
    status = 400,
    extra: { details?: Record<string, string>; headers?: Record<string, string> } = {}
  ) {
    super(message)
    this.name = 'AwsError'
    this.code = code
    this.status = status
    this.details = extra.details ?? {}
    this.headers = extra.headers ?? {}
  }
}

export const invalidValue = (message: string) => new AwsError('InvalidParameterValue', message)
export const invalidCombination = (message: string) => new AwsError('InvalidParameterCombination', message)

export type ServiceName = 'sts' | 'iam' | 'ec2' | 'redshift' | 's3'

/** What each service answers when it cannot tell who is asking. */
export function authenticationError(
  service: ServiceName,
  problem: 'missing' | 'unknown' | 'mismatch' | 'token'
) {
  if (service === 'ec2') {
    return new AwsError('AuthFailure', 'AWS was not able to validate the provided access credentials', 401)
  }
  const mismatch =
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.'
  if (service === 's3') {
    if (problem === 'missing') return accessDenied(service, '', '')
    if (problem === 'token')
      return new AwsError('InvalidToken', 'The provided token is malformed or otherwise invalid.')
    if (problem === 'mismatch') return new AwsError('SignatureDoesNotMatch', mismatch, 403)
    const unknown = 'The AWS Access Key Id you provided does not exist in our records.'
    return new AwsError('InvalidAccessKeyId', unknown, 403)
  }
  if (problem === 'missing') {
    return new AwsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403)
  }
  if (problem === 'mismatch') return new AwsError('SignatureDoesNotMatch', mismatch, 403)
  return new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid.', 403)
}

export function expiredToken(service: ServiceName): AwsError {
  if (service === 'ec2') return new AwsError('RequestExpired', 'Request has expired.')
  if (service === 's3') return new AwsError('ExpiredToken', 'The provided token has expired.')
  return new AwsError('ExpiredToken', 'The security token included in the request is expired', 403)
}

export function throttled(service: ServiceName): AwsError {
  if (service === 'ec2') return new AwsError('RequestLimitExceeded', 'Request limit exceeded.', 503)
  if (service === 's3') return new AwsError('SlowDown', 'Please reduce your request rate.', 503)
  return new AwsError('Throttling', 'Rate exceeded')
}

/** `action` as policies name it: `redshift:CreateCluster`. */
export function accessDenied(
  service: ServiceName,
  action: string,
  caller: string,
  resource?: string
): AwsError {
  const on = resource === undefined ? '' : ` on resource: ${resource}`
  const sentence = `User: ${caller} is not authorized to perform: ${action}${on}`
  if (service === 's3') return new AwsError('AccessDenied', 'Access Denied', 403)
  if (service === 'ec2') {
    const message = `You are not authorized to perform this operation. ${sentence}`
    return new AwsError('UnauthorizedOperation', message, 403)
  }
  const reason = `because no identity-based policy allows the ${action} action`
  return new AwsError('AccessDenied', `${sentence} ${reason}`, 403)
}

export function serverError(service: ServiceName, status: number): AwsError {
  if (status === 503) {
    const code = service === 'ec2' ? 'Unavailable' : 'ServiceUnavailable'
    return new AwsError(code, 'The service is temporarily unavailable. Please retry.', 503)
  }
  const code = service === 'ec2' || service === 's3' ? 'InternalError' : 'InternalFailure'
  return new AwsError(code, 'We encountered an internal error. Please try again.', status)
}
