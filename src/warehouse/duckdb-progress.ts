/** How far a bulk load is: what is done, and what the engine tells of the statement that runs. */
import type { DuckDBConnection } from '@duckdb/node-api'
import type { LoadObject, StageProgress } from './warehouse.ts'

/** How often a running statement is asked for its progress, in ms. */
const PROGRESS_INTERVAL = 200

export const bytesOf = (objects: LoadObject[]) => objects.reduce((sum, object) => sum + object.bytes, 0)

export type Progress = ReturnType<typeof createProgress>

/** Adds up what is done, and asks the engine how far a running statement is. */
export function createProgress(connection: DuckDBConnection, onProgress: (progress: StageProgress) => void) {
  let rows = 0
  let bytes = 0
  return {
    /** What is under way on top of what is done. */
    show: (moreRows: number, moreBytes: number) =>
      onProgress({ rows: rows + moreRows, bytes: bytes + moreBytes }),
    advance(moreRows: number, moreBytes: number) {
      rows += moreRows
      bytes += moreBytes
      onProgress({ rows, bytes })
    },
    async during<Result>(objects: LoadObject[], work: () => Promise<Result>): Promise<Result> {
      const size = bytesOf(objects)
      const timer = setInterval(() => {
        // -1 while the engine cannot tell.
        const share = Math.max(0, connection.progress.percentage) / 100
        onProgress({ rows, bytes: bytes + Math.floor(size * share) })
      }, PROGRESS_INTERVAL)
      try {
        return await work()
      } finally {
        clearInterval(timer)
      }
    }
  }
}
