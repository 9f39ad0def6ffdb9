/** The one place that reads DuckDB's error texts: the driver gives no codes. */
import { ServiceError } from '../errors.ts'

const patterns: [RegExp, (message: string) => ServiceError][] = [
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

const FATAL = /^(FATAL Error|Fatal)|database has been invalidated/i

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
