/** What the cluster's role may do, as policy documents: who may assume it, and which objects it may read. */

export interface Statement {
  Effect: 'Allow'
  Action: string | string[]
  Resource?: string | string[]
  Principal?: { Service: string }
  Condition?: Record<string, Record<string, string[]>>
}

export interface PolicyDocument {
  Version: '2012-10-17'
  Statement: Statement[]
}

/** Only Redshift may act in the role. */
export const trustPolicy: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'redshift.amazonaws.com' }, Action: 'sts:AssumeRole' }]
}

export interface ReadableUrls {
  /** Everything below these `s3://` URLs may be read. */
  prefixes: string[]
  /** These objects alone. */
  objects: string[]
}

/**
 * Allows COPY to list and read exactly these prefixes and objects. Keys are taken as they are: `*`, `?` and `$` in
 * them are no wildcards.
 */
export function readPolicy(region: string, { prefixes, objects }: ReadableUrls): PolicyDocument {
  const arn = (path: string) => `arn:${partitionOf(region)}:s3:::${path}`
  const wanted = [...prefixes.map(toFolder), ...objects.map(toObject)]
  const buckets = [...new Set(wanted.map(({ bucket }) => bucket))].sort()
  const listings = buckets.map((bucket): Statement => {
    const keys = unique(wanted.filter((url) => url.bucket === bucket).flatMap(({ listed }) => listed))
    const list: Statement = { Effect: 'Allow', Action: 's3:ListBucket', Resource: arn(bucket) }
    // Without the condition the role could list the whole bucket.
    return keys.includes('*') ? list : { ...list, Condition: { StringLike: { 's3:prefix': keys } } }
  })
  return {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 's3:GetBucketLocation', Resource: buckets.map(arn) },
      ...listings,
      {
        Effect: 'Allow',
        Action: 's3:GetObject',
        Resource: unique(wanted.map(({ bucket, readable }) => arn(`${bucket}/${readable}`)))
      }
    ]
  }
}

interface Readable {
  bucket: string
  /** What COPY may ask a listing for. */
  listed: string[]
  readable: string
}

function toFolder(url: string): Readable {
  const { bucket, key } = splitUrl(url)
  const folder = key.replace(/\/$/, '')
  if (folder === '') return { bucket, listed: ['*'], readable: '*' }
  const literal = escapeWildcards(folder)
  return { bucket, listed: [literal, `${literal}/*`], readable: `${literal}/*` }
}

function toObject(url: string): Readable {
  const { bucket, key } = splitUrl(url)
  const literal = escapeWildcards(key)
  return { bucket, listed: [literal], readable: literal }
}

function splitUrl(url: string) {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(url) ?? []
  return { bucket, key }
}

/** IAM's own way to spell the three characters that it would otherwise interpret. */
const escapeWildcards = (key: string): string => key.replace(/[*?$]/g, (character) => `\${${character}}`)

const unique = (items: string[]): string[] => [...new Set(items)].sort()

function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}

/** True if two documents say the same: IAM keeps a list of one and its only item apart, and so do people. */
export function isSamePolicy(one: unknown, other: unknown): boolean {
  return JSON.stringify(canonical(one)) === JSON.stringify(canonical(other))
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(canonical)
    return items.length === 1 ? items[0] : items
  }
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(entries.map(([key, item]) => [key, canonical(item)]))
}
