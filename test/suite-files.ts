/** Which test files belong to which suite. */
import { readdirSync } from 'node:fs'

/**
 * The paths below `test` of a suite's files. Its name says which: `5.routes-2-of-3.test.ts` is every third file of `test/routes`,
 * from the second on. Directories are joined by a plus, a dot stands for a slash, and `base` for `test` itself. The digit is for
 * their order: what takes long begins first, so that at the end no processor waits for the last of them.
 */
export function filesOfSuite(suite: string): string[] {
  const [, names, part, of] = /^\d\.(.+)-(\d+)-of-(\d+)\.test\.ts$/.exec(suite) ?? []
  if (names === undefined) throw new Error(`${suite} is not named like 1.directory-1-of-2.test.ts`)
  return names
    .split('+')
    .flatMap(testsIn)
    .filter((_, index) => index % Number(of) === Number(part) - 1)
}

function testsIn(name: string): string[] {
  const directory = name === 'base' ? './' : `./${name.replace('.', '/')}/`
  return readdirSync(new URL(directory, import.meta.url))
    .filter((file) => file.endsWith('.test.ts'))
    .sort()
    .map((file) => directory + file)
}
