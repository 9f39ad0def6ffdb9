/** Sends generated requests to a service and compares what it answers with its document. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { createRandom } from './random.ts'
import { createRequests, type FuzzRequest, operationsOf, type Schema } from './requests.ts'

export interface FuzzOptions {
  url: string
  /** Keys to ask with, one of them for each request. */
  keys: string[]
  requests: number
  seed: number
  document: Schema
}

export interface FuzzReport {
  requests: number
  operations: number
  /** Answers by status. */
  statuses: Map<number, number>
  /** What is not as it must be, the first 20. */
  findings: string[]
}

/** Requests under way at once. */
const AT_ONCE = 8

export async function fuzz({ url, keys, requests, seed, document }: FuzzOptions): Promise<FuzzReport> {
  const random = createRandom(seed)
  const operations = operationsOf(document)
  const ids = new Set<string>(['1', 'analytics.songplays', 'top-songs', 'key_bootstrap'])
  const next = createRequests(document, random, () => [...ids])
  const validator = createValidator(document)
  const report: FuzzReport = { requests, operations: operations.length, statuses: new Map(), findings: [] }

  async function send(request: FuzzRequest, key: string) {
    const { method, headers, body } = request
    const response = await fetch(url + request.url, {
      ...{ method, redirect: 'manual', signal: AbortSignal.timeout(60_000) },
      headers: { authorization: `Bearer ${key}`, ...headers },
      ...(body !== undefined && { body })
    })
    const text = await response.text()
    report.statuses.set(response.status, (report.statuses.get(response.status) ?? 0) + 1)
    const problem = validator(request, response, text)
    if (problem !== undefined && report.findings.length < 20) {
      report.findings.push(
        `${method} ${request.url} ${JSON.stringify(headers)} ${body ?? ''}\n    ${problem}`
      )
    }
    // What there is now can be asked for.
    for (const [, id] of text.matchAll(/"id":"([a-z]+_[0-9a-z]+)"/g)) if (ids.size < 200) ids.add(String(id))
  }

  // Each operation in turn, so that none is left out.
  for (let sent = 0; sent < requests; sent += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, requests - sent) }, (_, index) => {
      const operation = operations[(sent + index) % operations.length] as (typeof operations)[number]
      return [next(operation), random.pick(keys)] as const
    })
    await Promise.all(batch.map(([request, key]) => send(request, key)))
  }
  return report
}

/** Says what is wrong with an answer; undefined when it is one that the document describes. */
function createValidator(document: Schema) {
  const ajv = new Ajv2020({ strict: false, allErrors: false })
  addFormats.default(ajv)
  ajv.addSchema(document, 'document')
  const compiled = new Map<string, ValidateFunction>()
  const toToken = (part: string) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))

  return ({ operation, method }: FuzzRequest, response: Response, text: string): string | undefined => {
    const { status } = response
    if (status >= 500 && status !== 503) return `answered ${status}: ${text.slice(0, 300)}`
    const given = operation.spec.responses[status]
    const place =
      given?.$ref === undefined
        ? ['paths', operation.path, operation.method, 'responses', String(status)]
        : given.$ref.slice(2).split('/')
    const described = place.reduce((part: Schema, key: string) => part?.[key], document)
    // A path that a junk id has turned into another one is answered as that.
    if (described === undefined)
      return [404, 405, 431].includes(status) ? undefined : `answers ${status}, which it does not document`
    const type = response.headers.get('content-type')?.split(';')[0] ?? ''
    if (text === '' || method === 'HEAD') return undefined
    if (described.content?.[type] === undefined)
      return `answers ${status} as ${type}, which it does not document`
    if (!/json$/.test(type) || type.includes('ndjson')) return undefined
    const at = [...place, 'content', type, 'schema']
    const pointer = `document#/${at.map(toToken).join('/')}`
    const validate = compiled.get(pointer) ?? ajv.compile({ $ref: pointer })
    compiled.set(pointer, validate)
    if (validate(JSON.parse(text))) return undefined
    return `answers ${status} with what its schema does not have: ${ajv.errorsText(validate.errors)}: ${text.slice(0, 300)}`
  }
}
