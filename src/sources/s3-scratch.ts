/** Small objects of our own in S3, below one prefix: manifests and listings. */
import { DeleteObjectsCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { parseS3Url } from './s3-location.ts'

export function createScratch(client: S3Client, prefix: string) {
  const { bucket, key: base } = parseS3Url(prefix.endsWith('/') ? prefix : `${prefix}/`)
  const written: string[] = []
  return {
    /** Writes an object below the prefix; returns its URL. */
    async write(name: string, body: string | Buffer): Promise<string> {
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
