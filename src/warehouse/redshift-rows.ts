/**
 * The rows of one statement as they arrive. Redshift sends a whole result, whatever number of rows a portal asks for, so what
 * holds it back is the connection: while nobody takes rows, nothing more is read from the socket.
 */
import pg from 'pg'
import type { QueryResult } from './warehouse.ts'

/** Rows that may wait to be taken; those of one read of the socket come on top. */
const WAITING = 1000

export interface Rows extends AsyncIterable<QueryResult> {
  /** Whether the statement has ended, well or not: the session can be used again. */
  isOver(): boolean
}

/** Runs a statement on a session. Throws what the driver throws. */
export function readRows(client: pg.ClientBase, text: string, values: unknown[]): Rows {
  const { stream } = (client as unknown as { connection: { stream: NodeJS.ReadableStream } }).connection
  let waiting: QueryResult['rows'] = []
  let columns: string[] = []
  let isOver = false
  let isLeft = false
  let failure: { error: unknown } | undefined
  let wake = () => {}

  const query = new pg.Query(text, values.length > 0 ? values : undefined)
  query.on('row', (row, result) => {
    if (isLeft) return
    columns = namesOf(result)
    waiting.push(row)
    if (waiting.length >= WAITING) stream.pause()
    wake()
  })
  query.on('end', (result) => {
    columns = namesOf(result)
    isOver = true
    wake()
  })
  query.on('error', (error) => {
    failure = { error }
    isOver = true
    wake()
  })
  client.query(query)

  return {
    isOver: () => isOver,
    async *[Symbol.asyncIterator]() {
      let isFirst = true
      try {
        for (;;) {
          if (waiting.length > 0) {
            const rows = waiting
            waiting = []
            isFirst = false
            yield { columns, rows, changed: 0 }
            stream.resume()
          } else if (failure !== undefined) throw failure.error
          else if (isOver) {
            if (isFirst) yield { columns, rows: [], changed: 0 }
            return
          } else {
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          }
        }
      } finally {
        // A socket that nobody reads never closes.
        isLeft = true
        stream.resume()
      }
    }
  }
}

const namesOf = (result: pg.ResultBuilder | undefined) => result?.fields?.map(({ name }) => name) ?? []
