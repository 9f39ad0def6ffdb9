/** S3: GetObject and HeadObject: conditions and ranges. */
import type { IncomingHttpHeaders } from 'node:http'
import { AwsError } from './errors.ts'
import type { StoredObject } from './s3-store.ts'

export interface Reply {
  status: number
  headers?: Record<string, string | number>
  body?: string | Buffer
}

const failed = (condition: string) =>
  new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412, {
    details: { Condition: condition }
  })

const matches = (condition: string, etag: string) =>
  condition === '*' ||
  condition.split(',').some((one) => one.trim().replace(/^"?/, '"').replace(/"?$/, '"') === etag)

/** For writes: `If-Match` an object that is there, `If-None-Match: *` none. */
export function checkWriteConditions(headers: IncomingHttpHeaders, existing: StoredObject | undefined): void {
  const ifMatch = headers['if-match']
  if (ifMatch !== undefined && !existing)
    throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404)
  if (ifMatch !== undefined && existing && !matches(ifMatch, existing.etag)) throw failed('If-Match')
  if (headers['if-none-match'] !== undefined && existing) throw failed('If-None-Match')
}

/** True when the client has the object already. */
function isUnmodified(headers: IncomingHttpHeaders, { etag, modified }: StoredObject): boolean {
  // HTTP dates are whole seconds.
  const seconds = Math.floor(modified.getTime() / 1000) * 1000
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers
  if (ifMatch !== undefined && !matches(ifMatch, etag)) throw failed('If-Match')
  const unmodifiedSince = headers['if-unmodified-since']
  if (ifMatch === undefined && unmodifiedSince !== undefined && seconds > Date.parse(unmodifiedSince)) {
    throw failed('If-Unmodified-Since')
  }
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, etag)
  const modifiedSince = headers['if-modified-since']
  return modifiedSince !== undefined && seconds <= Date.parse(modifiedSince)
}

/** First and last byte; undefined when the whole object is meant, or the range makes no sense. */
function readRange(range: string | undefined, size: number): [first: number, last: number] | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(range ?? '')
  if (!found || (found[1] === '' && found[2] === '')) return undefined
  const first = found[1] === '' ? Math.max(0, size - Number(found[2])) : Number(found[1])
  const last = found[1] === '' || found[2] === '' ? size - 1 : Math.min(Number(found[2]), size - 1)
  if (found[2] !== '' && found[1] !== '' && Number(found[2]) < first) return undefined
  if (first < size && last >= first) return [first, last]
  throw new AwsError('InvalidRange', 'The requested range is not satisfiable', 416, {
    details: { RangeRequested: String(range), ActualObjectSize: String(size) },
    headers: { 'content-range': `bytes */${size}` }
  })
}

export function readObject(headers: IncomingHttpHeaders, object: StoredObject, withBody: boolean): Reply {
  const metadata = Object.entries(object.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])
  const common: Record<string, string> = {
    etag: object.etag,
    'last-modified': object.modified.toUTCString(),
    'accept-ranges': 'bytes',
    'content-type': object.contentType,
    ...Object.fromEntries(metadata)
  }
  if (isUnmodified(headers, object)) return { status: 304, headers: common }
  const range = readRange(headers.range, object.size)
  const wantsChecksums = headers['x-amz-checksum-mode'] === 'ENABLED' && !range
  const checksums = wantsChecksums ? object.checksums : {}
  const [first, last] = range ?? [0, object.size - 1]
  const reply = {
    status: range ? 206 : 200,
    headers: {
      ...common,
      ...checksums,
      'content-length': last - first + 1,
      ...(range && { 'content-range': `bytes ${first}-${last}/${object.size}` })
    }
  }
  return withBody ? { ...reply, body: object.read().subarray(first, last + 1) } : reply
}
