/** The one place that reads DuckDB's error texts: the driver gives no codes. */
import { ServiceError } from '../errors.ts'

const patterns: [RegExp, (message: string) => ServiceError][] = [
  [
    // Before the others: the message quotes the error that came first, which another statement met.
    /database has been invalidated/,
    (message) =>
      new ServiceError('warehouse_unavailable', 'The warehouse has to be opened again. Try again.', {
        cause: message
      })
  ],
  [
    /^Catalog Error: (Table|Schema) .* does not exist/,
    (message) =>
      new ServiceError(
        'tables_not_created',
        'The tables do not exist yet. Create them with POST /v1/tables.',
        {
          cause: message
        }
      )
  ],
  [
    /No space left on device|File too large|Disk quota exceeded|Could not write (all )?bytes|max_temp_directory_size/i,
    () => new ServiceError('disk_full', 'DATA_DIR has no room left. Free some space and start the job again.')
  ],
  [
    /^Out of Memory Error/,
    () =>
      new ServiceError('out_of_memory', 'The load needs more memory than DuckDB may take on this machine.')
  ]
]

const FATAL = /^(FATAL|INTERNAL) Error/
const COMMITTED = /COMMIT succeeded and is durable/

/** DuckDB's error as one of ours where it has a known cause, else as it is. */
export function classify(error: unknown): unknown {
  const message = (error as Error).message ?? ''
  for (const [pattern, make] of patterns) {
    if (pattern.test(message)) return make(message)
  }
  return error
}

/** True if the database refuses everything from now on and must be opened again. */
export const isFatal = (error: unknown): boolean => FATAL.test((error as Error).message ?? '')

/** True if a COMMIT took effect although it failed: only writing the log into the file did not work. */
export const isCommitted = (error: unknown): boolean => COMMITTED.test((error as Error).message ?? '')
