/**
 * Several test files in one process: what each would load and compile anew costs more than what most of them do. Here a
 * file is a subtest; by itself, with `node` or `tap run`, it is the whole test.
 */
import { registerHooks } from 'node:module'
import { basename } from 'node:path'
import t, { type Test } from 'tap'
import { filesOfSuite } from './suite-files.ts'

/** The subtest of the file that is running. */
let current: Test = t

/** What the files get when they import `tap`. */
const tapOfFile = new Proxy(t, {
  get(_, name) {
    const value = Reflect.get(current, name, current)
    return typeof value === 'function' ? value.bind(current) : value
  },
  set: (_, name, value) => Reflect.set(current, name, value, current)
})

const url = 'data:text/javascript,export default globalThis.tapOfFile'
Object.assign(globalThis, { tapOfFile })
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'tap' ? { url, shortCircuit: true } : next(specifier, context)
})

/** Runs the files of a suite, one after the other; `suite` is the path of its own file. */
export async function runTogether(suite: string): Promise<void> {
  for (const file of filesOfSuite(basename(suite))) {
    await t.test(file, async (t) => {
      current = t
      await import(new URL(file, import.meta.url).href)
    })
  }
}
