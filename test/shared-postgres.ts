/**
 * Run by `tap run` before the tests: starts the PostgreSQL that all test files share, in a process that lives as long as
 * tap does, and waits until it takes connections. It also removes the last run's coverage.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isAlive, type SharedServer, sharedServerFile } from './shared-server.ts'

const [owner] = process.argv.slice(2).map(Number)

if (owner === undefined) {
  rmSync(sharedServerFile, { force: true })
  rmSync(new URL('../.tap/v8-coverage', import.meta.url), { recursive: true, force: true })
  const server = spawn(process.execPath, [fileURLToPath(import.meta.url), String(process.ppid)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit']
  })
  server.unref()
  while (!existsSync(sharedServerFile)) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL did not start (exit code ${server.exitCode})`)
    await sleep(20)
  }
} else {
  const { launchPostgres } = await import('./postgres-server.ts')
  const server = await launchPostgres()
  const about: SharedServer = { pid: process.pid, port: server.port }
  mkdirSync(dirname(sharedServerFile), { recursive: true })
  writeFileSync(sharedServerFile, JSON.stringify(about))
  while (isAlive(owner)) await sleep(500)
  rmSync(sharedServerFile, { force: true })
  await server.stop()
  process.exit(0)
}
