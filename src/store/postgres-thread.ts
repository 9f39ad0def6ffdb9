/**
 * Repeats statements in a thread of its own, on a connection of its own: neither a busy event loop nor a pool without
 * a free connection holds them up. What is kept alive that way must not outlive the event loop for ever, so the
 * thread pauses when that has been stuck for minutes.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import pg from 'pg'
import { postgresSettings } from './postgres-settings.ts'
import type { OnAnswer } from './store.ts'

/** How often the event loop shows that it lives, and how long it may be silent, in ms. */
const BEAT_INTERVAL = 1_000
const LONGEST_SILENCE = 300_000

interface Repeat {
  id: number
  interval: number
  text: string
  values: unknown[]
}
type Order = { start: Repeat } | { stop: number }
type Answer = { id: number } & ({ rows: unknown[] } | { failure: { message: string; code?: string } })

interface Setup {
  connectionString: string
  /** Raised by the event loop as long as it turns. */
  beats: Int32Array
}

/** Starts the thread with the first statement; `close` ends it. */
export function createRepeater(connectionString: string) {
  const waiting = new Map<number, OnAnswer>()
  const beats = new Int32Array(new SharedArrayBuffer(4))
  let beat: NodeJS.Timeout | undefined
  let thread: Worker | undefined
  let count = 0

  function startThread(): Worker {
    const setup: Setup = { connectionString, beats }
    // Without the process's flags: the hooks that a test runner or a tracer imports are not for this thread.
    const started = new Worker(new URL(import.meta.url), { workerData: setup, execArgv: [] })
    started.on('message', ({ id, ...answer }: Answer) => {
      const onAnswer = waiting.get(id)
      if ('rows' in answer) onAnswer?.(answer)
      else onAnswer?.({ error: Object.assign(new Error(answer.failure.message), answer.failure) })
    })
    started.on('error', (error) => {
      thread = undefined
      for (const onAnswer of waiting.values()) onAnswer({ error })
    })
    started.unref()
    beat ??= setInterval(() => Atomics.add(beats, 0, 1), BEAT_INTERVAL).unref()
    return started
  }

  return {
    /** Runs a statement every `interval` ms until the returned function is called. */
    repeat(interval: number, text: string, values: unknown[], onAnswer: OnAnswer): () => void {
      const id = ++count
      waiting.set(id, onAnswer)
      thread ??= startThread()
      const order = (what: Order) => thread?.postMessage(what)
      order({ start: { id, interval, text, values } })
      return () => {
        if (waiting.delete(id)) order({ stop: id })
      }
    },
    async close() {
      clearInterval(beat)
      waiting.clear()
      await thread?.terminate()
    }
  }
}

function runInThread(port: NonNullable<typeof parentPort>, { connectionString, beats }: Setup) {
  const timers = new Map<number, NodeJS.Timeout>()
  let client: Promise<pg.Client> | undefined
  let heard = { beat: 0, at: performance.now() }

  function isMainStuck(): boolean {
    const beat = Atomics.load(beats, 0)
    if (beat !== heard.beat) heard = { beat, at: performance.now() }
    return performance.now() - heard.at > LONGEST_SILENCE
  }

  function connect(queryTimeout: number): Promise<pg.Client> {
    const next = new pg.Client({ ...postgresSettings(connectionString), query_timeout: queryTimeout })
    const forget = () => {
      client = undefined
    }
    next.on('error', forget)
    next.on('end', forget)
    return next.connect().then(
      () => next,
      (error) => {
        forget()
        throw error
      }
    )
  }

  async function run({ id, interval, text, values }: Repeat): Promise<void> {
    if (isMainStuck()) return
    const post = (answer: Answer) => port.postMessage(answer)
    try {
      client ??= connect(interval)
      const { rows } = await (await client).query(text, values)
      post({ id, rows })
    } catch (error) {
      const { message, code } = error as Error & { code?: string }
      // A statement that had no answer may be stuck with its connection.
      const broken = await client?.catch(() => undefined)
      client = undefined
      void broken?.end().catch(() => {})
      post({ id, failure: { message, ...(code !== undefined && { code }) } })
    }
  }

  port.on('message', (order: Order) => {
    if ('stop' in order) {
      clearInterval(timers.get(order.stop))
      timers.delete(order.stop)
    } else {
      const { start } = order
      timers.set(
        start.id,
        setInterval(() => void run(start), start.interval)
      )
    }
  })
}

if (!isMainThread && parentPort !== null) runInThread(parentPort, workerData as Setup)
