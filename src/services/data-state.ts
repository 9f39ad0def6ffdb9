/**
 * Which state of the warehouse's data readers see. A state is a token that changes with every commit, so that what was
 * computed in a state may be kept as long as that state lasts. It is found without asking the warehouse.
 *
 * Whoever commits says so before and after. The embedded warehouse has one process, which need not tell anybody. On a
 * cluster all replicas look into one row of the control store; they trust it for `TRUST` ms, and whoever is to commit waits
 * that long after marking it. So no replica serves an answer that was out of date when the request for it came.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { readSql } from '../sql.ts'
import { queryOne, type Store } from '../store/store.ts'
import type { Engine, Warehouse, WriteSession } from '../warehouse/warehouse.ts'
import type { JobHandler } from './job-handler.ts'

const getState = readSql('store/warehouse-state/get.sql')
const markState = readSql('store/warehouse-state/mark.sql')
const settleState = readSql('store/warehouse-state/settle.sql')

/** How long a replica trusts what it has read, in ms. */
const TRUST = 200

export interface DataState {
  /** The state that readers see; undefined while a commit is under way, when only the warehouse knows. */
  current(): Promise<string | undefined>
  /** The same, as far as it is known without asking anybody. */
  known(): string | undefined
  /** Does what may change the data. */
  changing<Result>(commit: () => Promise<Result>): Promise<Result>
}

export function createDataState(engine: Engine, store: Store): DataState {
  return engine === 'duckdb' ? createLocalState() : createSharedState(store)
}

function createLocalState(): DataState {
  let generation = 0
  let changing = 0
  // Another process has had the file before.
  const run = randomUUID()
  const known = () => (changing > 0 ? undefined : `${run}-${generation}`)
  return {
    current: async () => known(),
    known,
    async changing(commit) {
      changing += 1
      try {
        return await commit()
      } finally {
        generation += 1
        changing -= 1
      }
    }
  }
}

function createSharedState(store: Store): DataState {
  let known: { state: string | undefined; at: number } | undefined
  let asking: Promise<string | undefined> | undefined

  const trusted = () => (known !== undefined && performance.now() - known.at < TRUST ? known : undefined)

  async function ask(): Promise<string | undefined> {
    // It is as old as the question, not as the answer.
    const at = performance.now()
    const row = await queryOne<{ generation: number; publisher: string | null }>(store, getState)
    const state = row.publisher === null ? String(row.generation) : undefined
    known = { state, at }
    return state
  }

  return {
    known: () => trusted()?.state,

    async current() {
      const found = trusted()
      if (found !== undefined) return found.state
      asking ??= ask().finally(() => {
        asking = undefined
      })
      return asking
    },

    async changing(commit) {
      const publisher = randomUUID()
      await store.query(markState, { publisher })
      known = undefined
      await sleep(TRUST)
      try {
        return await commit()
      } finally {
        // Unsettled, readers ask the warehouse until the next commit: slower, and right.
        await store.query(settleState, { publisher }).catch(() => {})
        known = undefined
      }
    }
  }
}

/** The same warehouse, whose commits are told. */
export function watchCommits(warehouse: Warehouse, state: DataState): Warehouse {
  return {
    ...warehouse,
    write: (work, options) =>
      warehouse.write((session: WriteSession) => {
        const { commit } = session
        return work({ ...session, commit: () => state.changing(commit) })
      }, options)
  }
}

/** The same handler, for a job that changes what there is to read by other ways than a session's commit. */
export const watchJob = (handler: JobHandler, state: DataState): JobHandler => ({
  ...handler,
  run: (context) => state.changing(() => handler.run(context))
})
