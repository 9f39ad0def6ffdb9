/** The service as a process of its own, spoken to over HTTP. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { ConfigSchema, fileSettings } from '../src/config.ts'

const server = fileURLToPath(new URL('../src/server.ts', import.meta.url))
const settings = [...Object.keys(ConfigSchema.properties), ...fileSettings.map((name) => `${name}_FILE`)]

export interface ServerProcess {
  child: ChildProcess
  /** What it has written so far. */
  output: { stdout: string; stderr: string }
  /** How it ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export interface RunningServer extends ServerProcess {
  url: string
  /** From the process's start until it listened, in ms. */
  startup: number
  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals): ReturnType<() => ServerProcess['ended']>
  request(method: string, path: string, key: string, options?: RequestOptions): Promise<Answer>
}

export interface RequestOptions {
  body?: object
  headers?: Record<string, string>
}

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came back.
  body: any
}

/** Starts the process with these settings and no others; it is killed when the test ends. */
export function spawnServer(t: Test, env: Record<string, string>): ServerProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !settings.includes(name))
  const child = spawn(process.execPath, [server], {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  return { child, output, ended }
}

/** Starts the process and waits until it listens, on a port that is free. */
export async function startServer(t: Test, env: Record<string, string>): Promise<RunningServer> {
  const began = performance.now()
  const process = spawnServer(t, { PORT: '0', ...env })
  const { child, output, ended } = process
  const { promise: listening, resolve } = Promise.withResolvers<string>()
  child.stdout?.on('data', () => {
    const [, url] = /"msg":"Server listening at (http:[^"]+)"/.exec(output.stdout) ?? []
    if (url !== undefined) resolve(url)
  })
  const url = await Promise.race([
    listening,
    ended.then(() => Promise.reject(new Error(`the server did not start: ${output.stderr}`)))
  ])
  const startup = performance.now() - began

  async function stop(signal: NodeJS.Signals) {
    child.kill(signal)
    return ended
  }
  async function request(method: string, path: string, key: string, { body, headers }: RequestOptions = {}) {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers
      },
      ...(body && { body: JSON.stringify(body) })
    }).catch((error) => {
      const { exitCode, signalCode } = child
      const state = exitCode ?? signalCode ?? 'alive'
      throw new Error(`${method} ${path} had no answer from the server (${state}): ${output.stderr}`, {
        cause: error
      })
    })
    return { status: response.status, body: await response.json() }
  }
  return { ...process, url, startup, stop, request }
}
