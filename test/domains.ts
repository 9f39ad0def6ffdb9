/**
 * Loaded by `tap run` before each test file: makes an error that nobody caught a failure of the whole file, whose stack says where
 * it comes from. Tap itself finds the subtest, by async hooks, which follow every promise of the service too: a tenth of the time.
 */
import { registerHooks } from 'node:module'

type OnError = (error: unknown, type: string) => void

let fail: OnError | undefined

/** In place of the class of `async-hook-domain`. */
export class Domain {
  constructor(onError: OnError) {
    // Tap makes the first one for the file.
    fail ??= onError
  }

  destroy() {}
}

process.on('uncaughtException', (error, origin) => {
  if (fail === undefined) throw error
  fail(error, origin)
})

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'async-hook-domain'
      ? { url: import.meta.url, shortCircuit: true }
      : next(specifier, context)
})
