/** Objects in a local directory. */
import type { Dirent } from 'node:fs'
import { lstat, readdir, realpath } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ServiceError } from '../errors.ts'
import { isData, type Listing, type Source, type SourceObject } from './source.ts'

/** Files whose size and time are asked for at once. */
const STAT_BATCH = 256

/**
 * The source in a directory. Throws `source_not_allowed` unless it lies in one of `roots`, symbolic links
 * followed, so that a job cannot read what the operator has not opened to it.
 */
export async function openLocalSource(directory: string, roots: string[]): Promise<Source> {
  const path = resolve(directory)
  // The root of the file system ends in a separator itself.
  const isWithin = (inner: string, outer: string) =>
    inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
  const real = await realpath(path).catch(() => path)
  const realRoots = await Promise.all(roots.map((root) => realpath(root).catch(() => resolve(root))))
  if (!realRoots.some((root) => isWithin(real, root))) {
    throw new ServiceError(
      'source_not_allowed',
      `${directory} is not in a directory that jobs may read. SOURCE_ROOTS lists those; the operator can add it there.`
    )
  }
  return {
    url: pathToFileURL(path).href,
    list: (signal) => listDirectory(path, signal),
    fetch: async (object) => fileURLToPath(object.url)
  }
}

/** Directory by directory: of a million names only those of one are there at a time. */
async function listDirectory(root: string, signal: AbortSignal): Promise<Listing> {
  const objects: SourceObject[] = []
  const ignored: string[] = []
  let batch: string[] = []
  async function describeBatch() {
    signal.throwIfAborted()
    objects.push(...(await Promise.all(batch.map(describe))))
    batch = []
  }
  async function walk(directory: string): Promise<void> {
    signal.throwIfAborted()
    for (const entry of inOrder(await readEntries(directory))) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) await walk(path)
      // A symbolic link may lead out of the roots; it is told as ignored.
      else if (entry.isFile() && isData(entry.name)) batch.push(path)
      else ignored.push(path)
      if (batch.length === STAT_BATCH) await describeBatch()
    }
  }
  await walk(root)
  await describeBatch()
  return { objects, ignored }
}

/** As the whole paths are ordered: what a directory holds stands behind its name and a slash. */
function inOrder(entries: Dirent[]): Dirent[] {
  const keyOf = (entry: Dirent) => (entry.isDirectory() ? `${entry.name}/` : entry.name)
  return entries.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

async function readEntries(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch (error) {
    throw unreadable(directory, error)
  }
}

/** A file has no etag; its size and modification time in nanoseconds change with its content. */
async function describe(path: string): Promise<SourceObject> {
  try {
    const { size, mtimeNs } = await lstat(path, { bigint: true })
    return {
      url: pathToFileURL(path).href,
      etag: `${size.toString(16)}-${mtimeNs.toString(16)}`,
      bytes: Number(size)
    }
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): ServiceError {
  const code = (error as NodeJS.ErrnoException).code
  const reason =
    code === 'ENOENT'
      ? 'it does not exist'
      : code === 'ENOTDIR'
        ? 'it is not a directory'
        : code === 'EACCES'
          ? 'permission is denied'
          : String(code)
  return new ServiceError(
    'source_unreadable',
    `${path} cannot be read: ${reason}. Check SONG_DATA, LOG_DATA or the job's own sources.`,
    {
      cause: error
    }
  )
}
