/** Waiting for a store's notifications by key: nobody polls, and nobody is forgotten when notifications are lost. */
import type { JobStatus } from '../schemas/jobs.ts'
import type { Store } from '../store/store.ts'

export interface Watch {
  /** Resolves at the next change, or when `stop` aborts, or at `end`. */
  changed: Promise<void>
  end(): void
}

export interface Watchers {
  /** Watches one key, or all of them without one. Watch first and look second: no change is missed then. */
  watch(key: string | undefined, stop: AbortSignal): Watch
  /** Ends the subscription. */
  close(): Promise<void>
}

const EVERYTHING = ''

/** Subscribes to `channel`, whose payloads are JSON with the key as `id`. */
export async function createWatchers(store: Store, channel: string): Promise<Watchers> {
  const watchers = new Map<string, Set<() => void>>()
  const stopListening = await store.listen(channel, (payload) => {
    const { id: changed } = readNotification(payload)
    // Notifications may have been lost: everybody looks again.
    const keys = changed === undefined ? [...watchers.keys()] : [changed, EVERYTHING]
    for (const key of keys) for (const wake of watchers.get(key) ?? []) wake()
  })

  return {
    watch(key = EVERYTHING, stop) {
      const { promise: changed, resolve } = Promise.withResolvers<void>()
      const set = watchers.get(key) ?? new Set()
      watchers.set(key, set)
      const end = () => {
        if (!set.delete(end)) return
        if (set.size === 0) watchers.delete(key)
        stop.removeEventListener('abort', end)
        resolve()
      }
      set.add(end)
      stop.addEventListener('abort', end)
      if (stop.aborted) end()
      return { changed, end }
    },
    close: stopListening
  }
}

/** What a notification says. Nothing when it may stand for others that were lost, or was not sent by our triggers. */
export function readNotification(payload: string): { id?: string; status?: JobStatus } {
  try {
    return JSON.parse(payload) ?? {}
  } catch {
    return {}
  }
}
