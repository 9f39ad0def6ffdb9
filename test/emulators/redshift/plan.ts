/** What the emulator does with a statement. */
import type { CopyStatement } from './copy-statement.ts'
import type { TableAttributes } from './create-table.ts'

export interface Write {
  /** The table, as PostgreSQL reads its name. */
  table: string
  /** Rows come from a query, so identities are drawn as slices draw them. */
  isBulk: boolean
}

export type Plan =
  /** PostgreSQL runs it. */
  | {
      kind: 'relay'
      sql: string
      write?: Write
      /** The command's name, where Redshift refuses it inside a transaction. */
      notInTransaction?: string
    }
  | { kind: 'begin' | 'commit' | 'rollback'; sql: string }
  | { kind: 'createTable'; sql: string; table: string; attributes: TableAttributes; ifNotExists: boolean }
  | { kind: 'truncate'; sql: string; table: string }
  | { kind: 'lock'; sql: string }
  | { kind: 'cancel'; pid: number }
  | { kind: 'copy'; copy: CopyStatement }
  /** Accepted, and done with. */
  | { kind: 'nothing'; tag: string }
