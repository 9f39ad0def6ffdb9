/** How every operation that starts a job answers, and how long it waits first. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { finalStatuses, type Job } from '../schemas/jobs.ts'
import type { Jobs, StartedJob, StartOptions } from '../services/jobs.ts'
import { requestSignal } from './abort.ts'

/** Longest time that `Prefer: wait=N` may ask for, in seconds. */
const LONGEST_WAIT = 60

/** The seconds of `Prefer: wait=N` (RFC 7240), bounded; 0 without one. Other preferences are not for us. */
export function preferredWait(prefer: string | undefined): number {
  const [, seconds] = /(?:^|[,;]\s*)wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/i.exec(prefer ?? '') ?? []
  return Math.min(LONGEST_WAIT, Number(seconds ?? 0))
}

type JobHeaders = { 'idempotency-key'?: string | undefined; prefer?: string | undefined }

export const startOptions = (headers: JobHeaders): StartOptions => ({
  idempotencyKey: headers['idempotency-key']
})

/**
 * Answers with the job: 202 and where to find it, or 200 when it ended within the time that the client was
 * willing to wait.
 */
export async function replyWithJob(
  started: StartedJob,
  jobs: Jobs,
  request: FastifyRequest,
  reply: FastifyReply
): Promise<Job> {
  if (started.replayed) reply.header('idempotency-replayed', 'true')
  reply.header('location', `/v1/jobs/${started.job.id}`)
  const seconds = preferredWait(request.headers.prefer as string | undefined)
  if (seconds === 0) {
    reply.code(202)
    return started.job
  }
  const job = await jobs.wait(started.job.id, seconds, requestSignal(reply))
  reply.header('preference-applied', `wait=${seconds}`)
  reply.code(finalStatuses.includes(job.status) ? 200 : 202)
  return job
}
