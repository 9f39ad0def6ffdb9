/**
 * Answers of canned queries: computed once for each state of the data, kept as long as it lasts, and named by an ETag, so that
 * who has an answer already gets it again for nothing.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { ServiceError } from '../errors.ts'
import { type AnalyticsResults, answerParameters, type Values } from '../schemas/analytics.ts'
import type { AnswerVerification, VerifyAnswer } from '../schemas/analytics-verify.ts'
import type { Analytics } from './analytics.ts'
import type { CatalogueEntry } from './analytics-catalogue.ts'
import { type AnswerFormat, formatAnswer } from './answer-formats.ts'
import { verifyAnswer } from './answer-verify.ts'
import { type ChartLook, drawChart } from './chart.ts'
import type { DataState } from './data-state.ts'
import type { QueryGate } from './query-gate.ts'

export interface AnswersParts {
  analytics: Pick<Analytics, 'ask' | 'find'>
  state: DataState
  gate: QueryGate
  /** What is kept at most, in bytes. */
  cacheBytes: number
}

export interface AnswerRequest {
  params: Values
  format: AnswerFormat | 'svg'
  /** For a chart: how it is to look. */
  look?: ChartLook
  /** The answer must be of this data version or a later one. */
  minDataVersion?: number | undefined
  /** How long to wait for that, in seconds. */
  wait?: number
  /** Asks the warehouse whatever is kept. */
  isFresh?: boolean
  signal: AbortSignal
}

export interface Answer {
  /** Strong, with its quotes: query text, parameters, format and the load that the rows are of. */
  etag: string
  body: Buffer
  data_version: number
  truncated: boolean
  /** Whether it was kept from before. */
  isCached: boolean
}

/** Between two looks at the state while a caller waits for a load, in ms. */
const LOOK_INTERVAL = 100

type Kept = Omit<Answer, 'isCached'> & { state: string }

export type Answers = ReturnType<typeof createAnswers>

export function createAnswers({ analytics, state, gate, cacheBytes }: AnswersParts) {
  const kept = new LRUCache<string, Kept>({
    maxSize: Math.max(1, cacheBytes),
    sizeCalculation: ({ body }) => body.length + 1000
  })
  const running = new Map<string, Shared<Kept | Omit<Kept, 'state'>>>()

  async function compute(
    entry: CatalogueEntry,
    { params, format, look }: AnswerRequest,
    signal: AbortSignal
  ) {
    const before = await state.current()
    // Rows of a file are all there: nothing in it could say that some are missing.
    const limit = format === 'json' || format === 'svg' ? {} : { maxRows: Number.POSITIVE_INFINITY }
    const { results, load_job } = await gate(
      (stop) => analytics.ask(entry.query, params, { signal: stop, ...limit }),
      signal
    )
    const after = await state.current()
    const body = await render(entry, results, format, look)
    const identity = [entry.statement.text, results.params, format, look, results.data_version, load_job]
    const etag = `"${createHash('sha256').update(JSON.stringify(identity)).digest('base64url').slice(0, 32)}"`
    const { data_version, truncated } = results
    const answer = { etag, body, data_version, truncated }
    // Rows that were read while the data changed are newer than their version: right, and not to be kept.
    return before !== undefined && before === after ? { ...answer, state: before } : answer
  }

  async function once(entry: CatalogueEntry, request: AnswerRequest): Promise<Answer> {
    const key = JSON.stringify([entry.query, sorted(request.params), request.format, request.look])
    const now = await state.current()
    const known = kept.get(key)
    if (known !== undefined && known.state === now && request.isFresh !== true)
      return { ...known, isCached: true }
    // The same question asked in the same state is answered once.
    const runKey = `${now} ${key}`
    const shared =
      (now === undefined || request.isFresh === true ? undefined : running.get(runKey)) ??
      share((signal) => compute(entry, request, signal))
    if (now !== undefined) running.set(runKey, shared)
    try {
      const answer = await shared.join(request.signal)
      if ('state' in answer && cacheBytes > 0) kept.set(key, answer)
      return { ...answer, isCached: false }
    } finally {
      if (running.get(runKey) === shared && shared.isOver()) running.delete(runKey)
    }
  }

  return {
    /**
     * The answer of a query as a chart; its parameters come as text. Throws `query_not_found`, `chart_not_found`,
     * `invalid_request`, and what `answer` throws.
     */
    async chart(
      query: string,
      texts: Record<string, string>,
      request: { look: ChartLook; signal: AbortSignal }
    ): Promise<Answer> {
      const entry = analytics.find(query)
      if (entry.chart === undefined) {
        throw new ServiceError('chart_not_found', `The header of ${query} says nothing of a chart.`)
      }
      return once(entry, { ...request, params: readParams(entry, texts), format: 'svg' })
    },

    /**
     * Compares an answer with what it should be. It is computed anew. Throws `query_not_found`, `invalid_request`, and what
     * `answer` throws.
     */
    async verify(query: string, request: VerifyAnswer, signal: AbortSignal): Promise<AnswerVerification> {
      const entry = analytics.find(query)
      const params = checkParams(entry, request.params)
      const { results } = await gate((stop) => analytics.ask(query, params, { signal: stop }), signal)
      return verifyAnswer(results, request)
    },

    /**
     * The answer to a question. Throws `data_not_ready` when the data is older than asked for after the time to wait,
     * `too_many_queries`, `query_timeout`, and what the warehouse throws.
     */
    async answer(entry: CatalogueEntry, request: AnswerRequest): Promise<Answer> {
      const { minDataVersion = 0, wait = 0, signal } = request
      const deadline = performance.now() + wait * 1000
      for (;;) {
        const answer = await once(entry, request)
        if (answer.data_version >= minDataVersion) return answer
        const left = deadline - performance.now()
        if (left <= 0) throw notReady(minDataVersion, answer.data_version)
        await sleep(Math.min(left, LOOK_INTERVAL), undefined, { signal })
      }
    }
  }
}

