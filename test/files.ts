/** Directories and files of tests, without the parts of the service, which take longer to load than many a test. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'

/**
 * Where tests put their files. Databases are thousands of small files, which some disks create at a thousand a second;
 * memory is used where there is plenty (a container's `/dev/shm` often holds 64 MB only).
 */
export const temporaryRoot = hasRoom('/dev/shm') ? '/dev/shm' : tmpdir()

function hasRoom(directory: string): boolean {
  if (!existsSync(directory)) return false
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize > 4 * 1024 ** 3
}

/** A new directory that is removed when the test ends. Unlike `t.testdir` it may hold open databases. */
export function temporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(temporaryRoot, 'sparkify-test-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Writes files below a directory; values are their contents. */
export function writeFiles(directory: string, files: Record<string, string | Buffer>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), content)
  }
}
