/** S3's protocol around its operations. */
import type { AwsError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { readS3Request, type S3Request, serveS3 } from './s3.ts'
import { checkContentHash } from './s3-body.ts'
import type { Reply } from './s3-read.ts'
import type { S3Objects } from './s3-store.ts'
import { readRegion, type SignedRequest } from './sigv4.ts'
import { renderDocument } from './xml.ts'

/** What a recorded call shows: names, query, and the headers that change what is done. */
function paramsOf({ bucket, key, search, headers }: S3Request): Record<string, string> {
  const shown = Object.entries(headers).filter(([name]) => /^(if-|range$|x-amz-meta-)/.test(name))
  return {
    Bucket: bucket,
    ...(key !== '' && { Key: key }),
    ...Object.fromEntries(search),
    ...Object.fromEntries(shown.map(([name, value]) => [name, String(value)]))
  }
}

function fail(request: S3Request, error: AwsError, RequestId: string): Reply {
  const { code: Code, message: Message, details } = error
  const HostId = Buffer.from(RequestId).toString('base64')
  const body = renderDocument('Error', undefined, { Code, Message, ...details, RequestId, HostId })
  const headers = { ...error.headers, 'content-type': 'application/xml' }
  // The answer to HEAD has no body, so its error is but a status.
  return request.method === 'HEAD'
    ? { status: error.status, headers: error.headers }
    : { status: error.status, headers, body }
}

export function readS3Exchange(signed: SignedRequest, store: S3Objects): Exchange {
  const request = readS3Request(signed, readRegion(signed.headers))
  return {
    service: 's3',
    operation: request.operation,
    params: paramsOf(request),
    isRegional: false,
    run(caller) {
      checkContentHash(request.headers, request.body)
      return serveS3(store, request, caller)
    },
    fail: (error, id) => fail(request, error, id)
  }
}
