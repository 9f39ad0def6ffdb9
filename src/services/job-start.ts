/** Puts jobs into the queue: once for each Idempotency-Key, and not beside a job that they are in conflict with. */
import { v7 as uuid } from 'uuid'
import { ServiceError } from '../errors.ts'
import type { JobOptions } from '../schemas/job-options.ts'
import { type Job, type JobTrigger, type JobType, jobTypes } from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import { type Queryable, queryMaybe, queryOne, type Store } from '../store/store.ts'
import type { Actor } from './api-keys.ts'
import { findRemembered, type KeyedRequest, remember } from './idempotency.ts'
import { type JobRow, priorityNumbers, toJob } from './job-row.ts'
import { currentTraceparent } from './traces.ts'

const insertJob = readSql('store/jobs/insert.sql')
const lockConflicts = readSql('store/jobs/lock-conflicts.sql')
const findConflict = readSql('store/jobs/conflict.sql')

export interface StartOptions extends JobOptions {
  /** What the client calls this request; the same key and request give the same job. */
  idempotencyKey?: string | undefined
  /** Throws when no such job may start now. It is not asked for a repeated request: that one has its job already. */
  check?: () => Promise<void>
  /** The job that this one tries again. */
  retry_of?: string
  /** What made somebody ask for it. */
  trigger?: JobTrigger
}

export interface StartedJob {
  job: Job
  /** True when an earlier request with the same Idempotency-Key had started it. */
  replayed: boolean
}

/** `get` finds a job by its id; with `resumes` jobs wake a paused cluster up themselves, so it keeps none from starting. */
export function createJobStart(store: Store, get: (id: string) => Promise<Job>, resumes: boolean) {
  /** The job of an earlier request with the same key, if there was one. Throws `idempotency_key_reused`. */
  async function replay(
    type: JobType,
    params: object,
    actor: Actor,
    options: StartOptions
  ): Promise<StartedJob | undefined> {
    const { idempotencyKey: key } = options
    if (key === undefined) return undefined
    const known = await findRemembered(store, key, keyedRequest(type, params, actor, options))
    return known === undefined ? undefined : { job: await get(known), replayed: true }
  }

  /**
   * Puts a job into the queue; it is claimed within milliseconds. Throws `idempotency_key_reused`, and
   * `job_conflict` where `on_conflict` is `reject`.
   */
  async function start(
    type: JobType,
    params: object,
    actor: Actor,
    options: StartOptions = {}
  ): Promise<StartedJob> {
    const known = await replay(type, params, actor, options)
    if (known !== undefined) return known
    await options.check?.().catch((error) => {
      if (!resumes || !isResting(error)) throw error
    })
    const { idempotencyKey: key, on_conflict = 'queue' } = options
    const add = (on: Queryable) => insertNew(on, type, params, actor, options)
    // One statement needs no transaction around it.
    if (key === undefined && on_conflict === 'queue') return { job: toJob(await add(store)), replayed: false }
    return store
      .transaction(async (tx) => {
        const same = on_conflict === 'queue' ? undefined : await conflict(tx, type, params)
        if (same !== undefined && on_conflict === 'reject') throw refusal(same)
        const row = same ?? (await add(tx))
        const request = keyedRequest(type, params, actor, options)
        const taken = key === undefined ? undefined : await remember(tx, key, request, row.id)
        if (taken !== undefined) throw new Replay(taken)
        return { job: toJob(row), replayed: false }
      })
      .catch(async (error) => {
        if (!(error instanceof Replay)) throw error
        return { job: await get(error.jobId), replayed: true }
      })
  }

  /** Puts a job into the queue as part of a transaction, in the name of a key. */
  async function add(
    tx: Queryable,
    type: JobType,
    params: object,
    by: Pick<Actor, 'key_id'>,
    options: StartOptions
  ): Promise<Job> {
    return toJob(await insertNew(tx, type, params, by, options))
  }

  return { replay, start, add }
}

/** Said of a cluster that is paused, and of one on its way to or from there: the job waits for it. */
const isResting = (error: unknown) =>
  error instanceof ServiceError && ['cluster_paused', 'warehouse_unavailable'].includes(error.code)

/** What must be the same when a key is used again: everything that makes the job what it is. */
function keyedRequest(type: JobType, params: object, actor: Actor, options: StartOptions): KeyedRequest {
  const { idempotencyKey: _, check: __, trigger: ___, ...chosen } = options
  return { type, params: { ...params, ...chosen }, actor }
}

/** The unfinished job that does the same, if there is one. Of two who ask at once, one waits for the other. */
async function conflict(tx: Queryable, type: JobType, params: object): Promise<JobRow | undefined> {
  await tx.query(lockConflicts, { type })
  return queryMaybe<JobRow>(tx, findConflict, { type, params })
}

const refusal = ({ id, status }: JobRow) =>
  new ServiceError(
    'job_conflict',
    `${id} does the same and is ${status}. Wait for it, or choose another on_conflict: return answers it, queue puts a new job behind it.`
  )

/** Rolls the new job back: the request is a repetition of the one that started `jobId`. */
class Replay extends Error {
  readonly jobId: string

  constructor(jobId: string) {
    super(`replay of ${jobId}`)
    this.jobId = jobId
  }
}

function insertNew(
  on: Queryable,
  type: JobType,
  params: object,
  actor: Pick<Actor, 'key_id'>,
  options: StartOptions
) {
  const { lane, max_attempts } = jobTypes[type]
  const traceparent = currentTraceparent()
  return queryOne<JobRow>(on, insertJob, {
    ...{ id: `job_${uuid().replaceAll('-', '')}`, type, lane, params, max_attempts },
    priority: priorityNumbers[options.priority ?? 'normal'],
    run_after: options.run_after ?? null,
    queue_timeout_seconds: options.queue_timeout_seconds ?? null,
    timeout_seconds: options.timeout_seconds ?? null,
    step_timeouts: options.step_timeouts ?? {},
    retry_of: options.retry_of ?? null,
    callback_url: options.callback_url ?? null,
    trigger: { ...(options.trigger ?? { kind: 'api' }), ...(traceparent && { traceparent }) },
    created_by: actor.key_id,
    message: `Asked for by ${actor.key_id}`
  })
}
