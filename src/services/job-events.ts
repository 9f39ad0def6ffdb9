/** The story of jobs: in pages, and followed live. What was seen last says where to go on, without gap or repetition. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceError } from '../errors.ts'
import type { Page, PageQuery } from '../schemas/common.ts'
import { finalStatuses, type JobEvent } from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import { queryOne, type Store } from '../store/store.ts'
import type { Actor } from './api-keys.ts'
import type { Jobs } from './jobs.ts'
import { readCursor, readNumberCursor, toPage } from './pagination.ts'
import { createStreamSlots } from './stream-slots.ts'
import { createWatchers } from './watch.ts'

const listEvents = readSql('store/job-events/list.sql')
const listAllEvents = readSql('store/job-events/list-all.sql')
const feedBounds = readSql('store/job-events/feed-bounds.sql')

/** Events that are read at once for a stream. */
const BATCH = 200
/** Pause before a feed looks again at events that an open transaction holds back, in ms. */
const HELD_BACK_PAUSE = 50
/** A stream ends after this time, in ms: its reader comes back, and its key is checked again. */
const LONGEST_STREAM = 3_600_000

/** An event with the id by which a stream can be resumed after it. */
export interface StreamedEvent {
  id: string
  data: JobEvent
}

export interface FollowOptions {
  actor: Actor
  /** The id of the last event that the reader has seen. */
  lastEventId: string | undefined
  /** Aborts when the reader is gone. */
  signal: AbortSignal
}

/** A stream and the slot that it holds: whoever opens it ends it. */
export interface EventStream {
  events: AsyncIterable<StreamedEvent>
  end(): void
}
type Events = AsyncGenerator<StreamedEvent, void, void>

interface EventRow extends Omit<JobEvent, 'created_at'> {
  created_at: Date
}
interface FeedRow extends EventRow {
  xid: string
}
/** A place in the feed: a transaction, and an event within it. */
interface Position {
  xid: string
  id: number
}

export type JobEvents = Awaited<ReturnType<typeof createJobEvents>>

export async function createJobEvents(store: Store, jobs: Jobs) {
  const watchers = await createWatchers(store, 'job_events')
  const closing = new AbortController()
  const slots = createStreamSlots()

  const read = async (job_id: string, after_id: number | null, limit: number): Promise<JobEvent[]> =>
    (await store.query<EventRow>(listEvents, { job_id, after_id, limit })).map(toEvent)

  const readFeed = ({ xid, id }: Position, limit: number) =>
    store.query<FeedRow>(listAllEvents, { after_xid: xid, after_id: id, limit })

  /** Where the feed stands. Throws `invalid_cursor` on a position of another database. */
  async function bounds(of: Position) {
    const found = await queryOne<{ head: string; has_more: boolean; is_known: boolean }>(store, feedBounds, {
      xid: of.xid
    })
    if (!found.is_known) throw unknownPosition()
    return found
  }

  /** Opens a stream if its key has a slot left, which is given back at the stream's end, whatever ends it. */
  function open({ actor, signal }: FollowOptions, start: (stop: AbortSignal) => Events): EventStream {
    const own = new AbortController()
    const stop = AbortSignal.any([own.signal, signal, closing.signal, AbortSignal.timeout(LONGEST_STREAM)])
    slots.take(actor, stop)
    return { events: start(stop), end: () => own.abort() }
  }

  async function* jobStream(id: string, after: number | null, stop: AbortSignal): Events {
    let last = after
    for (;;) {
      const watch = watchers.watch(id, stop)
      try {
        // The status first: the last event is committed with it.
        const isOver = finalStatuses.includes((await jobs.get(id)).status)
        for (;;) {
          const events = await read(id, last, BATCH)
          for (const event of events) {
            if (stop.aborted) return
            yield { id: String(event.id), data: event }
            last = event.id
          }
          if (events.length < BATCH) break
        }
        if (isOver || stop.aborted) return
        await watch.changed
      } finally {
        watch.end()
      }
    }
  }

  async function* feedStream(from: Position, stop: AbortSignal): Events {
    let position = from
    while (!stop.aborted) {
      const watch = watchers.watch(undefined, stop)
      try {
        const { has_more } = await bounds(position)
        const rows = await readFeed(position, BATCH)
        for (const row of rows) {
          if (stop.aborted) return
          position = { xid: row.xid, id: row.id }
          yield { id: writePosition(position), data: toEvent(row) }
        }
        if (rows.length === BATCH) continue
        // The transaction that holds them back may end without a word.
        await (has_more ? Promise.race([watch.changed, sleep(HELD_BACK_PAUSE)]) : watch.changed)
      } finally {
        watch.end()
      }
    }
  }

  return {
    /** One page of a job's story, oldest first. Throws `job_not_found`. */
    async list(id: string, query: PageQuery): Promise<Page<JobEvent>> {
      await jobs.get(id)
      const events = await read(id, readNumberCursor(query.cursor), query.limit + 1)
      return toPage(events, query.limit, (event) => event.id)
    },

    /** One page of all jobs' events, oldest first. */
    async listAll(query: PageQuery): Promise<Page<JobEvent>> {
      const cursor = readCursor(query.cursor)
      const position = cursor === null ? beginning : readPosition(cursor)
      await bounds(position)
      const rows = await readFeed(position, query.limit + 1)
      const { items, next_cursor } = toPage(rows, query.limit, writePosition)
      return { items: items.map(toEvent), next_cursor }
    },

    /**
     * A job's events as they happen, to its end; undefined when it is over and the reader has seen everything.
     * Throws `job_not_found`, `invalid_cursor`, `too_many_streams`.
     */
    async follow(id: string, options: FollowOptions): Promise<EventStream | undefined> {
      const last = readLastId(options.lastEventId)
      const { status } = await jobs.get(id)
      const isOver = finalStatuses.includes(status)
      if (isOver && last !== null && (await read(id, last, 1)).length === 0) return undefined
      return open(options, (stop) => jobStream(id, last, stop))
    },

    /**
     * The events of all jobs as they happen: after the last one seen, from the beginning after `0`, else from now
     * on. Throws `invalid_cursor`, `too_many_streams`.
     */
    async followAll(options: FollowOptions): Promise<EventStream> {
      const { lastEventId: last } = options
      const position = last === undefined || last === '0' ? beginning : readPosition(last)
      const { head } = await bounds(position)
      const from = last === undefined ? { xid: head, id: 0 } : position
      return open(options, (stop) => feedStream(from, stop))
    },

    /** Ends every stream, and the subscription. */
    async close() {
      closing.abort()
      await watchers.close()
    }
  }
}

const beginning: Position = { xid: '0', id: 0 }

const writePosition = ({ xid, id }: Position): string => `${xid}-${id}`

function readPosition(text: string): Position {
  const [, xid, id] = /^(\d{1,18})-(\d{1,15})$/.exec(text) ?? []
  if (xid === undefined) throw unknownPosition()
  return { xid, id: Number(id) }
}

function readLastId(text: string | undefined): number | null {
  if (text === undefined) return null
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new ServiceError(
    'invalid_cursor',
    'Last-Event-ID is not the id of an event of this job. Start without it.'
  )
}

const unknownPosition = () =>
  new ServiceError(
    'invalid_cursor',
    'The position is none that this feed had. Start without it, or with Last-Event-ID: 0 from the beginning.'
  )

const toEvent = ({ created_at, ...row }: EventRow): JobEvent => ({
  ...{ id: row.id, job_id: row.job_id, attempt: row.attempt, type: row.type },
  ...{ message: row.message, data: row.data, created_at: created_at.toISOString() }
})
