/** Replicas of the service, each a process that is started anew whenever it ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../test/postgres-server.ts'

const server = new URL('../../src/server.ts', import.meta.url).pathname

export interface Replica {
  readonly name: string
  readonly url: string
  /** Sends a signal to the process that is there now. */
  signal(name: NodeJS.Signals): void
}

export interface Replicas {
  list: Replica[]
  /** Ends them all; they are not started again. */
  stop(): Promise<void>
}

/** Starts `count` replicas with these settings, each with a directory and a port of its own. */
export async function startReplicas(
  count: number,
  directory: string,
  env: Record<string, string>
): Promise<Replicas> {
  const stopping = new AbortController()
  const running: Promise<void>[] = []
  const children = new Map<string, ChildProcess>()

  async function keepRunning(name: string, port: number) {
    const data = join(directory, name)
    mkdirSync(data, { recursive: true })
    while (!stopping.signal.aborted) {
      const log = openSync(join(directory, `${name}.log`), 'a')
      const child = spawn(process.execPath, [server], {
        env: { ...process.env, ...env, PORT: String(port), DATA_DIR: data },
        stdio: ['ignore', log, log]
      })
      closeSync(log)
      children.set(name, child)
      await once(child, 'exit')
      // As an orchestrator does: not at once, or a store that is away would be asked for ever.
      await sleep(200)
    }
  }

  const list: Replica[] = []
  for (let number = 1; number <= count; number += 1) {
    const name = `replica-${number}`
    const port = await freePort()
    running.push(keepRunning(name, port))
    list.push({
      name,
      url: `http://127.0.0.1:${port}`,
      signal: (signal) => void children.get(name)?.kill(signal)
    })
  }
  const killAll = () => {
    for (const child of children.values()) child.kill('SIGKILL')
  }
  process.once('exit', killAll)
  return {
    list,
    async stop() {
      stopping.abort()
      killAll()
      await Promise.all(running)
    }
  }
}
