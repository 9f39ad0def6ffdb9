/** The service as the demo runs it: a child process with a data directory of its own, spoken to over HTTP. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lockDataDir } from '../src/store/data-dir-lock.ts'

const projectRoot = join(import.meta.dirname, '..')
const startupTimeout = 60_000
const stopTimeout = 20_000

/** A demo shows its own engines and its own key, even where the shell is set up for production. */
const settingsNotPassedOn = [
  'DATABASE_URL',
  'DATABASE_URL_FILE',
  'WAREHOUSE',
  'ADMIN_API_KEY',
  'ADMIN_API_KEY_FILE'
]

export interface ServiceOptions {
  host: string
  port: number
  /** Absolute. */
  dataDir: string
  /** More settings. */
  env?: Record<string, string>
}

export interface Service {
  url: string
  pid: number | undefined
  logFile: string
  /** Fulfilled when the process ends, with the reason. */
  ended: Promise<string>
  /** Passes the signal on, waits for the end, and insists after a while. */
  stop(signal: NodeJS.Signals): Promise<void>
}

/** Starts the service; it is not ready yet. */
export function startService({ host, port, dataDir, env: settings }: ServiceOptions): Service {
  const logFile = join(dataDir, 'service.log')
  // The log shows the admin key once, so nobody else may read it.
  const log = openSync(logFile, 'a', 0o600)
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !settingsNotPassedOn.includes(name))
  )
  const child = spawn(process.execPath, ['src/server.ts'], {
    cwd: projectRoot,
    env: { ...env, ...settings, HOST: host, PORT: String(port), DATA_DIR: dataDir },
    stdio: ['ignore', log, log],
    // In a process group of its own: Ctrl-C reaches it once, through us, rather than twice.
    detached: process.platform !== 'win32'
  })
  closeSync(log)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`))
  })
  // However this process ends, it does not leave the service behind.
  const killChild = () => child.kill('SIGTERM')
  process.once('exit', killChild)
  void ended.then(() => process.off('exit', killChild))
  return {
    url: urlOf(host, port),
    pid: child.pid,
    logFile,
    ended,
    stop: (signal) => stop(child, ended, signal)
  }
}

/**
 * Waits until the service says that it is ready; `onWait` is called while it is not.
 * Rejects with the signal's reason when that is aborted.
 */
export async function waitUntilReady(
  service: Service,
  signal: AbortSignal,
  onWait: () => void
): Promise<void> {
  const deadline = Date.now() + startupTimeout
  while (Date.now() < deadline) {
    const response = await fetch(`${service.url}/readyz`, { signal }).catch(() => null)
    signal.throwIfAborted()
    await response?.body?.cancel()
    if (response?.status === 200) return
    onWait()
    await sleep(50, undefined, { signal })
  }
  throw new Error(`The service is not ready after ${startupTimeout / 1000} s`)
}

/** The last lines of the service's log, for when something went wrong. */
export function lastLogLines(service: Service, count = 10): string {
  const lines = readFileSync(service.logFile, 'utf8').trimEnd().split('\n').slice(-count)
  return lines.map((line) => `  | ${line.slice(0, 160)}`).join('\n')
}

/** The wanted port if it is free, else one that is. */
export async function findPort(host: string, wanted: number): Promise<number> {
  return (await tryPort(host, wanted)) ?? (await tryPort(host, 0)) ?? wanted
}

/**
 * Removes what an earlier demo left, so that every demo starts from nothing.
 * Throws a `DataDirLockedError` while that demo's service is still running.
 */
export function clearDataDir(dataDir: string): void {
  const unlock = lockDataDir(dataDir)
  try {
    for (const name of readdirSync(dataDir)) {
      if (name !== 'lock') rmSync(join(dataDir, name), { recursive: true, force: true })
    }
  } finally {
    unlock()
  }
}

function tryPort(host: string, port: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(null)
      else reject(error)
    })
    probe.listen({ host, port, exclusive: true }, () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : port))
    })
  })
}

function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

async function stop(child: ChildProcess, ended: Promise<string>, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal)
  const insist = setTimeout(() => child.kill('SIGKILL'), stopTimeout)
  await ended
  clearTimeout(insist)
}
