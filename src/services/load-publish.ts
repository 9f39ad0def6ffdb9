/** The transaction of a load, step by step, and run again when another one was in its way. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceError } from '../errors.ts'
import type { StageResult, WriteSession } from '../warehouse/warehouse.ts'
import type { JobContext } from './job-handler.ts'
import { transform } from './load.ts'
import { check } from './load-checks.ts'
import { publish } from './load-ledger.ts'
import type { Loaded, LoadRequest } from './load-request.ts'

/** How often the transaction is begun again when the engine breaks it off over another one. */
const CONFLICT_TRIES = 4

/**
 * Brings what is staged into the tables, all of it or nothing. `record` writes what the ledger keeps beside the receipt.
 * Returns the result of the job.
 */
export function publishStaged(
  session: WriteSession,
  context: JobContext,
  request: LoadRequest,
  staged: StageResult,
  record: (loaded: Loaded) => Promise<unknown>
): Promise<object> {
  return retryOnConflict(session, context, async () => {
    await context.step('transform')
    await session.begin()
    await session.lockLedger()
    const loaded = await transform(session, request, staged.rejected)

    await context.step('check')
    const receipt = await check(session, request, staged, loaded)

    await context.step('publish')
    await record(loaded)
    return publish(session, receipt, loaded.load_id)
  })
}

/** Runs the whole transaction again when another one was in its way; what is staged stays. */
export async function retryOnConflict<Result>(
  session: WriteSession,
  context: JobContext,
  work: () => Promise<Result>
): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      const isConflict = error instanceof ServiceError && error.code === 'warehouse_conflict'
      if (!isConflict || tries === CONFLICT_TRIES) throw error
      await session.rollback()
      await context.event('warning', `${error.message} The transaction is run again`)
      await sleep(100 * 2 ** tries * (0.5 + Math.random() / 2), undefined, { signal: context.signal })
    }
  }
}

/**
 * What a job has published though it could not tell. Behind the lock of the ledger: a commit under way has happened by
 * then, or never will.
 */
export async function publishedBehindLock(
  session: WriteSession,
  find: (session: WriteSession) => Promise<object | undefined>
): Promise<object | undefined> {
  await session.begin()
  await session.lockLedger()
  const result = await find(session)
  await session.rollback()
  return result
}
