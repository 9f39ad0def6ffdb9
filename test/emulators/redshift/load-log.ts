/** The system tables of loads, written apart from the loading transaction. */
import { createHash } from 'node:crypto'
import type pg from 'pg'

export interface LoadStart {
  query: number
  user: string
  session: number
  transaction: number
  database: string
  table: string
  tableId: number
  source: string
}

export interface LoadedFile {
  url: string
  content: Buffer
  lines: number
}

export interface LoadProblem {
  url: string
  line: number
  column: string
  type: string
  length: string
  position: number
  rawLine: string
  rawValue: string
  code: number
  reason: string
}

export interface LoadLog {
  start(load: LoadStart): Promise<void>
  file(query: number, file: LoadedFile): void
  problem(query: number, problem: LoadProblem): void
  finish(query: number, status: 'completed' | 'aborted', rows: number): Promise<void>
}

interface Collected {
  files: { file_name: string; bytes_scanned: number; lines_scanned: number; file_etag: string }[]
  problems: Record<string, string | number>[]
  bytes: number
}

export function createLoadLog(admin: pg.Client): LoadLog {
  const collected = new Map<number, Collected>()
  const of = (query: number): Collected => collected.get(query) ?? { files: [], problems: [], bytes: 0 }

  return {
    async start(load) {
      collected.set(load.query, { files: [], problems: [], bytes: 0 })
      await admin.query(
        `insert into emulator.loads (user_id, query_id, transaction_id, session_id, database_name, status, table_name,
           table_id, start_time, data_source, loaded_rows, loaded_bytes, source_file_count, source_file_bytes, error_count)
         values ((select usesysid from pg_user where usename = $1), $2, $3, $4, $5, 'running', $6, $7,
           clock_timestamp() at time zone 'UTC', $8, 0, 0, 0, 0, 0)`,
        [
          load.user,
          load.query,
          load.transaction,
          load.session,
          load.database,
          load.table,
          load.tableId,
          load.source
        ]
      )
    },

    file(query, { url, content, lines }) {
      const { files } = of(query)
      files.push({
        file_name: url,
        bytes_scanned: content.length,
        lines_scanned: lines,
        file_etag: createHash('md5').update(content).digest('hex')
      })
      const load = collected.get(query)
      if (load !== undefined) load.bytes += content.length
    },

    problem(query, problem) {
      of(query).problems.push({
        file_name: problem.url,
        line_number: problem.line,
        column_name: problem.column,
        column_type: problem.type,
        column_length: problem.length,
        position: problem.position,
        raw_line: problem.rawLine,
        raw_field_value: problem.rawValue,
        error_code: problem.code,
        error_message: problem.reason
      })
    },

    async finish(query, status, rows) {
      const { files, problems, bytes } = of(query)
      collected.delete(query)
      await admin.query(
        `insert into emulator.load_errors
         select $1, r.* from jsonb_to_recordset($2) as r (file_name text, line_number bigint, column_name text,
           column_type text, column_length text, position integer, raw_line text, raw_field_value text,
           error_code integer, error_message text)`,
        [query, JSON.stringify(problems)]
      )
      await admin.query(
        `insert into emulator.load_files
         select $1, r.*, start_time, clock_timestamp() at time zone 'UTC'
         from jsonb_to_recordset($2) as r (file_name text, bytes_scanned integer, lines_scanned integer, file_etag text),
           emulator.loads where query_id = $1`,
        [query, JSON.stringify(files)]
      )
      await admin.query(
        `update emulator.loads set status = $2, end_time = clock_timestamp() at time zone 'UTC', loaded_rows = $3,
           loaded_bytes = $4, source_file_count = $5, source_file_bytes = $4, error_count = $6
         where query_id = $1`,
        [query, status, rows, bytes, files.length, problems.length]
      )
    }
  }
}
