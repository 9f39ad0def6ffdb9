/**
 * Webhooks: a job that names a `callback_url` has a delivery as soon as it ends, in the same transaction. Every replica sends
 * what is due; a delivery is taken by one of them at a time, and is sent again until it is accepted or given up.
 */
import { v7 as uuid } from 'uuid'
import { ServiceError } from '../errors.ts'
import type { Page } from '../schemas/common.ts'
import type { WebhookAttempt, WebhookDelivery } from '../schemas/webhooks.ts'
import { readSql } from '../sql.ts'
import { queryMaybe, queryOne, type Store } from '../store/store.ts'
import type { Jobs } from './jobs.ts'
import type { Logger } from './logger.ts'
import { ATTEMPT_TIMEOUT, type PostWebhook } from './webhook-message.ts'
import { checkCallback, type WebhookRules } from './webhook-target.ts'

const claimDue = readSql('store/webhooks/claim-due.sql')
const record = readSql('store/webhooks/record.sql')
const nextDue = readSql('store/webhooks/next-due.sql')
const listDeliveries = readSql('store/webhooks/list.sql')
const redeliver = readSql('store/webhooks/redeliver.sql')

/** Pauses after the attempts, in seconds; after the last of them the delivery has failed. */
export const retryPauses: readonly number[] = [5, 30, 120, 600, 1800, 7200, 21_600]
/** Nobody else sends a delivery that was taken so many seconds ago. */
const BUSY_SECONDS = (3 * ATTEMPT_TIMEOUT) / 1000
/** Longest time between two looks at the table, in ms. */
const LONGEST_SLEEP = 15_000

export interface WebhookOptions extends WebhookRules {
  /** Signs what is sent. There is one where there are hosts. */
  secret?: string | undefined
  post: PostWebhook
  /** Other pauses than `retryPauses`. */
  pauses?: readonly number[]
}

interface DeliveryRow extends Omit<WebhookDelivery, 'next_attempt_at' | 'created_at' | 'finished_at'> {
  next_attempt_at: Date | null
  created_at: Date
  finished_at: Date | null
}

export type Webhooks = ReturnType<typeof createWebhooks>

export function createWebhooks(store: Store, jobs: Pick<Jobs, 'get'>, options: WebhookOptions) {
  const { pauses = retryPauses, secret = '' } = options
  let sending: Promise<void> | undefined
  let lookAgain = false
  let timer: NodeJS.Timeout | undefined
  let stopListening: (() => Promise<void>) | undefined
  /** Undefined before the start and after the stop. */
  let logger: Logger | undefined

  function wake() {
    if (logger === undefined) return
    lookAgain = true
    sending ??= sendDue(logger).finally(() => {
      sending = undefined
      if (lookAgain) wake()
    })
  }

  async function sendDue(log: Logger) {
    lookAgain = false
    clearTimeout(timer)
    let pause = LONGEST_SLEEP
    try {
      while (logger !== undefined) {
        const row = await queryMaybe<DeliveryRow>(store, claimDue, { busy_seconds: BUSY_SECONDS })
        if (row === undefined) break
        await send(row, log)
      }
      const { seconds } = await queryOne<{ seconds: number | null }>(store, nextDue)
      pause = Math.min(LONGEST_SLEEP, Math.max(0, (seconds ?? LONGEST_SLEEP) * 1000))
    } catch (error) {
      log.warn({ err: error }, 'the webhooks could not be read')
    }
    if (logger !== undefined) timer = setTimeout(wake, pause)
  }

  async function send(row: DeliveryRow, log: Logger) {
    const entry = await attempt(row)
    const isDelivered = entry.error === null
    const retry_seconds = isDelivered ? null : (pauses[row.attempts - 1] ?? null)
    const status = isDelivered ? 'delivered' : retry_seconds === null ? 'failed' : 'pending'
    await store.query(record, { id: row.id, attempt: row.attempts, status, retry_seconds, entry })
    if (!isDelivered) log.warn({ job_id: row.job_id, delivery_id: row.id, status }, `webhook: ${entry.error}`)
  }

  async function attempt({ id, job_id, url }: DeliveryRow): Promise<WebhookAttempt> {
    const at = new Date()
    const began = performance.now()
    const outcome = await deliver(id, job_id, url).catch((error: Error) => ({
      status: null,
      error: error.name === 'TimeoutError' ? `No answer within ${ATTEMPT_TIMEOUT / 1000} s` : error.message
    }))
    return { at: at.toISOString(), ...outcome, elapsed_ms: Math.round(performance.now() - began) }
  }

  async function deliver(id: string, jobId: string, url: string) {
    // The rules may have changed since.
    checkCallback(url, options)
    const job = await jobs.get(jobId)
    const body = JSON.stringify({ type: `job.${job.status}`, timestamp: job.finished_at, data: job })
    const status = await options.post({ id, url, body, secret, allowPrivate: options.allowPrivate })
    return { status, error: status >= 200 && status < 300 ? null : `The answer was ${status}` }
  }

  return {
    /** The deliveries of a job, oldest first. Throws `job_not_found`. */
    async list(jobId: string): Promise<Page<WebhookDelivery>> {
      await jobs.get(jobId)
      const rows = await store.query<DeliveryRow>(listDeliveries, { job_id: jobId })
      return { items: rows.map(toDelivery), next_cursor: null }
    },

    /** Sends a delivery that is over once more. Throws `job_not_found`, `delivery_not_found`. */
    async redeliver(jobId: string, id: string): Promise<WebhookDelivery> {
      await jobs.get(jobId)
      const new_id = `whd_${uuid().replaceAll('-', '')}`
      const row = await queryMaybe<DeliveryRow>(store, redeliver, { id, job_id: jobId, new_id })
      if (row === undefined) {
        throw new ServiceError(
          'delivery_not_found',
          `The job ${jobId} has no delivery ${id} that is over. GET /v1/jobs/${jobId}/deliveries lists them.`
        )
      }
      return toDelivery(row)
    },

    async start(log: Logger) {
      logger = log
      stopListening = await store.listen('webhooks', wake)
      wake()
    },

    /** Sends nothing more, and resolves when nothing is being sent. */
    async stop() {
      logger = undefined
      clearTimeout(timer)
      await sending
      await stopListening?.()
    }
  }
}

function toDelivery({ id, job_id, url, status, attempts, log, ...row }: DeliveryRow): WebhookDelivery {
  return {
    ...{ id, job_id, url, status, attempts, log },
    next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null
  }
}
