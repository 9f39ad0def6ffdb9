/** Lets so many queries into the warehouse at once, keeps a bounded number waiting, and gives each a deadline. */
import PQueue from 'p-queue'
import { ServiceError } from '../errors.ts'

export interface QueryGateOptions {
  /** Queries in the warehouse at once. */
  concurrency: number
  /** Queries that may wait. */
  waiting: number
  /** From its start to the end of a query, and between two parts of an answer that is taken as it is made, in ms. */
  timeout: number
}

export type QueryGate = ReturnType<typeof createQueryGate>

export function createQueryGate({ concurrency, waiting, timeout }: QueryGateOptions) {
  const queue = new PQueue({ concurrency })

  /**
   * Runs `work` when its turn has come; it may call `renew` to have the whole time again. Throws `too_many_queries` when too
   * many wait, and `query_timeout` past the deadline, when the statement has been cancelled in the engine.
   */
  return async function run<Result>(
    work: (signal: AbortSignal, renew: () => void) => Promise<Result>,
    signal: AbortSignal
  ): Promise<Result> {
    if (queue.pending >= concurrency && queue.size >= waiting) {
      throw new ServiceError(
        'too_many_queries',
        `${concurrency} queries run and ${waiting} wait for them already. Try again soon.`
      )
    }
    return queue.add(
      () => {
        signal.throwIfAborted()
        const deadline = new AbortController()
        const timer = setTimeout(() => deadline.abort(), timeout)
        return work(AbortSignal.any([signal, deadline.signal]), () => void timer.refresh())
          .catch((error) => {
            if (!deadline.signal.aborted || signal.aborted) throw error
            throw new ServiceError(
              'query_timeout',
              `The query was stopped after ${timeout / 1000} seconds. Ask for a shorter period (from, to), or let the ` +
                'operator raise QUERY_TIMEOUT_SECONDS.'
            )
          })
          .finally(() => clearTimeout(timer))
      },
      { signal }
    )
  }
}
