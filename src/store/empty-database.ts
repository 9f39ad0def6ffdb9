/** The files of an empty PostgreSQL database: unpacked, as `initdb` would make them in twenty times the time. */
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Puts an empty database into `directory` unless there is one. It appears there whole or not at all: it is unpacked beside
 * the directory and renamed. Throws where the directory holds something else, and what the file system throws.
 */
export async function ensureDatabase(directory: string): Promise<void> {
  if (existsSync(join(directory, 'PG_VERSION'))) return
  const partial = `${directory}.partial`
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { recursive: true, mode: 0o700 })
  await unpack(partial)
  // An empty directory is replaced; POSIX refuses any other.
  await rename(partial, directory).catch((error) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    throw new Error(`${directory} is not empty and holds no database; remove it or choose another DATA_DIR`)
  })
}

/**
 * Synchronously, which takes a third of the time: nothing else runs yet. For `tar` a file that cannot be written is a warning;
 * here the first one is what went wrong.
 */
async function unpack(directory: string): Promise<void> {
  // Needed once in the life of a store.
  const { dataDir } = await import('@electric-sql/pglite-prepopulatedfs')
  const { extract } = await import('tar')
  const failures: Error[] = []
  const onwarn = (code: string, message: string | Error) => {
    // The names in the archive begin with a slash, which is left out.
    if (code === 'TAR_ENTRY_INFO') return
    failures.push(message instanceof Error ? message : new Error(`${code}: ${message}`))
  }
  const archive = await (await dataDir()).arrayBuffer()
  extract({ sync: true, cwd: directory, onwarn }).end(Buffer.from(archive))
  if (failures[0] !== undefined) throw failures[0]
}
