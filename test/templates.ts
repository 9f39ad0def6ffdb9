/** Directories that are made once and copied by every test that needs one. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readMigrations } from '../src/store/migrate.ts'
import { temporaryRoot } from './files.ts'

/** Differs whenever a dependency or a migration does, and between users of one machine. */
const templateKey = createHash('sha256')
  .update(readFileSync(new URL('../package-lock.json', import.meta.url)))
  .update(
    readMigrations()
      .map(({ script }) => script)
      .join()
  )
  .update(String(process.getuid?.()))
  .digest('hex')
  .slice(0, 16)

/**
 * A directory made once by `fill` and copied by every test that needs one: creating a database takes seconds, copying
 * one does not.
 */
export async function copyTemplate(
  name: string,
  directory: string,
  fill: (fresh: string) => Promise<void>
): Promise<void> {
  const template = join(temporaryRoot, `sparkify-test-${name}-${templateKey}`)
  if (!existsSync(template)) {
    const fresh = mkdtempSync(join(temporaryRoot, `sparkify-test-${name}-new-`))
    await fill(fresh)
    try {
      renameSync(fresh, template)
    } catch {
      // Another test file was faster.
      rmSync(fresh, { recursive: true, force: true })
    }
  }
  if (process.platform === 'win32') await cp(template, directory, { recursive: true })
  // Node copies a thousand small files ten times slower.
  else await promisify(execFile)('cp', ['-a', `${template}/.`, directory])
}
