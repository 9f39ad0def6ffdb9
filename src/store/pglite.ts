/** The embedded store: PostgreSQL inside this process, its files in `DATA_DIR`. */
import { PGlite, type Transaction as PgliteTransaction } from '@electric-sql/pglite'
import { bindParams, type Params, type Statement } from '../sql.ts'
import { ensureDatabase } from './empty-database.ts'
import { type Store, type Transaction, toWire } from './store.ts'

/** PostgreSQL's default of 128 MB is cleared at every start, and stays in memory; a job table needs far less. */
const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB']

/**
 * Opens the store in `directory`, which is created when missing. PGlite takes no lock on its files, and two
 * processes corrupt them: the caller must hold the lock on `DATA_DIR` (see `data-dir-lock.ts`).
 */
export async function openPglite(directory: string): Promise<Store> {
  await ensureDatabase(directory)
  const db = await PGlite.create(directory, { startParams })
  await db.exec("set timezone to 'UTC'")

  const on = (connection: PGlite | PgliteTransaction): Transaction => ({
    async query<Row>(statement: Statement, params?: Params) {
      return (await connection.query<Row>(statement.text, toWire(bindParams(statement, params)))).rows
    },
    async script(text) {
      await connection.exec(text)
    }
  })

  return {
    engine: 'pglite',
    query: on(db).query,
    transaction: (work) => db.transaction((tx) => work(on(tx))),
    async listen(channel, onPayload) {
      // Quoted, as on a server: PGlite would fold the name to lower case.
      const stop = await db.listen(`"${channel}"`, onPayload)
      return () => stop()
    },
    repeat(interval, statement, params, onAnswer) {
      const run = () =>
        on(db)
          .query(statement, params)
          .then(
            (rows) => onAnswer({ rows }),
            (error) => onAnswer({ error })
          )
      const timer = setInterval(run, interval)
      return () => clearInterval(timer)
    },
    async ping() {
      await db.query('select 1')
    },
    close: () => db.close()
  }
}
