/** Objects in S3 as a source. */
import { paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3'
import { ServiceError } from '../errors.ts'
import { fetchObject } from './s3-fetch.ts'
import { parseS3Url, unreadable } from './s3-location.ts'
import { isData, type Listing, type Source, type SourceObject } from './source.ts'

/**
 * The source below an S3 prefix. The prefix is taken as a folder: `s3://b/log_data` never means `log_data_old/`.
 * Throws `source_not_allowed` unless it lies below one of `roots`.
 */
export function openS3Source(client: S3Client, url: string, roots: string[]): Source {
  const folder = (prefix: string) => (prefix.endsWith('/') ? prefix : `${prefix}/`)
  const { bucket, key } = parseS3Url(folder(url))
  if (!roots.some((root) => root.startsWith('s3://') && folder(url).startsWith(folder(root)))) {
    throw new ServiceError(
      'source_not_allowed',
      `${url} is not below a prefix that jobs may read. SOURCE_ROOTS lists those; the operator can add it there.`
    )
  }
  return {
    url: folder(url),
    list: (signal) => listPrefix(client, bucket, key, signal),
    fetch: (object, spoolDir, signal) => fetchObject(client, object, spoolDir, signal)
  }
}

async function listPrefix(
  client: S3Client,
  bucket: string,
  prefix: string,
  signal: AbortSignal
): Promise<Listing> {
  const objects: SourceObject[] = []
  const ignored: string[] = []
  try {
    const pages = paginateListObjectsV2(
      { client },
      { Bucket: bucket, Prefix: prefix },
      { abortSignal: signal }
    )
    for await (const { Contents = [] } of pages) {
      for (const { Key = '', ETag = '', Size = 0 } of Contents) {
        const url = `s3://${bucket}/${Key}`
        if (isData(Key)) objects.push({ url, etag: ETag.replaceAll('"', ''), bytes: Size })
        // A folder that the console made is an empty object.
        else if (!Key.endsWith('/')) ignored.push(url)
      }
    }
  } catch (error) {
    signal.throwIfAborted()
    throw unreadable(`s3://${bucket}/${prefix}`, error)
  }
  return { objects, ignored }
}
