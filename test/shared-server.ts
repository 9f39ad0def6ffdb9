/** How test files find the PostgreSQL that they share. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Where it says how to reach it. */
export const sharedServerFile = fileURLToPath(new URL('../.tap/postgres.json', import.meta.url))

export interface SharedServer {
  /** The process that stops it. */
  pid: number
  port: number
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The server that `tap run` has started; undefined for a test file that is run by itself. */
export function findSharedServer(): SharedServer | undefined {
  try {
    const server = JSON.parse(readFileSync(sharedServerFile, 'utf8')) as SharedServer
    return isAlive(server.pid) ? server : undefined
  } catch {
    return undefined
  }
}
