/** How every operation that starts a job answers, and how long it waits first. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { finalStatuses, type Job } from '../schemas/jobs.ts'
import type { StartedJob, StartOptions } from '../services/job-start.ts'
import type { Jobs } from '../services/jobs.ts'
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
  const job = await replyWhenEnded(started.job, jobs, request, reply)
  // Who does not wait is told the same every time, however far the job of the first request is.
  if (preferredWait(request.headers.prefer as string | undefined) === 0) reply.code(202)
  return job
}

/** Answers with a job that is to end: 200 when it has, now or within the time to wait, else 202. */
export async function replyWhenEnded(
  asked: Job,
  jobs: Jobs,
  request: FastifyRequest,
  reply: FastifyReply
): Promise<Job> {
  const seconds = preferredWait(request.headers.prefer as string | undefined)
  if (seconds > 0) reply.header('preference-applied', `wait=${seconds}`)
  const job = seconds > 0 ? await jobs.wait(asked.id, seconds, requestSignal(reply)) : asked
  reply.code(finalStatuses.includes(job.status) ? 200 : 202)
  return job
}
