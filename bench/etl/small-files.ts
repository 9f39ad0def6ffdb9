/** Very many small objects: song files on this disk, and keys in S3. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createAwsClients } from '../../src/cloud/aws-clients.ts'
import { openS3Source } from '../../src/sources/s3.ts'
import { startAwsEmulator } from '../../test/emulators/aws.ts'
import { figure } from '../figures.ts'
import { generate } from './generate.ts'
import { peakOf, startService } from './service.ts'

const BUCKET = 'sparkify-data'

/** Loads so many files of one song each, and lists as many keys. */
export async function measureSmallFiles(directory: string, counts: number[]): Promise<void> {
  for (const songs of counts) {
    const sources = join(directory, 'small')
    generate(sources, { events: 1000, songs })
    const service = await startService(sources, join(directory, 'small-var'))
    const { seconds, result } = await service.load()
    if (result.songs.loaded !== songs) throw new Error(JSON.stringify(result))
    figure(`${songs} song files`, seconds, 's')
    figure('  peak memory', service.peakMemory(), 'GiB', '<= 2')
    await service.stop()
    for (const each of ['small', 'small-var']) rmSync(join(directory, each), { recursive: true })
  }
  for (const keys of counts) await measureListing(keys)
}

/** The bucket is in this process, whoever lists it is a process of its own. */
async function measureListing(keys: number) {
  const aws = await startAwsEmulator()
  aws.s3.createBucket(BUCKET, { isPublic: true })
  for (let number = 0; number < keys; number += 1) aws.s3.put(BUCKET, `song_data/${number}.json`, '{}')
  const child = fork(import.meta.filename, [aws.url, aws.region])
  const [told] = (await once(child, 'message')) as [{ listed: number; seconds: number; peak: number }]
  if (told.listed !== keys) throw new Error(`${told.listed} of ${keys} keys were listed`)
  figure(`${keys} keys in S3, listed`, told.seconds, 's')
  figure('  peak memory', told.peak, 'GiB', '<= 2')
  await aws.close()
}

if (import.meta.main) {
  const [endpoint = '', region = ''] = process.argv.slice(2)
  const { s3 } = createAwsClients({ region, endpoint, anonymousSource: true })
  const source = openS3Source(s3, `s3://${BUCKET}/song_data/`, [`s3://${BUCKET}/`])
  const began = performance.now()
  const { objects } = await source.list(new AbortController().signal)
  const seconds = (performance.now() - began) / 1000
  process.send?.({ listed: objects.length, seconds, peak: peakOf(process.pid) })
  process.disconnect()
}
