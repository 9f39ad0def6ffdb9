/** Downloads: whole, of one version, and resumed where they broke off. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { ServiceError } from '../errors.ts'
import { isGzip } from './lines.ts'
import { parseS3Url, unreadable } from './s3-location.ts'
import type { SourceObject } from './source.ts'

/** How often a download may break off without a byte of progress. */
const FRUITLESS_TRIES = 4
/** Before a download goes on, in ms; doubled each time. */
const FIRST_PAUSE = 50

/**
 * Downloads an object into the spool and returns its path. A download that breaks off goes on where it was, as long as
 * the object is the one that was listed. Throws `object_changed`, `disk_full`, and what S3 refuses.
 */
export async function fetchObject(
  client: S3Client,
  object: SourceObject,
  spoolDir: string,
  signal: AbortSignal
): Promise<string> {
  const path = join(spoolDir, spoolName(object))
  // It is asked for again when the text of a reject is read.
  if (object.bytes > 0 && (await sizeOf(path)) === object.bytes) return path
  let failures = 0
  for (let have = 0; ; ) {
    try {
      await append(client, object, path, have, signal)
      have = await sizeOf(path)
      if (have === object.bytes) return path
      throw new Error(`it ended after ${have} of ${object.bytes} bytes`)
    } catch (error) {
      signal.throwIfAborted()
      const failure = classify(object, error)
      if (failure !== undefined) throw failure
      const got = await sizeOf(path)
      failures = got > have ? 1 : failures + 1
      have = got
      if (failures > FRUITLESS_TRIES || got > object.bytes) throw unreadable(object.url, error)
      await sleep(FIRST_PAUSE * 2 ** failures * (0.5 + Math.random() / 2), undefined, { signal })
    }
  }
}

/** Writes what comes after the first `have` bytes behind them. */
async function append(
  client: S3Client,
  { url, etag }: SourceObject,
  path: string,
  have: number,
  signal: AbortSignal
) {
  const { bucket, key } = parseS3Url(url)
  const range = have > 0 ? { Range: `bytes=${have}-` } : {}
  const { Body } = await client.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: `"${etag}"`, ...range }),
    { abortSignal: signal }
  )
  const flags = have > 0 ? 'a' : 'w'
  await pipeline(Body as Readable, createWriteStream(path, { mode: 0o600, flags }), { signal })
}

/** What no further try would change; undefined for a download that has only broken off. */
function classify({ url }: SourceObject, error: unknown): ServiceError | undefined {
  const { name, code } = error as NodeJS.ErrnoException
  if (name === 'PreconditionFailed' || name === 'NoSuchKey' || name === 'InvalidRange') {
    return new ServiceError('object_changed', `${url} changed or vanished after it was listed.`, {
      cause: error
    })
  }
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new ServiceError(
      'disk_full',
      `DATA_DIR has no room left for ${url}. Free some space and start the job again.`,
      { cause: error }
    )
  }
  const failure = unreadable(url, error)
  return failure.kind === 'transient' ? undefined : failure
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0
  )

/** Keys may be longer than names of files, and hold anything. What came of another version is never taken for this one's. */
const spoolName = ({ url, etag }: SourceObject) =>
  `${createHash('sha256').update(`${url}\n${etag}`).digest('hex')}.json${isGzip(url) ? '.gz' : ''}`
