/** Staging for a job: where its intermediate files are, how many rejects it keeps, what it tells of its progress. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LoadObject, StageResult, WriteSession } from '../warehouse/warehouse.ts'
import type { JobContext } from './job-handler.ts'

/** Runs `work` with a directory of the job's own, empty at first and gone afterwards. */
export async function withSpool<Result>(
  dataDir: string,
  jobId: string,
  work: (spoolDir: string) => Promise<Result>
): Promise<Result> {
  const spoolDir = join(dataDir, 'spool', jobId)
  // An attempt before this one may have left its spool.
  await rm(spoolDir, { recursive: true, force: true })
  await mkdir(spoolDir, { recursive: true, mode: 0o700 })
  try {
    return await work(spoolDir)
  } finally {
    await rm(spoolDir, { recursive: true, force: true })
  }
}

export interface StageRequest {
  spoolDir: string
  /** Rejects to keep with their text. */
  rejectLimit: number
  fetch: (object: LoadObject) => Promise<string>
}

/** Reads the objects into the session's temporary tables. */
export function stage(
  session: WriteSession,
  { signal, progress }: JobContext,
  objects: LoadObject[],
  request: StageRequest
): Promise<StageResult> {
  const total = objects.reduce((sum, object) => sum + object.bytes, 0)
  return session.stage(objects, {
    ...request,
    signal,
    onProgress: ({ rows, bytes }) => progress({ rows, bytes, fraction: total === 0 ? 1 : bytes / total })
  })
}
