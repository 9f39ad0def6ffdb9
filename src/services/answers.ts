/**
 * Answers of canned queries: computed once for each state of the data, kept as long as it lasts, and named by an ETag, so that
 * who has an answer already gets it again for nothing.
 */
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { ServiceError } from '../errors.ts'
import type { Values } from '../schemas/analytics.ts'
import type { AnswerVerification, VerifyAnswer } from '../schemas/analytics-verify.ts'
import { type Analytics, collect, type DataVersion, type OpenAnswer } from './analytics.ts'
import type { CatalogueEntry } from './analytics-catalogue.ts'
import { gather, streamAnswer } from './answer-body.ts'
import { type AnswerFormat, writeAnswer } from './answer-formats.ts'
import { checkParams, readParams } from './answer-parameters.ts'
import { verifyAnswer } from './answer-verify.ts'
import { type ChartLook, drawChart } from './chart.ts'
import type { DataState } from './data-state.ts'
import type { QueryGate } from './query-gate.ts'
import { type Shared, share } from './shared-work.ts'

export interface AnswersParts {
  analytics: Pick<Analytics, 'open' | 'find'>
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
  /** Aborts when the caller has left. Asked for only when the answer is not there yet. */
  signal: () => AbortSignal
}

export interface Answer {
  /** Strong, with its quotes: query text, parameters, format and the load that the rows are of. */
  etag: string
  /** A large one comes as its rows do, to one caller, and is not kept. */
  body: string | Readable
  data_version: number
  /** The state that it was kept in, and holds in; none for one that was made for this request. */
  keptIn: string | undefined
}

/** Between two looks at the state while a caller waits for a load, in ms. */
const LOOK_INTERVAL = 100

/** An answer that holds as long as a state lasts. */
interface Kept extends Answer {
  body: string
  keptIn: string
}
/** A question, and what it is known by. */
interface Question {
  entry: CatalogueEntry
  request: AnswerRequest
  key: string
}

export type Answers = ReturnType<typeof createAnswers>

export function createAnswers({ analytics, state, gate, cacheBytes }: AnswersParts) {
  const kept = new LRUCache<string, Kept>({
    maxSize: Math.max(1, cacheBytes),
    // A character takes two bytes at most.
    sizeCalculation: ({ body }) => 2 * body.length + 1000
  })
  const running = new Map<string, Shared<Answer>>()
  const taken = new WeakSet<Readable>()
  /** The version of the data in the last state that lasted as long as an answer took. */
  let known: { state: string; version: DataVersion } | undefined

  /** What is kept for a question and holds in a state. */
  function findKept({ key, request }: Question, now: string | undefined): Answer | undefined {
    const found = request.isFresh === true ? undefined : kept.get(key)
    return found !== undefined && found.keptIn === now ? found : undefined
  }

  /** Asks the warehouse when its turn has come, which is told, unless somebody else has done so while it waited. */
  function compute(question: Question, signal: AbortSignal, onTurn = () => {}): Promise<Answer> {
    const { entry, request } = question
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    gate(async (stop, renew) => {
      onTurn()
      const before = await state.current()
      const found = findKept(question, before)
      if (found !== undefined) return resolve(found)
      const version = request.isFresh !== true && known?.state === before ? known?.version : undefined
      const opened = await analytics.open(entry.query, request.params, { signal: stop, version })
      const { data_version } = opened.head
      const about = { etag: etagOf(entry, request, opened), data_version, keptIn: undefined }
      const chunks = render(entry, opened, request)
      const { text, isAll } = await gather(chunks)
      if (!isAll) {
        await streamAnswer(text, chunks, {
          signal: stop,
          renew,
          onOpen: (body) => resolve({ ...about, body })
        })
        return
      }
      const after = await state.current()
      // Rows that were read while the data changed are newer than their version: right, and not to be kept.
      const answer = { ...about, body: text }
      if (before !== undefined && before === after) {
        known = { state: before, version: opened.version }
        if (cacheBytes > 0) kept.set(question.key, { ...answer, keptIn: before })
      }
      resolve(answer)
    }, signal).catch(reject)
    return promise
  }

  /**
   * The same question is answered once: for all who ask in one state; and while a commit is under way, for all who ask before its
   * turn has come, because what is read then is as new as any of them may expect.
   */
  function begin(question: Question, now: string | undefined, runKey: string | undefined) {
    let isOpen = runKey !== undefined
    const shared = share((signal) =>
      compute(question, signal, () => {
        // Which may be at once.
        if (now !== undefined || runKey === undefined) return
        isOpen = false
        running.delete(runKey)
      })
    )
    if (isOpen && runKey !== undefined) running.set(runKey, shared)
    return shared
  }

  async function once(entry: CatalogueEntry, request: AnswerRequest): Promise<Answer> {
    const key = JSON.stringify([entry.query, valuesOf(entry, request), request.format, request.look])
    const question = { entry, request, key }
    const now = await state.current()
    const found = findKept(question, now)
    if (found !== undefined) return found
    const runKey = request.isFresh === true ? undefined : `${now} ${key}`
    const shared = (runKey === undefined ? undefined : running.get(runKey)) ?? begin(question, now, runKey)
    try {
      return await own(await shared.join(request.signal()), () => compute(question, request.signal()))
    } finally {
      if (runKey !== undefined && shared.isOver() && running.get(runKey) === shared) running.delete(runKey)
    }

    /** An answer that comes as it is made is the first caller's; the others ask for themselves. */
    async function own(answer: Answer, again: () => Promise<Answer>): Promise<Answer> {
      const { body } = answer
      if (typeof body === 'string') return answer
      if (taken.has(body)) return again()
      taken.add(body)
      return answer
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
      request: { look: ChartLook; signal: () => AbortSignal }
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
      const results = await gate(
        async (stop) => collect(await analytics.open(query, params, { signal: stop })),
        signal
      )
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
        if (typeof answer.body !== 'string') answer.body.destroy()
        const left = deadline - performance.now()
        if (left <= 0) throw notReady(minDataVersion, answer.data_version)
        await sleep(Math.min(left, LOOK_INTERVAL), undefined, { signal: signal() })
      }
    }
  }
}

async function* render(
  entry: CatalogueEntry,
  opened: OpenAnswer,
  { format, look }: AnswerRequest
): AsyncGenerator<string> {
  if (format !== 'svg') return yield* writeAnswer(opened, format)
  if (entry.chart === undefined || look === undefined) {
    throw new ServiceError('chart_not_found', `The header of ${entry.query} says nothing of a chart.`)
  }
  yield await drawChart(await collect(opened), { title: entry.title, chart: entry.chart }, look)
}

function etagOf(entry: CatalogueEntry, { format, look }: AnswerRequest, { head, version }: OpenAnswer) {
  const identity = [entry.statement.text, head.params, format, look, version.data_version, version.job_id]
  return `"${createHash('sha256').update(JSON.stringify(identity)).digest('base64url').slice(0, 32)}"`
}

function notReady(wanted: number, there: number): ServiceError {
  return new ServiceError(
    'data_not_ready',
    `The data has version ${there}; ${wanted} was asked for. Wait for its load to end, or send Prefer: wait=N to wait here.`
  )
}

/** In the order of the header: a question is the same in whatever order its parameters come. */
const valuesOf = ({ parameters }: CatalogueEntry, { params }: AnswerRequest) =>
  parameters.map(({ name }) => params[name] ?? null)
