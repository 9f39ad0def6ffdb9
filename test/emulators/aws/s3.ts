/** S3: the REST operations, path-style. */
import { AwsError } from './errors.ts'
import { readPutBody } from './s3-body.ts'
import { listObjects } from './s3-list.ts'
import { checkWriteConditions, type Reply, readObject } from './s3-read.ts'
import type { Bucket, S3Objects, StoredObject } from './s3-store.ts'
import type { Identity, SignedRequest } from './sigv4.ts'
import { renderDocument, unescapeXml } from './xml.ts'

export interface S3Request extends SignedRequest {
  operation: string
  bucket: string
  key: string
  search: URLSearchParams
  /** The region that the request was signed for. */
  region: string | undefined
}

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/'
const anonymousOperations = ['ListObjectsV2', 'GetObject', 'HeadObject', 'HeadBucket', 'GetBucketLocation']

function operationOf(method: string, key: string, search: URLSearchParams, copies: boolean): string {
  if (key !== '') {
    const byMethod: Record<string, string> = { GET: 'GetObject', HEAD: 'HeadObject', DELETE: 'DeleteObject' }
    if (method === 'PUT') return copies ? 'CopyObject' : 'PutObject'
    return byMethod[method] ?? 'Unknown'
  }
  if (method === 'GET' && search.get('list-type') === '2') return 'ListObjectsV2'
  if (method === 'GET' && search.has('location')) return 'GetBucketLocation'
  if (method === 'HEAD') return 'HeadBucket'
  return method === 'POST' && search.has('delete') ? 'DeleteObjects' : 'Unknown'
}

export function readS3Request(request: SignedRequest, region: string | undefined): S3Request {
  const search = new URLSearchParams(request.query)
  const [bucket = '', ...rest] = request.path.slice(1).split('/')
  const key = decodeURIComponent(rest.join('/'))
  const copies = request.headers['x-amz-copy-source'] !== undefined
  const operation = operationOf(request.method, key, search, copies)
  return { ...request, operation, bucket: decodeURIComponent(bucket), key, search, region }
}

function findBucket(store: S3Objects, request: S3Request): Bucket {
  const bucket = store.buckets.get(request.bucket)
  if (!bucket) {
    throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404, {
      details: { BucketName: request.bucket }
    })
  }
  if (request.region !== undefined && request.region !== bucket.region) {
    const message =
      'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.'
    throw new AwsError('PermanentRedirect', message, 301, {
      details: { Endpoint: `s3.${bucket.region}.amazonaws.com`, Bucket: bucket.name },
      headers: { 'x-amz-bucket-region': bucket.region }
    })
  }
  return bucket
}

function checkAccess(bucket: Bucket, request: S3Request, caller: Identity | undefined): void {
  const asOwner = caller !== undefined && bucket.isOurs
  const asAnybody = bucket.isPublic && anonymousOperations.includes(request.operation)
  if (!asOwner && !asAnybody) throw new AwsError('AccessDenied', 'Access Denied', 403)
}

function findObject(store: S3Objects, bucket: Bucket, key: string): StoredObject {
  const object = store.find(bucket, key)
  if (object) return object
  throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404, { details: { Key: key } })
}

function putObject(store: S3Objects, bucket: Bucket, request: S3Request): Reply {
  const { key, headers, body } = request
  if (Buffer.byteLength(key) > 1024) throw new AwsError('KeyTooLongError', 'Your key is too long')
  const { content, checksums } = readPutBody(headers, body)
  checkWriteConditions(headers, store.find(bucket, key))
  const metadata = Object.entries(headers)
    .filter(([name]) => name.startsWith('x-amz-meta-'))
    .map(([name, value]) => [name.slice('x-amz-meta-'.length), String(value)])
  const object = store.put(bucket.name, key, content, {
    contentType: headers['content-type'],
    metadata: Object.fromEntries(metadata),
    checksums
  })
  return { status: 200, headers: { etag: object.etag, ...checksums } }
}

function deleteObjects(store: S3Objects, bucket: Bucket, request: S3Request): Reply {
  const { content, checksums } = readPutBody(request.headers, request.body)
  if (request.headers['content-md5'] === undefined && Object.keys(checksums).length === 0) {
    const message = 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*'
    throw new AwsError('InvalidRequest', message)
  }
  const document = content.toString()
  const keys = [...document.matchAll(/<Key>([^<]*)<\/Key>/g)].map((found) => unescapeXml(found[1] as string))
  if (keys.length === 0 || keys.length > 1000) {
    const message =
      'The XML you provided was not well-formed or did not validate against our published schema'
    throw new AwsError('MalformedXML', message)
  }
  for (const key of keys) store.delete(bucket.name, key)
  const quiet = /<Quiet>true<\/Quiet>/.test(document)
  const Deleted = quiet ? [] : keys.map((Key) => ({ Key }))
  return xmlReply(renderDocument('DeleteResult', namespace, { Deleted }))
}

const xmlReply = (body: string): Reply => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body
})

/** Carries out a request; `caller` is undefined when it is not signed. */
export function serveS3(store: S3Objects, request: S3Request, caller: Identity | undefined): Reply {
  if (request.operation === 'Unknown' || request.operation === 'CopyObject') {
    const message = 'A header or query you provided implies functionality that is not implemented'
    throw new AwsError('NotImplemented', message, 501)
  }
  const bucket = findBucket(store, request)
  checkAccess(bucket, request, caller)
  switch (request.operation) {
    case 'ListObjectsV2':
      return xmlReply(listObjects(store, bucket, request.search))
    case 'GetBucketLocation': {
      // The oldest region has no name here.
      const text = bucket.region === 'us-east-1' ? '' : bucket.region
      return xmlReply(`<LocationConstraint xmlns="${namespace}">${text}</LocationConstraint>`)
    }
    case 'HeadBucket':
      return { status: 200, headers: { 'x-amz-bucket-region': bucket.region } }
    case 'GetObject':
      return readObject(request.headers, findObject(store, bucket, request.key), true)
    case 'HeadObject':
      return readObject(request.headers, findObject(store, bucket, request.key), false)
    case 'PutObject':
      return putObject(store, bucket, request)
    case 'DeleteObject':
      store.delete(bucket.name, request.key)
      return { status: 204 }
    default:
      return deleteObjects(store, bucket, request)
  }
}
