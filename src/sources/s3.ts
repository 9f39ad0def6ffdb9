/** Objects in S3: listed, read, and written below the manifest prefix. */
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client
} from '@aws-sdk/client-s3'
import { ServiceError } from '../errors.ts'
import { isData, type Listing, type Source, type SourceObject } from './source.ts'

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

/** Downloads an object. Throws `object_changed` when it is not what was listed any more. */
async function fetchObject(client: S3Client, object: SourceObject, spoolDir: string, signal: AbortSignal) {
  const { bucket, key } = parseS3Url(object.url)
  const path = join(spoolDir, encodeURIComponent(key))
  try {
    const { Body } = await client.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: `"${object.etag}"` }),
      { abortSignal: signal }
    )
    await pipeline(Body as Readable, createWriteStream(path, { mode: 0o600 }), { signal })
    return path
  } catch (error) {
    signal.throwIfAborted()
    const { name } = error as Error
    if (name === 'PreconditionFailed' || name === 'NoSuchKey') {
      throw new ServiceError('object_changed', `${object.url} changed or vanished after it was listed.`, {
        cause: error
      })
    }
    throw unreadable(object.url, error)
  }
}

function unreadable(url: string, error: unknown): ServiceError {
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

/** Small objects of our own below one prefix: manifests and listings. */
export function createScratch(client: S3Client, prefix: string) {
  const { bucket, key: base } = parseS3Url(prefix.endsWith('/') ? prefix : `${prefix}/`)
  const written: string[] = []
  return {
    /** Writes an object below the prefix; returns its URL. */
    async write(name: string, body: string): Promise<string> {
      const Key = base + name
      await client.send(
        new PutObjectCommand({ Bucket: bucket, Key, Body: body, ContentType: 'application/json' })
      )
      written.push(Key)
      return `s3://${bucket}/${Key}`
    },
    /** Removes what was written. */
    async remove(): Promise<void> {
      const keys = written.splice(0)
      if (keys.length === 0) return
      await client.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } })
      )
    }
  }
}
export type Scratch = ReturnType<typeof createScratch>
