/** Small objects of our own in S3, below one prefix: manifests and listings. */
import {
  DeleteObjectsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client
} from '@aws-sdk/client-s3'
import { parseS3Url } from './s3-location.ts'

export interface ScratchOwner {
  job: string
  attempt: number
}

/** A place below `prefix` for one attempt at a job. */
export function createScratch(client: S3Client, prefix: string, { job, attempt }: ScratchOwner) {
  const { bucket, key: base } = parseS3Url(prefix.endsWith('/') ? prefix : `${prefix}/`)
  const ofJob = `${base}${job}/`

  async function remove(): Promise<void> {
    const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: ofJob })
    for await (const { Contents = [] } of pages) {
      const Objects = Contents.map(({ Key = '' }) => ({ Key }))
      if (Objects.length > 0) {
        await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }))
      }
    }
  }

  return {
    /** Writes an object of this attempt; returns its URL. */
    async write(name: string, body: string | Buffer): Promise<string> {
      const Key = `${ofJob}${attempt}/${name}`
      await client.send(
        new PutObjectCommand({ Bucket: bucket, Key, Body: body, ContentType: 'application/json' })
      )
      return `s3://${bucket}/${Key}`
    },
    /** Removes what this attempt at the job, and any before it, has written. */
    remove
  }
}
export type Scratch = ReturnType<typeof createScratch>
