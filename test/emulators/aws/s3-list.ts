/** S3: ListObjectsV2. */
import { AwsError } from './errors.ts'
import type { Bucket, S3Objects } from './s3-store.ts'
import { encodeRfc3986 } from './sigv4.ts'
import { renderDocument } from './xml.ts'

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** A token is opaque to clients; here it holds the last key, or prefix, of the page before. */
const writeToken = (last: string) => `1${Buffer.from(last).toString('base64')}`
function readToken(token: string): string {
  const last = Buffer.from(token.slice(1), 'base64').toString()
  if (writeToken(last) !== token) {
    throw new AwsError('InvalidArgument', 'The continuation token provided is incorrect')
  }
  return last
}

function readMaxKeys(text: string | null): number {
  const maxKeys = Number(text ?? 1000)
  if (!Number.isInteger(maxKeys) || maxKeys < 0) {
    throw new AwsError('InvalidArgument', 'Provided max-keys not an integer or within integer range')
  }
  return Math.min(maxKeys, 1000)
}

const isAfter = (key: string, last: string) => Buffer.compare(Buffer.from(key), Buffer.from(last)) > 0

/** Place of the first key after `last`, found by halving. */
function firstAfter(keys: readonly string[], last: string): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isAfter(keys[middle] as string, last)) high = middle
    else low = middle + 1
  }
  return low
}

interface Slice {
  prefix: string
  delimiter: string
  /** Keys up to this one are left out. */
  startAfter: string
  /** Keys and prefixes up to this one were on pages before. */
  last: string
  maxKeys: number
}

/** The next page: keys, and what stands for all keys that share a prefix up to the delimiter. */
function readPage(keys: readonly string[], { prefix, delimiter, startAfter, last, maxKeys }: Slice) {
  const contents: string[] = []
  const prefixes: string[] = []
  let end = last
  for (const key of keys) {
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const entry = cut < 0 ? key : key.slice(0, cut + delimiter.length)
    if (entry === prefixes.at(-1) || !isAfter(key, startAfter) || !isAfter(entry, last)) continue
    if (contents.length + prefixes.length === maxKeys) {
      return { contents, prefixes, end, isTruncated: maxKeys > 0 }
    }
    ;(cut < 0 ? contents : prefixes).push(entry)
    end = entry
  }
  return { contents, prefixes, end, isTruncated: false }
}

export function listObjects(store: S3Objects, bucket: Bucket, query: URLSearchParams): string {
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const token = query.get('continuation-token') ?? undefined
  const startAfter = query.get('start-after') ?? undefined
  const encoding = query.get('encoding-type') ?? undefined
  if (encoding !== undefined && encoding !== 'url') {
    throw new AwsError('InvalidArgument', 'Invalid Encoding Method specified in Request')
  }
  const maxKeys = readMaxKeys(query.get('max-keys'))
  const last = token === undefined ? '' : readToken(token)
  const slice = { prefix, delimiter, startAfter: startAfter ?? '', last, maxKeys }
  const keys = store.keys(bucket.name, prefix, token === undefined)
  const page = readPage(delimiter === '' && last !== '' ? keys.slice(firstAfter(keys, last)) : keys, slice)
  const encode = (text: string) => (encoding === 'url' ? encodeRfc3986(text).replaceAll('%2F', '/') : text)
  const contents = page.contents.flatMap((key) => {
    const object = store.find(bucket, key)
    if (!object) return []
    const { etag: ETag, size: Size, modified: LastModified } = object
    return [{ Key: encode(key), LastModified, ETag, Size, StorageClass: 'STANDARD' }]
  })
  return renderDocument('ListBucketResult', namespace, {
    Name: bucket.name,
    Prefix: encode(prefix),
    Delimiter: delimiter === '' ? undefined : encode(delimiter),
    StartAfter: startAfter === undefined ? undefined : encode(startAfter),
    ContinuationToken: token,
    NextContinuationToken: page.isTruncated ? writeToken(page.end) : undefined,
    KeyCount: contents.length + page.prefixes.length,
    MaxKeys: maxKeys,
    EncodingType: encoding,
    IsTruncated: page.isTruncated,
    Contents: contents,
    CommonPrefixes: page.prefixes.map((entry) => ({ Prefix: encode(entry) }))
  })
}
