/** What must be true of the tables of jobs and of the warehouse, whatever happened to the processes. */

import type { DurablePostgres } from '../../test/durable-postgres.ts'
import type { RedshiftEmulator } from '../../test/emulators/redshift.ts'

export interface Expected {
  /** The job that each Idempotency-Key was answered with. */
  jobs: Map<string, { id: string; status: string }>
  /** Events in each object, by its URL. */
  objects: Map<string, number>
  /** How often each delivery was received, by the job that it told of. */
  told: Map<string, Set<string>>
}

export interface Audit {
  /** What is not as it must be; empty when all is well. */
  findings: string[]
  figures: Record<string, number>
}

interface JobRow {
  id: string
  type: string
  status: string
  load_id: string | null
  code: string | null
  ends: string
}

interface AttemptRow {
  job_id: string
  attempt: number
  outcome: string | null
  started_at: Date
  finished_at: Date | null
}

export async function audit(
  postgres: DurablePostgres,
  redshift: RedshiftEmulator,
  expected: Expected
): Promise<Audit> {
  const jobs = await postgres.query<JobRow>(`
    select id, type, status, result ->> 'load_id' as load_id, error ->> 'code' as code,
      (select count(*) from job_events where job_id = jobs.id and type in ('succeeded', 'failed', 'cancelled')
         and message not like 'Attempt %') as ends
    from jobs order by id`)
  const attempts = await postgres.query<AttemptRow>(
    'select job_id, attempt, outcome, started_at, finished_at from job_attempts order by started_at, job_id'
  )
  const loads = (await redshift.sql(
    'select load_id, job_id, data_version from ops.loads order by load_id'
  )) as {
    load_id: string
    job_id: string
    data_version: string
  }[]
  const objects = await redshift.sql(`select url, count(*) as loads from ops.loaded_objects group by url`)
  const [rows] = await redshift.sql(`
    select (select count(*) from staging.events) as events,
      (select count(distinct event_id) from staging.events) as distinct_events,
      (select count(*) from analytics.songplays) as plays`)
  const findings = [
    ...checkEnds(jobs, expected),
    ...checkAttempts(attempts),
    ...checkLoads(jobs, loads),
    ...checkObjects(objects, expected),
    ...checkRows(rows, expected),
    ...checkDeliveries(jobs, expected)
  ]
  return { findings, figures: count(jobs, attempts, loads.length, expected) }
}

/** One job for each key, one final state for each job, and the one that whoever waited for it was told of. */
function checkEnds(jobs: JobRow[], expected: Expected): string[] {
  const byId = new Map(jobs.map((job) => [job.id, job]))
  const known = [...expected.jobs].flatMap(([key, { id, status }]) => {
    const job = byId.get(id)
    if (job === undefined) return [`${key} was answered with ${id}, which is lost`]
    return job.status === status ? [] : [`${id} was ${status} and is now ${job.status}`]
  })
  const ids = new Set([...expected.jobs.values()].map(({ id }) => id))
  if (ids.size !== expected.jobs.size) known.push(`${expected.jobs.size} keys made ${ids.size} jobs`)
  const strangers = jobs.filter(({ id }) => !ids.has(id)).map(({ id }) => `${id} was started by nobody`)
  const ends = jobs
    .filter((job) => Number(job.ends) !== 1)
    .map(({ id, status, ends }) => `${id} is ${status} and has ended ${ends} times`)
  return [...known, ...strangers, ...ends]
}

/** All jobs are of one lane: an attempt begins when the one before it is over, whoever made it. */
function checkAttempts(attempts: AttemptRow[]): string[] {
  const open = attempts
    .filter(({ finished_at }) => finished_at === null)
    .map(({ job_id, attempt }) => `attempt ${attempt} of ${job_id} has no end`)
  const overlaps = attempts.flatMap((next, index) => {
    const previous = attempts[index - 1]
    const until = previous?.finished_at
    if (previous === undefined || until == null || next.started_at >= until) return []
    return [
      `attempt ${next.attempt} of ${next.job_id} overlaps attempt ${previous.attempt} of ${previous.job_id}`
    ]
  })
  return [...open, ...overlaps]
}

/** The ledger and the job table tell the same: a load for each job that says so, and no other. */
function checkLoads(
  jobs: JobRow[],
  loads: { load_id: string; job_id: string; data_version: string }[]
): string[] {
  const loadOf = new Map(loads.map(({ job_id, load_id }) => [job_id, String(load_id)]))
  const doubled = loads.length - loadOf.size
  const untrue = jobs
    .filter(
      ({ id, status, load_id }) => (status === 'succeeded' ? load_id : null) !== (loadOf.get(id) ?? null)
    )
    .map(({ id, status, load_id, code }) => {
      return `${id} is ${status} (${code ?? 'no error'}) with load ${load_id}; the ledger has ${loadOf.get(id)}`
    })
  // A load of nothing leaves the version as it was.
  const versions = loads.map(({ data_version }) => Number(data_version))
  const gaps = loads.filter((_, index) => {
    const raised = (versions[index] ?? 0) - (versions[index - 1] ?? 0)
    return raised !== 0 && raised !== 1
  })
  return [
    ...(doubled > 0 ? [`${doubled} jobs have more than one load`] : []),
    ...untrue,
    ...gaps.map(({ load_id, data_version }) => `load ${load_id} skips to the data version ${data_version}`)
  ]
}

function checkObjects(rows: Record<string, unknown>[], { objects }: Expected): string[] {
  const loads = new Map(rows.map(({ url, loads }) => [String(url), Number(loads)]))
  return [...objects.keys()]
    .filter((url) => loads.get(url) !== 1)
    .map((url) => `${url} was loaded ${loads.get(url) ?? 0} times`)
}

function checkRows(row: Record<string, unknown> | undefined, { objects }: Expected): string[] {
  const events = [...objects.values()].reduce((sum, count) => sum + count, 0)
  return Object.entries(row ?? {})
    .filter(([, found]) => Number(found) !== events)
    .map(([name, found]) => `there are ${found} ${name}, not ${events}`)
}

/** Each job's end was told, under one id however often it was sent. */
function checkDeliveries(jobs: JobRow[], { told }: Expected): string[] {
  return jobs.flatMap(({ id }) => {
    const ids = told.get(id)?.size ?? 0
    return ids === 1 ? [] : [`the end of ${id} was told under ${ids} ids`]
  })
}

function count(jobs: JobRow[], attempts: AttemptRow[], loads: number, expected: Expected) {
  const of = (items: string[]) =>
    Object.fromEntries(
      Map.groupBy(items, (item) => item)
        .entries()
        .map(([k, v]) => [k, v.length])
    )
  return {
    jobs: jobs.length,
    ...of(jobs.map(({ status, code }) => (code === null ? `jobs ${status}` : `jobs ${status}: ${code}`))),
    attempts: attempts.length,
    ...of(attempts.map(({ outcome }) => `attempts ${outcome}`)),
    loads,
    objects: expected.objects.size
  }
}
