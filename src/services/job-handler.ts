/** What a type of job is made of. */

/** What a job's code gets to work with. */
export interface JobContext {
  readonly id: string
  readonly attempt: number
  readonly params: Record<string, unknown>
  /** The trace that it belongs to (W3C). */
  readonly traceparent?: string | undefined
  /** Aborts when the job must stop: it is cancelled, its time is over, the service shuts down, the lease is lost. */
  readonly signal: AbortSignal
  /** Ends the step before and begins the next one. */
  step(name: string): Promise<void>
  /** Where the current step stands; `fraction` is from 0 to 1. Cheap: call it as often as you like. */
  progress(update: { rows?: number; bytes?: number; fraction?: number }): void
  /** Appends to the job's story. */
  event(type: string, message: string, data?: object): Promise<void>
}

export interface JobHandler {
  /** Step names with their rough share of the time, which makes the percentage an honest one. */
  readonly steps: Readonly<Record<string, number>>
  /** Throws when no such job may start now. */
  check?(params: Record<string, unknown>): Promise<void>
  /** Does the work and returns the job's result. It must be safe to run again after any interruption. */
  run(context: JobContext): Promise<object>
  /**
   * The result that an attempt at the job has published, though it could not tell; undefined when nothing was. A job
   * that is cancelled after all its work was done has succeeded. Without it, what throws has published nothing.
   */
  published?(id: string, signal: AbortSignal): Promise<object | undefined>
}
