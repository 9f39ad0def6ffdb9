/** How the database keeps transactions apart, asked of the database itself. */
import { readSql } from '../sql.ts'
import type { Queryable } from '../warehouse/warehouse.ts'
import { remember } from './remember.ts'

/** How long the database may take to answer, and how long the answer counts, in ms. */
const TIMEOUT = 3_000
const LIFETIME = 300_000

const isolationLevel = readSql('warehouse/redshift/isolation-level.sql')

/** The isolation level of the database; null when it cannot be told soon enough, or at all. */
export function rememberIsolationLevel(warehouse: Queryable, database: string): () => Promise<string | null> {
  const ask = remember(LIFETIME, async () => {
    const { rows } = await warehouse.run(isolationLevel, { database })
    return rows[0]?.isolation_level === undefined ? null : String(rows[0].isolation_level)
  })
  return async () => {
    const { promise: late, resolve } = Promise.withResolvers<null>()
    const timer = setTimeout(resolve, TIMEOUT, null)
    return Promise.race([ask().catch(() => null), late]).finally(() => clearTimeout(timer))
  }
}
