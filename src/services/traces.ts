/**
 * Traces, where OpenTelemetry is configured: a request, the job that it starts, the job's steps and their statements are spans of
 * one trace. Without configuration the API of OpenTelemetry does nothing, and neither does any of this.
 */
import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace
} from '@opentelemetry/api'
import type { Warehouse, WriteSession } from '../warehouse/warehouse.ts'
import type { JobHandler } from './job-handler.ts'

/** Where a job keeps the span of the step that is under way. */
const STEP = createContextKey('step of a job')

export const tracer = () => trace.getTracer('sparkify-warehouse')

/** The trace that is under way, as a `traceparent` of W3C; undefined where nothing is traced. */
export function currentTraceparent(): string | undefined {
  const carrier: { traceparent?: string } = {}
  propagation.inject(context.active(), carrier)
  return carrier.traceparent
}

/** What a line of the log says of its trace. */
export function traceOfLine(): { trace_id?: string } {
  const trace_id = trace.getActiveSpan()?.spanContext().traceId
  return trace_id === undefined ? {} : { trace_id }
}

/** The context that headers, or a job's trigger, name. */
export const contextOf = (carrier: object): Context => propagation.extract(ROOT_CONTEXT, carrier)

/** Ends a span as what it stands for has ended. Messages of errors may quote data, so their names alone are told. */
export function endSpan(span: Span, error?: unknown): void {
  if (error !== undefined) {
    const { code, name } = error as { code?: string; name?: string }
    span.setStatus({ code: SpanStatusCode.ERROR, message: code ?? name ?? 'error' })
  }
  span.end()
}

async function inSpan<Result>(
  name: string,
  attributes: Attributes,
  parent: Context,
  work: (inside: Context) => Promise<Result>
): Promise<Result> {
  const span = tracer().startSpan(name, { attributes }, parent)
  const inside = trace.setSpan(parent, span)
  try {
    const result = await context.with(inside, () => work(inside))
    endSpan(span)
    return result
  } catch (error) {
    endSpan(span, error)
    throw error
  }
}

/** A job whose attempts and steps are spans, below the request that asked for it. */
function traceJob(type: string, handler: JobHandler): JobHandler {
  const run: JobHandler['run'] = (job) => {
    const attributes = { 'job.id': job.id, 'job.type': type, 'job.attempt': job.attempt }
    return inSpan(`job ${type}`, attributes, contextOf({ traceparent: job.traceparent }), async (inside) => {
      const current: { span?: Span } = {}
      const step = async (name: string) => {
        current.span?.end()
        current.span = tracer().startSpan(`step ${name}`, { attributes: { 'job.id': job.id } }, inside)
        await job.step(name)
      }
      try {
        return await context.with(inside.setValue(STEP, current), () => handler.run({ ...job, step }))
      } finally {
        current.span?.end()
      }
    })
  }
  return { ...handler, run }
}

/** The same for all of them, by type. */
export const traceJobs = <Handlers extends Record<string, JobHandler>>(handlers: Handlers): Handlers =>
  Object.fromEntries(
    Object.entries(handlers).map(([type, handler]) => [type, traceJob(type, handler)])
  ) as Handlers

/** The step that is under way, or else the request. */
function parentOfStatement(): Context {
  const active = context.active()
  const { span } = (active.getValue(STEP) ?? {}) as { span?: Span }
  return span === undefined ? active : trace.setSpan(active, span)
}

/** The same warehouse, each of whose statements is a span by its name. What belongs to no trace begins none. */
export function traceStatements(warehouse: Warehouse): Warehouse {
  const system = { 'db.system.name': warehouse.engine === 'duckdb' ? 'duckdb' : 'aws.redshift' }

  async function traced<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const parent = parentOfStatement()
    if (trace.getSpan(parent) === undefined) return work()
    return inSpan(`statement ${name}`, { ...system, 'db.operation.name': name }, parent, work)
  }

  const traceSession = (session: WriteSession): WriteSession => ({
    ...session,
    run: (statement, ...rest) => traced(statement.name, () => session.run(statement, ...rest)),
    list: (objects) => traced('list', () => session.list(objects)),
    stage: (objects, options) => traced('stage', () => session.stage(objects, options)),
    lockLedger: () => traced('lock-ledger', () => session.lockLedger()),
    commit: () => traced('commit', () => session.commit())
  })

  return {
    ...warehouse,
    run: (statement, ...rest) => traced(statement.name, () => warehouse.run(statement, ...rest)),
    async *stream(statement, ...rest) {
      const span = tracer().startSpan(
        `statement ${statement.name}`,
        { attributes: { ...system, 'db.operation.name': statement.name } },
        parentOfStatement()
      )
      try {
        yield* warehouse.stream(statement, ...rest)
        endSpan(span)
      } catch (error) {
        endSpan(span, error)
        throw error
      } finally {
        // Whoever stops taking the rows ends it too.
        if (span.isRecording()) span.end()
      }
    },
    write: (work, options) => warehouse.write((session) => work(traceSession(session)), options)
  }
}
