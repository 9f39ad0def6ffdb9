/** How many streams a key may hold open at the same time, in this process. */
import { ServiceError } from '../errors.ts'
import type { Actor } from './api-keys.ts'

/** Streams that one key may have open. */
export const STREAMS_PER_KEY = 16

export function createStreamSlots() {
  const open = new Map<string, number>()
  return {
    /** Takes a slot until `stop` aborts. Throws `too_many_streams`. */
    take({ key_id }: Actor, stop: AbortSignal): void {
      const count = open.get(key_id) ?? 0
      if (count >= STREAMS_PER_KEY) {
        throw new ServiceError(
          'too_many_streams',
          `The key ${key_id} has ${count} streams open, which is the limit. Close one of them.`
        )
      }
      if (stop.aborted) return
      open.set(key_id, count + 1)
      const giveBack = () => {
        const left = (open.get(key_id) ?? 1) - 1
        if (left > 0) open.set(key_id, left)
        else open.delete(key_id)
      }
      stop.addEventListener('abort', giveBack, { once: true })
    }
  }
}
