/** What the tests of sifting share: objects on disk, as they are handed to it. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { SiftInput } from '../src/sources/sift.ts'
import { temporaryDirectory, writeFiles } from './files.ts'

export type Files = Record<string, string | Buffer>

/** Writes the files and says how to sift them in this order; object numbers are from 1. */
export function inputOf(t: Test, files: Files, options: Partial<SiftInput> = {}): SiftInput {
  const directory = temporaryDirectory(t)
  writeFiles(directory, files)
  const objects = Object.keys(files).map((name, index) => {
    const path = join(directory, name)
    return { object_no: index + 1, path, bytes: statSync(path).size }
  })
  return { objects, spoolPath: join(directory, 'spool'), rejectLimit: 100, maxRawBytes: 1000, ...options }
}
