/** The bootstrap admin key: configured, or generated once and kept in a file that only the owner can read. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { generateKey } from './services/api-keys.ts'

export interface AdminKey {
  key: string
  /** The file that was just created for it; undefined when the key was there before. */
  createdFile?: string
}

export function readAdminKey(config: Pick<Config, 'DATA_DIR' | 'ADMIN_API_KEY'>): AdminKey {
  if (config.ADMIN_API_KEY !== undefined) return { key: config.ADMIN_API_KEY }
  const file = join(config.DATA_DIR, 'admin.key')
  const key = generateKey()
  try {
    // Fails when the file is there; the mode is set before anything is in it.
    writeFileSync(file, `${key}\n`, { flag: 'wx', mode: 0o600 })
    return { key, createdFile: file }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return { key: readFileSync(file, 'utf8').trim() }
  }
}
