/** Runs one planned statement of a session, faults included. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Backend } from './backend.ts'
import { type CopyContext, runCopy } from './copy-run.ts'
import { cancelled, inFailedTransaction, RedshiftError } from './errors.ts'
import { errorOf, type Fault, type Faults } from './faults.ts'
import type { Plan } from './plan.ts'
import { commandComplete, notice } from './protocol.ts'
import { quoteText } from './tokens.ts'

export interface RunnerOptions {
  backend: Backend
  faults: Faults
  copy: Omit<CopyContext, 'backend' | 'signal' | 'onHalfway'>
  /** To the client. */
  send(...messages: Buffer[]): void
  /** Breaks the connection to the client. What the server does goes on, unless it is destroyed too. */
  disconnect(): void
  /** Interrupts what the emulator itself does for this session. */
  cancelSession(pid: number): boolean
}

/** How the statement reached the server: what is passed on, and to whom. */
export interface Wire {
  /** Runs SQL that PostgreSQL takes as it is; what comes back goes to the client unless `isMuted`. */
  run(sql: string, isMuted?: boolean): Promise<void>
}

/** Thrown once the client has been disconnected: there is nobody left to tell. */
export class Disconnected extends Error {}

export interface Runner {
  run(plan: Plan, text: string, query: number, wire: Wire): Promise<void>
  /** Whether it is the emulator, not PostgreSQL, that works right now; if so, it stops. */
  interrupt(): void
  /** Whether what runs goes on without its client: a COPY outside of a transaction does. */
  outlivesClient(): boolean
}

export function createRunner(options: RunnerOptions): Runner {
  const { backend, faults, send } = options
  let interruption = new AbortController()
  let isOnItsOwn = false

  function disconnect(): never {
    options.disconnect()
    throw new Disconnected()
  }

  /** Waits as long as the session's statement_timeout allows. */
  async function wait(ms: number, query: number): Promise<void> {
    const timeout = await statementTimeout()
    const signal = AbortSignal.any([
      interruption.signal,
      ...(timeout > 0 ? [AbortSignal.timeout(timeout)] : [])
    ])
    await delay(ms, undefined, { signal }).catch(() => {
      throw cancelled(query)
    })
  }

  async function statementTimeout(): Promise<number> {
    const rows = await backend.rows(`select setting from pg_settings where name = 'statement_timeout'`)
    return Number(rows[0]?.[0] ?? 0)
  }

  /** What happens before the statement itself. */
  async function prepare(plan: Plan, query: number, fault: Fault | undefined): Promise<void> {
    if (backend.status === 'E' && plan.kind !== 'commit' && plan.kind !== 'rollback')
      throw inFailedTransaction()
    if (plan.kind === 'relay' && plan.notInTransaction !== undefined && backend.status !== 'I') {
      throw new RedshiftError({
        code: '25001',
        message: `${plan.notInTransaction} cannot run inside a transaction block`
      })
    }
    if (fault?.type === 'delay') await wait(fault.ms, query)
    if (fault?.type === 'disconnect' && fault.when === 'before') {
      backend.destroy()
      disconnect()
    }
    const error = fault && errorOf(fault, query)
    if (error !== undefined) {
      // A commit that fails has ended the transaction all the same.
      if (plan.kind === 'commit') await backend.rows('rollback')
      throw error
    }
    if (plan.kind !== 'relay' || plan.write === undefined) return
    const { write } = plan
    const inTransaction = backend.status === 'T'
    await backend.rows(
      `select emulator.before_write(${quoteText(write.table)}, ${write.isBulk}, ${inTransaction})`
    )
  }

  async function copy(plan: Plan & { kind: 'copy' }, query: number, fault: Fault | undefined): Promise<void> {
    const timeout = await statementTimeout()
    const signal = AbortSignal.any([
      interruption.signal,
      ...(timeout > 0 ? [AbortSignal.timeout(timeout)] : [])
    ])
    const inTransaction = backend.status === 'T'
    isOnItsOwn = !inTransaction
    let isGone = false
    const result = await runCopy(plan.copy, query, {
      ...options.copy,
      backend,
      signal,
      async onHalfway() {
        if (fault?.type !== 'disconnect' || fault.when !== 'during') return
        // Outside of a transaction a COPY goes on and commits although its client has gone.
        options.disconnect()
        isGone = true
        if (inTransaction) throw new Disconnected()
      }
    }).finally(() => {
      isOnItsOwn = false
    })
    if (isGone) throw new Disconnected()
    if (fault?.type === 'disconnect' && fault.when === 'after') disconnect()
    if (result.errors > 0) {
      send(
        notice(
          `Load into table '${result.table}' completed, ${result.errors} record(s) could not be loaded.  ` +
            `Check '${options.copy.loadErrorView}' system table for details.`
        )
      )
    }
    if (!plan.copy.noLoad) {
      send(
        notice(`Load into table '${result.table}' completed, ${result.rows} record(s) loaded successfully.`)
      )
    }
    send(commandComplete('COPY'))
  }

  async function execute(plan: Plan, query: number, wire: Wire, fault: Fault | undefined): Promise<void> {
    switch (plan.kind) {
      case 'copy':
        return copy(plan, query, fault)
      case 'nothing':
        return send(commandComplete(plan.tag))
      case 'cancel':
        // First what PostgreSQL runs: a signal that came later could hit what the session does next.
        await backend.rows(`select pg_catalog.emulator_cancel_backend(${plan.pid})`)
        options.cancelSession(plan.pid)
        return send(commandComplete('CANCEL'))
      case 'lock': {
        // Outside of a transaction the lock is released at once.
        const isAlone = backend.status === 'I'
        if (isAlone) await backend.rows('begin')
        try {
          await backend.rows(plan.sql)
        } finally {
          if (isAlone) await backend.rows('rollback')
        }
        return send(commandComplete('LOCK TABLE'))
      }
      case 'truncate':
        await wire.run(plan.sql)
        // It commits everything before it, and itself.
        await backend.sync()
        if (backend.status === 'T') await backend.rows('commit')
        return
      case 'createTable':
        await wire.run(plan.sql)
        return describeTable(plan)
      default:
        return wire.run(plan.sql)
    }
  }

  async function describeTable({ table, attributes }: Plan & { kind: 'createTable' }): Promise<void> {
    const known = await backend.rows(`select obj_description(to_regclass(${quoteText(table)}), 'pg_class')`)
    // The table was there before, or a failed transaction has swallowed it.
    if (typeof known[0]?.[0] === 'string') return
    await backend.rows(`comment on table ${table} is ${quoteText(JSON.stringify(attributes))}`)
    const { identity } = attributes
    if (identity === undefined) return
    const { column, seed, step } = identity
    await backend.rows(
      `select emulator.spread_identity(${quoteText(table)}, ${quoteText(column)}, ${seed}, ${step})`
    )
  }

  return {
    async run(plan, text, query, wire) {
      interruption = new AbortController()
      const fault = faults.take(text, plan)
      await prepare(plan, query, fault)
      const isCut = fault?.type === 'disconnect' && fault.when === 'after' && plan.kind !== 'copy'
      await execute(plan, query, isCut ? { run: (sql) => wire.run(sql, true) } : wire, fault)
      if (!isCut) return
      // What has been run is committed by the end of the cycle.
      await backend.sync()
      disconnect()
    },
    interrupt: () => interruption.abort(),
    outlivesClient: () => isOnItsOwn
  }
}
