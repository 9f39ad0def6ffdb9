/** Idempotency keys: which request a client's key stood for, and the job that it started. */
import { createHash } from 'node:crypto'
import { ServiceError } from '../errors.ts'
import type { JobType } from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import { type Queryable, queryMaybe, queryOne } from '../store/store.ts'
import type { Actor } from './api-keys.ts'

const insertKey = readSql('store/idempotency/insert.sql')
const getKey = readSql('store/idempotency/get.sql')
const deleteExpiredKeys = readSql('store/idempotency/delete-expired.sql')

/** How long an Idempotency-Key is remembered, in hours. */
const KEY_LIFETIME = 72

/** What is asked for, and by whom: keys of different callers have nothing to do with each other. */
export interface KeyedRequest {
  type: JobType
  params: object
  actor: Actor
}

interface KnownKey {
  request_hash: string
  job_id: string
}

/** The job that the key started, if it is known. Throws `idempotency_key_reused` if that was another request. */
export async function findRemembered(
  from: Queryable,
  key: string,
  request: KeyedRequest
): Promise<string | undefined> {
  await from.query(deleteExpiredKeys, { max_age_hours: KEY_LIFETIME })
  const known = await queryMaybe<KnownKey>(from, getKey, { actor: request.actor.key_id, key })
  return known && jobOf(known, request)
}

/**
 * Records the key with its new job; when the key is taken, returns the job that has it. A request with the same key
 * at the same moment waits here until the first one has committed. Throws `idempotency_key_reused`.
 */
export async function remember(
  from: Queryable,
  key: string,
  request: KeyedRequest,
  job_id: string
): Promise<string | undefined> {
  const actor = request.actor.key_id
  const inserted = await from.query(insertKey, { actor, key, request_hash: hash(request), job_id })
  if (inserted.length > 0) return undefined
  return jobOf(await queryOne<KnownKey>(from, getKey, { actor, key }), request)
}

function jobOf({ request_hash, job_id }: KnownKey, request: KeyedRequest): string {
  if (request_hash === hash(request)) return job_id
  throw new ServiceError(
    'idempotency_key_reused',
    `The Idempotency-Key was used for another request, which started ${job_id}. Use a new key for a new request.`
  )
}

/** Two requests are the same whatever the order of their parameters. */
function hash({ type, params }: KeyedRequest): string {
  const parts = [type, Object.entries(params).sort()]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
