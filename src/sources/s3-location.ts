/** Where an object is in S3, and what it means that it cannot be read. */
import { ServiceError } from '../errors.ts'

export interface S3Location {
  bucket: string
  key: string
}

/** The bucket and key of an `s3://` URL. */
export function parseS3Url(url: string): S3Location {
  const [, bucket, key = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(url) ?? []
  if (bucket === undefined) {
    throw new ServiceError(
      'source_not_allowed',
      `${url} is no S3 URL; it must look like s3://bucket/prefix/.`
    )
  }
  return { bucket, key }
}

/** What S3's refusal, or its silence, means for the job. */
export function unreadable(url: string, error: unknown): ServiceError {
  const { name } = error as Error
  if (/^(AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|Forbidden)$/.test(name)) {
    return new ServiceError(
      'source_access_denied',
      `${url} may not be read with the service's credentials (${name}).`,
      {
        cause: error
      }
    )
  }
  if (name === 'NoSuchBucket') {
    return new ServiceError('source_unreadable', `${url} cannot be read: there is no such bucket.`, {
      cause: error
    })
  }
  return new ServiceError('source_unavailable', `${url} could not be read just now (${name}).`, {
    cause: error
  })
}
