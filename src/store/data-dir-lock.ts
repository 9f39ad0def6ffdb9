/**
 * One process at a time owns `DATA_DIR`: PGlite and DuckDB would both be corrupted by a second one.
 *
 * The lock is SQLite's exclusive file lock, which is the operating system's: it ends with its process however
 * that process ends, is kept while the process is merely stopped, and cannot be taken by a reused process id.
 * `lock.pid` beside it only tells people who the owner is.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const SQLITE_BUSY = 5

export class DataDirLockedError extends Error {
  constructor(directory: string, owner: string) {
    super(
      `${directory} is in use by ${owner}. Stop it first, or give this one another DATA_DIR. ` +
        'Never delete the lock: two processes would corrupt the data.'
    )
    this.name = 'DataDirLockedError'
  }
}

/**
 * Takes the lock on a directory, which is created when missing; returns the function that gives it back.
 * Throws `DataDirLockedError` with the owner's process id if a live process holds it.
 */
export function lockDataDir(directory: string): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const pidFile = join(directory, 'lock.pid')
  const database = new DatabaseSync(join(directory, 'lock'), { timeout: 0 })
  try {
    // In memory, because a kill would leave a journal's file behind.
    database.exec('pragma journal_mode = memory; pragma locking_mode = exclusive; begin exclusive')
  } catch (error) {
    database.close()
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error
    throw new DataDirLockedError(directory, readOwner(pidFile))
  }
  writeFileSync(pidFile, `${process.pid}\n`)
  return () => {
    rmSync(pidFile, { force: true })
    database.close()
  }
}

function readOwner(pidFile: string): string {
  try {
    return `the process ${readFileSync(pidFile, 'utf8').trim()}`
  } catch {
    // The owner has the lock but has not written its id yet.
    return 'another process'
  }
}
