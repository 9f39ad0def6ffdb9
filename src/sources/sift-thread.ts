/** Runs `sift` in a thread of its own, so that the service answers while thousands of objects are read. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { ServiceError } from '../errors.ts'
import { SiftError, type SiftInput, type SiftProgress, type SiftResult, sift } from './sift.ts'

/** Shortest time between two progress messages, in ms. */
const PROGRESS_INTERVAL = 100

type Message =
  | { progress: SiftProgress }
  | { result: SiftResult }
  | { failure: { path?: string; code?: string; message: string } }

/** A thread without work. It is kept, because starting one takes as long as sifting thousands of small objects. */
let idle: Worker | undefined

function takeThread(): Worker {
  // Without the process's flags: the hooks that a test runner or a tracer imports would start with every thread again.
  const worker = idle ?? new Worker(new URL(import.meta.url), { execArgv: [] })
  worker.removeAllListeners()
  idle = undefined
  worker.ref()
  return worker
}

/** Keeps the thread for the next load; it does not keep the process. */
function giveBack(worker: Worker) {
  worker.removeAllListeners()
  if (idle !== undefined) {
    void worker.terminate()
    return
  }
  worker.unref()
  idle = worker
  worker.once('exit', () => {
    if (idle === worker) idle = undefined
  })
}

/**
 * Sifts in a thread; aborting `signal` ends it. Throws `object_unreadable` when an object cannot be read and
 * `disk_full` when the spool cannot be written.
 */
export async function siftInThread(
  input: SiftInput,
  onProgress: (progress: SiftProgress) => void,
  signal: AbortSignal
): Promise<SiftResult> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<SiftResult>()
  const worker = takeThread()
  const stop = () => reject(signal.reason)
  signal.addEventListener('abort', stop)
  worker.on('message', (message: Message) => {
    if ('progress' in message) onProgress(message.progress)
    else if ('result' in message) resolve(message.result)
    else reject(toError(message.failure))
  })
  worker.once('error', reject)
  worker.once('exit', () => reject(new Error('the sifting thread ended without a result')))
  worker.postMessage(input)
  try {
    const result = await promise
    giveBack(worker)
    return result
  } catch (error) {
    await worker.terminate()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function toError({ path, code, message }: { path?: string; code?: string; message: string }): Error {
  if (path !== undefined) {
    return new ServiceError(
      'object_unreadable',
      `${message}. Repair or remove the object and start the job again.`
    )
  }
  if (code === 'ENOSPC' || code === 'EFBIG' || code === 'EDQUOT') {
    return new ServiceError(
      'disk_full',
      'DATA_DIR has no room left. Free some space and start the job again.'
    )
  }
  return new Error(`the sifting thread failed: ${message}`)
}

async function runInThread(port: NonNullable<typeof parentPort>, input: SiftInput) {
  let told = 0
  const post = (message: Message) => port.postMessage(message)
  const onProgress = ({ records, bytes }: SiftProgress) => {
    if (performance.now() - told < PROGRESS_INTERVAL) return
    told = performance.now()
    post({ progress: { records, bytes } })
  }
  try {
    post({ result: await sift(input, onProgress) })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    post({
      failure: { message, ...(code && { code }), ...(error instanceof SiftError && { path: error.path }) }
    })
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort
  port.on('message', (input: SiftInput) => void runInThread(port, input))
}
