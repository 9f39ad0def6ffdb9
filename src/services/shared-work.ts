/** Work that several callers wait for. */

/** It is stopped when nobody is left. */
export interface Shared<Result> {
  join(signal: AbortSignal): Promise<Result>
  isOver(): boolean
}

/** Starts work that others may join. */
export function share<Result>(work: (signal: AbortSignal) => Promise<Result>): Shared<Result> {
  const stop = new AbortController()
  let waiting = 0
  let isOver = false
  const result = work(stop.signal).finally(() => {
    isOver = true
  })
  // Whoever waits hears of it; when nobody does, nobody minds.
  result.catch(() => {})
  return {
    isOver: () => isOver,
    async join(signal) {
      signal.throwIfAborted()
      waiting += 1
      const left = Promise.withResolvers<never>()
      const leave = () => left.reject(signal.reason)
      signal.addEventListener('abort', leave)
      try {
        return await Promise.race([result, left.promise])
      } finally {
        signal.removeEventListener('abort', leave)
        waiting -= 1
        if (waiting === 0 && !isOver) {
          isOver = true
          stop.abort(signal.reason)
        }
      }
    }
  }
}
