/** What the tests of the HTTP API share: expected problems, bodies without what changes, rows left behind. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { Test } from 'tap'
import { type ErrorCode, type ErrorItem, errorCatalogue } from '../src/errors.ts'
import type { JobType, Scope } from '../src/schemas/jobs.ts'
import { parseSql } from '../src/sql.ts'
import type { TestResponse, TestService } from './helper.ts'

const volatile: [RegExp, string][] = [
  [/job_[0-9a-f]{32}/g, 'JOB'],
  [/key_[0-9a-f]{18}/g, 'KEY'],
  [/sched_[0-9a-f]{32}/g, 'SCHEDULE'],
  [/req_[0-9a-f-]{36}/g, 'REQ'],
  [/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"/g, '"TIME"'],
  [/"etag":"[0-9a-f]+-[0-9a-f]+"/g, '"etag":"ETAG"'],
  [/"size_bytes":\d+/g, '"size_bytes":1'],
  [/"bytes":\d+/g, '"bytes":1'],
  [/"(id|elapsed_ms)":\d+/g, '"$1":0']
]

/** A body with everything that differs from run to run replaced by a name for it. */
export function normalise(service: TestService, body: unknown): unknown {
  const places: [string, string][] = [
    [service.config.DATA_DIR, 'DATA_DIR'],
    [`${hostname()}-${process.pid}`, 'WORKER']
  ]
  let text = JSON.stringify(body)
  for (const [place, name] of places) text = text.replaceAll(place, name)
  for (const [pattern, name] of volatile) text = text.replace(pattern, name)
  return JSON.parse(text)
}

/** The whole problem document that an error must leave as. */
export function problem(code: ErrorCode, instance: string, detail: string, errors?: ErrorItem[]) {
  const { status, title } = errorCatalogue[code]
  return {
    ...{ type: `urn:sparkify-warehouse:error:${code}`, title, status, detail, code },
    ...(errors && { errors }),
    ...{ instance, request_id: 'REQ' }
  }
}

/** Checks status, media type, request id and the whole body of an error. */
export function checkProblem(
  t: Test,
  service: TestService,
  response: TestResponse,
  expected: ReturnType<typeof problem>,
  about = expected.detail
): void {
  t.equal(response.status, expected.status, `${about}: status`)
  t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.equal(response.headers['x-request-id'], response.body.request_id)
  t.strictSame(normalise(service, response.body), expected, `${about}: body`)
}

/** The problem of a request that does not match its schema; `message` is without the final full stop. */
export const invalid = (instance: string, pointer: string, code: string, message: string) =>
  problem('invalid_request', instance, `${pointer === '' ? '' : `${pointer} `}${message}.`, [
    { pointer, code, message }
  ])

/** A job as it is put into the queue, normalised. */
export const queuedJob = (type: JobType, params = {}) => ({
  ...{
    id: 'JOB',
    type,
    lane: 'warehouse',
    status: 'queued',
    priority: 'normal',
    attempt: 0,
    max_attempts: 3
  },
  ...{ params, progress: null, steps: [], result: null, error: null, created_by: 'KEY' },
  ...{ trigger: { kind: 'api' }, retry_of: null, callback_url: null, worker: null, lease_expires_at: null },
  ...{
    cancel_requested_at: null,
    run_after: 'TIME',
    queue_timeout_seconds: null,
    timeout_seconds: null,
    step_timeouts: {},
    deadline: null,
    created_at: 'TIME',
    started_at: null,
    finished_at: null
  },
  links: {
    self: '/v1/jobs/JOB',
    events: '/v1/jobs/JOB/events',
    attempts: '/v1/jobs/JOB/attempts',
    load: null
  }
})

/** Rows of the control store. */
export const rows = <Row = Record<string, unknown>>({ parts }: TestService, sql: string, params = {}) =>
  parts.store.query<Row>(parseSql('test', sql), params)

/** How many jobs there are. */
export async function countJobs(service: TestService): Promise<number> {
  const [row] = await rows<{ jobs: number }>(service, 'select count(*)::integer as jobs from jobs')
  return row?.jobs ?? 0
}

/** Resolves when no job is left to run. */
async function waitUntilIdle(service: TestService): Promise<void> {
  const unfinished = "select id from jobs where status in ('queued', 'running', 'cancelling')"
  while ((await rows(service, unfinished)).length > 0) await sleep(20)
}

/** Puts a job of another process in the way, so that jobs of its lane stay queued; returns what takes it away. */
export async function blockLane(service: TestService): Promise<() => Promise<void>> {
  await waitUntilIdle(service)
  const insert = `insert into jobs (id, type, lane, status, attempt, max_attempts, worker, lease_expires_at,
      created_by, trigger, started_at)
    values ('job_00000000000000000000000000000000', 'etl', 'warehouse', 'running', 1, 3, 'another-process',
      now() + interval '1 hour', 'key_bootstrap', '{"kind": "api"}', now())`
  await rows(service, insert)
  return async () => {
    await rows(service, "delete from jobs where worker = 'another-process'")
    await rows(service, "select pg_notify('jobs', '')")
  }
}

export interface AppRoute {
  method: string
  url: string
  scope: Scope | undefined
  hidden: boolean
}

/** Every route of the apps that `build` makes, HEAD included, as Fastify itself registers them. */
export async function collectRoutes(build: () => Promise<unknown>): Promise<AppRoute[]> {
  const routes: AppRoute[] = []
  const add = ({ method, url, config, schema }: RouteOptions) => {
    for (const each of [method].flat()) {
      routes.push({ method: each, url, scope: config?.scope, hidden: schema?.hide === true })
    }
  }
  const onApp = (message: unknown) => {
    ;(message as { fastify: FastifyInstance }).fastify.addHook('onRoute', add)
  }
  subscribe('fastify.initialization', onApp)
  try {
    await build()
  } finally {
    unsubscribe('fastify.initialization', onApp)
  }
  return routes
}

/** Walks a list by its Link headers; `between` runs after each page. Returns the items and the number of pages. */
export async function walk(
  t: Test,
  service: TestService,
  url: string,
  between: () => Promise<unknown> = async () => {}
): Promise<{ items: Record<string, unknown>[]; pages: number }> {
  const items: Record<string, unknown>[] = []
  let pages = 0
  for (let next: string | undefined = url; next !== undefined; pages += 1) {
    const { status, body, headers } = await service.request('GET', next, { scope: 'read' })
    t.equal(status, 200, next)
    items.push(...body.items)
    const [, link] = /^<([^>]+)>; rel="next"$/.exec(String(headers.link)) ?? []
    t.equal(link && new URL(link, 'http://x').searchParams.get('cursor'), body.next_cursor ?? undefined)
    next = link
    await between()
  }
  return { items, pages }
}
