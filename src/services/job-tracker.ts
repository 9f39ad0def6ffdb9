/** The steps and the progress of an attempt, in memory at every moment and in the table now and then. */
import type { Progress, Step } from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import type { Store } from '../store/store.ts'
import type { JobContext, JobHandler } from './job-handler.ts'
import type { JobRow } from './job-row.ts'

const writeProgress = readSql('store/jobs/progress.sql')
const insertEvent = readSql('store/job-events/insert.sql')

/** Shortest time between two writes of a job's progress, in ms. */
const PROGRESS_INTERVAL = 200

export interface TrackerOptions {
  store: Store
  /** Aborts when the attempt must stop. */
  signal: AbortSignal
  onStep(name: string): void
  /** Another attempt has the job. */
  onLost(): void
}

export type Tracker = ReturnType<typeof createTracker>

/** Records steps and progress, writing to the store no more often than `PROGRESS_INTERVAL`. */
export function createTracker(row: JobRow, handler: JobHandler, options: TrackerOptions) {
  const { store, signal } = options
  const names = Object.keys(handler.steps)
  const shares = Object.values(handler.steps)
  const total = shares.reduce((sum, share) => sum + share, 0)
  const steps: Step[] = []
  let fraction = 0
  let isDone = false
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  function progress(): Progress | null {
    const step = steps.at(-1)
    if (step === undefined) return null
    const index = names.indexOf(step.name)
    const before = shares.slice(0, index).reduce((sum, share) => sum + share, 0)
    const done = step.status === 'succeeded' ? 1 : Math.min(1, Math.max(0, fraction))
    // A job may have nothing to do in its last steps.
    const percent = isDone ? 100 : Math.floor(((before + (shares[index] ?? 0) * done) / total) * 100)
    return {
      ...{ step: step.name, step_index: index + 1, step_count: names.length },
      ...{ rows: step.rows, bytes: step.bytes, percent }
    }
  }

  function write(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    // One after another; one that failed does not keep the next from making it good.
    writing = writing
      .catch(() => {})
      .then(async () => {
        const params = { id: row.id, attempt: row.attempt, progress: progress(), steps }
        const held = await store.query(writeProgress, params)
        if (held.length === 0) options.onLost()
      })
    return writing
  }

  function endStep(status: 'succeeded' | 'failed') {
    const step = steps.at(-1)
    if (step?.status !== 'running') return
    step.status = status
    step.finished_at = new Date().toISOString()
  }

  const event: JobContext['event'] = async (type, message, data) => {
    const params = { job_id: row.id, attempt: row.attempt, type, message, data: data ?? null }
    await store.query(insertEvent, params)
  }

  const context: JobContext = {
    id: row.id,
    attempt: row.attempt,
    params: row.params,
    traceparent: row.trigger.traceparent,
    signal,
    event,
    async step(name) {
      signal.throwIfAborted()
      if (!names.includes(name)) throw new Error(`${row.type} declares no step ${name}`)
      endStep('succeeded')
      fraction = 0
      steps.push({
        ...{ name, status: 'running' as const, rows: 0, bytes: 0 },
        ...{ started_at: new Date().toISOString(), finished_at: null }
      })
      options.onStep(name)
      await event('step', `${name} (${names.indexOf(name) + 1} of ${names.length})`)
      await write()
    },
    progress(update) {
      const step = steps.at(-1)
      if (step === undefined) return
      step.rows = update.rows ?? step.rows
      step.bytes = update.bytes ?? step.bytes
      fraction = update.fraction ?? fraction
      // When the store stays away, the lease decides whether the attempt goes on.
      timer ??= setTimeout(() => void write().catch(() => {}), PROGRESS_INTERVAL)
    }
  }

  return {
    context,
    steps,
    progress,
    async end(status: 'succeeded' | 'failed') {
      clearTimeout(timer)
      endStep(status)
      isDone = status === 'succeeded'
      await writing.catch(() => {})
    }
  }
}
