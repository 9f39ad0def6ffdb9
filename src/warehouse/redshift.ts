/** The warehouse on Amazon Redshift. */
import { parseSql, readSql } from '../sql.ts'
import { type ConnectionTarget, createPool } from './redshift-connection.ts'
import { type CopySettings, createRedshiftStaging } from './redshift-stage.ts'
import type { Warehouse, WriteOptions, WriteSession } from './warehouse.ts'

export interface RedshiftOptions {
  /** Where the cluster is. Throws `cluster_not_found` while there is none. */
  target: () => Promise<ConnectionTarget>
  copy: CopySettings
  /** Longest that a statement may run in the cluster, in ms. */
  statementTimeout: number
}

const lockLedger = readSql('warehouse/redshift/lock-ledger.sql')
const tableInfo = readSql('warehouse/redshift/table-info.sql')
const begin = parseSql('redshift/begin', 'begin')
const commit = parseSql('redshift/commit', 'commit')
const rollback = parseSql('redshift/rollback', 'rollback')

/** The warehouse in the cluster that `target` names; it is connected to at the first statement. */
export function createRedshiftWarehouse({ target, copy, statementTimeout }: RedshiftOptions): Warehouse {
  const pool = createPool(target, statementTimeout)
  let lastWriter: Promise<unknown> = Promise.resolve()

  function writeNow<Result>(work: (session: WriteSession) => Promise<Result>, options: WriteOptions = {}) {
    const { signal, owner } = options
    const scratch = owner && copy.scratch?.(owner)
    const body = async (client: Parameters<Parameters<typeof pool.withSession>[0]>[0]) => {
      const run: WriteSession['run'] = (statement, params) => pool.run(client, statement, params, signal)
      const session: WriteSession = {
        engine: 'redshift',
        run,
        ...createRedshiftStaging(run, copy, scratch),
        begin: async () => void (await run(begin)),
        lockLedger: async () => void (await run(lockLedger)),
        commit: async () => void (await run(commit)),
        // After an abort too, so without the signal.
        rollback: async () => void (await pool.run(client, rollback))
      }
      try {
        // An attempt before this one may have died before it could.
        if (owner !== undefined && owner.attempt > 1) await scratch?.remove()
        return await work(session)
      } catch (error) {
        await session.rollback().catch(() => {})
        throw error
      } finally {
        // What is left behind is small and has a name of its own; it must not hide how the load ended.
        await scratch?.remove().catch(() => {})
      }
    }
    // The session ends with the work, and its temporary tables with it.
    return pool.withSession(body, { isOwn: true })
  }

  return {
    engine: 'redshift',
    run: (statement, params, options) =>
      pool.withSession((client) => pool.run(client, statement, params, options?.signal)),
    stream: (statement, params, options) => pool.stream(statement, params, options?.signal),
    async skew() {
      // The view is a superuser's unless granted; a cluster that does not tell is no error.
      const found = await pool.withSession((client) => pool.run(client, tableInfo)).catch(() => undefined)
      return new Map(
        found?.rows.map((row) => [`${row.schema_name}.${row.table_name}`, Number(row.skew_rows)])
      )
    },

    write(work, options) {
      const turn = lastWriter.then(
        () => writeNow(work, options),
        () => writeNow(work, options)
      )
      lastWriter = turn.catch(() => {})
      return turn
    },
    close: () => pool.close()
  }
}
