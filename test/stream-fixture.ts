/** What the tests of streams share: a reader of server-sent events that can stop anywhere. */
import { get, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { JobEvent } from '../src/schemas/jobs.ts'

export interface SentEvent {
  id: string
  data: JobEvent
}

export interface Reader {
  status: number
  headers: IncomingMessage['headers']
  /** The next event; undefined at the end. */
  next(): Promise<SentEvent | undefined>
  /** Events up to the end, or so many. */
  take(count?: number): Promise<SentEvent[]>
  /** Comments that have come so far. */
  comments: string[]
  hangUp(): void
}

/** Opens a stream; the test's end hangs up. */
export async function openStream(t: Test, url: string, headers: Record<string, string>): Promise<Reader> {
  const request = get(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false })
  request.on('error', () => {})
  t.teardown(() => request.destroy())
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve)
    request.once('error', reject)
  })
  response.on('error', () => {})
  const comments: string[] = []
  const events = read(response, comments)
  const next = async () => (await events.next()).value as SentEvent | undefined
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    comments,
    next,
    async take(count = Infinity) {
      const taken: SentEvent[] = []
      while (taken.length < count) {
        const event = await next()
        if (event === undefined) break
        taken.push(event)
      }
      return taken
    },
    hangUp: () => void request.destroy()
  }
}

async function* read(response: IncomingMessage, comments: string[]): AsyncGenerator<SentEvent> {
  let fields: Record<string, string> = {}
  for await (const line of createInterface({ input: response })) {
    if (line.startsWith(':')) comments.push(line)
    else if (line === '' && fields.data !== undefined) {
      yield { id: fields.id ?? '', data: JSON.parse(fields.data) }
      fields = {}
    } else if (line !== '') {
      const [, name = '', value = ''] = /^(\w+): (.*)$/.exec(line) ?? []
      fields[name] = value
    }
  }
}
