/** Deletes finished jobs that are older than they are kept, in small batches: a claim never waits for it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { readSql } from '../sql.ts'
import type { Store } from '../store/store.ts'
import type { Logger } from './logger.ts'

const deleteFinished = readSql('store/jobs/delete-finished.sql')

/** Jobs that one statement deletes; the embedded store does nothing else meanwhile. */
const BATCH = 200
/** Between two batches, in ms: others have the store for most of the time. */
const PAUSE = 100
/** Between two runs, in ms. Every replica runs it; what one of them deletes, the others leave alone. */
const INTERVAL = 3_600_000
/** From the start to the first run, in ms. */
const FIRST_RUN = 60_000

/** How long a job is kept after its end, in days. */
export type RetentionDays = Readonly<Record<'succeeded' | 'cancelled' | 'failed', number>>

export type Retention = ReturnType<typeof createRetention>

export function createRetention(store: Store, days: RetentionDays) {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  const stopping = new AbortController()

  /** Deletes what is old enough; resolves with the number of jobs. */
  async function deleteOld(): Promise<number> {
    let deleted = 0
    for (const [status, kept] of Object.entries(days)) {
      for (;;) {
        const rows = await store.query(deleteFinished, { status, days: kept, limit: BATCH })
        deleted += rows.length
        if (rows.length < BATCH || stopping.signal.aborted) break
        await sleep(PAUSE, undefined, { signal: stopping.signal }).catch(() => {})
      }
    }
    return deleted
  }

  function schedule(log: Logger, delay: number) {
    timer = setTimeout(() => {
      running = deleteOld()
        .then((jobs) => void (jobs > 0 && log.info({ jobs }, 'old jobs were deleted')))
        .catch((error) => log.warn({ err: error }, 'old jobs could not be deleted'))
        .finally(() => {
          if (!stopping.signal.aborted) schedule(log, INTERVAL)
        })
    }, delay)
    timer.unref()
  }

  return {
    deleteOld,
    start: (log: Logger) => schedule(log, FIRST_RUN),
    /** Resolves when no statement is under way. */
    async stop() {
      stopping.abort()
      clearTimeout(timer)
      await running
    }
  }
}