async function render(
  entry: CatalogueEntry,
  results: AnalyticsResults,
  format: AnswerRequest['format'],
  look: ChartLook | undefined
): Promise<Buffer> {
  if (format !== 'svg') return formatAnswer(results, format)
  if (entry.chart === undefined || look === undefined) {
    throw new ServiceError('chart_not_found', `The header of ${entry.query} says nothing of a chart.`)
  }
  return drawChart(results, { title: entry.title, chart: entry.chart }, look)
}

function notReady(wanted: number, there: number): ServiceError {
  return new ServiceError(
    'data_not_ready',
    `The data has version ${there}; ${wanted} was asked for. Wait for its load to end, or send Prefer: wait=N to wait here.`
  )
}

const sorted = (params: Values) => Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))

/** Work that several wait for; it is stopped when nobody is left. */
interface Shared<Result> {
  join(signal: AbortSignal): Promise<Result>
  isOver(): boolean
}

function share<Result>(work: (signal: AbortSignal) => Promise<Result>): Shared<Result> {
  const stop = new AbortController()
  let waiting = 0
  let isOver = false
  const result = work(stop.signal).finally(() => {
    isOver = true
  })
  // Whoever waits hears of it; when nobody does, nobody minds.
  result.catch(() => {})
  return {
    isOver: () => isOver,
    async join(signal) {
      signal.throwIfAborted()
      waiting += 1
      const left = Promise.withResolvers<never>()
      const leave = () => left.reject(signal.reason)
      signal.addEventListener('abort', leave)
      try {
        return await Promise.race([result, left.promise])
      } finally {
        signal.removeEventListener('abort', leave)
        waiting -= 1
        if (waiting === 0 && !isOver) {
          isOver = true
          stop.abort(signal.reason)
        }
      }
    }
  }
}

/** Parameters as the query string has them. Throws `invalid_request`. */
function readParams(entry: CatalogueEntry, texts: Record<string, string>): Values {
  const types = new Map(entry.parameters.map(({ name, type }) => [name, type]))
  const values = Object.entries(texts).map(([name, text]) => {
    const type = types.get(name)
    if ((type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/.test(text)) return [name, Number(text)]
    if (type === 'boolean' && /^(true|false)$/.test(text)) return [name, text === 'true']
    return [name, text]
  })
  const params = checkParams(entry, Object.fromEntries(values), '')
  const defaults = entry.parameters.filter(({ default: preset }) => preset !== null)
  return { ...Object.fromEntries(defaults.map(({ name, default: preset }) => [name, preset])), ...params }
}

const propertiesOf = ({ querystring }: CatalogueEntry) =>
  (querystring as unknown as { properties: Record<string, TSchema> }).properties

/** Throws `invalid_request` for parameters that the query string of the results would not take. */
function checkParams(entry: CatalogueEntry, params: Values, prefix = '/params/'): Values {
  const known = Object.fromEntries(
    Object.entries(propertiesOf(entry)).filter(([name]) => !(name in answerParameters))
  )
  for (const [name, value] of Object.entries(params)) {
    const pointer = prefix + name
    const schema = known[name]
    const message = schema === undefined ? 'is an unknown parameter' : Value.Errors(schema, value)[0]?.message
    if (message === undefined) continue
    throw new ServiceError('invalid_request', `${pointer} ${message}.`, {
      errors: [{ pointer, code: 'params', message }]
    })
  }
  return params
}
