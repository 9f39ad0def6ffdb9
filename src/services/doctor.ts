/** Looks at everything that the service stands on, and says what is wrong with it. It changes nothing. */
import { statfs } from 'node:fs/promises'
import type { ClusterProvider } from '../cloud/cluster-provider.ts'
import type { Config } from '../config.ts'
import { ServiceError } from '../errors.ts'
import type { DoctorCheck, DoctorReport } from '../schemas/support.ts'
import type { Source } from '../sources/source.ts'
import { parseSql, readSql } from '../sql.ts'
import { queryOne, type Store } from '../store/store.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { Tables } from './tables.ts'
import type { Tokens } from './tokens.ts'

const clock = readSql('store/metrics/clock.sql')
const one = parseSql('doctor/one', 'select 1 as one')

/** A check that takes longer has failed, in ms. */
const PATIENCE = 10_000
/** A clock that differs by more than this makes leases and signatures fail, in s. */
const CLOCK_TOLERANCE = 5
/** Less room than this on the disk is worth a warning, in bytes. */
const LOW_ROOM = 1024 ** 3

export interface DoctorParts {
  store: Store
  warehouse: Warehouse
  provider: ClusterProvider
  tables: Tables
  openSource: (location: string) => Promise<Source>
  /** Of the identity provider, where there is one. */
  tokens: Tokens | undefined
  config: Config
}

type Finding = Pick<DoctorCheck, 'status' | 'detail'>
type Check = (signal: AbortSignal) => Promise<Finding>

const ok = (detail: string): Finding => ({ status: 'ok', detail })
const warning = (detail: string): Finding => ({ status: 'warning', detail })

export type Doctor = ReturnType<typeof createDoctor>

export function createDoctor(parts: DoctorParts) {
  const checks: Record<string, Check> = {
    store: async () => {
      await parts.store.ping()
      return ok(`${parts.store.engine} answers.`)
    },
    clock: async () => {
      const { now } = await queryOne<{ now: Date }>(parts.store, clock)
      const apart = Math.round(Math.abs(Date.now() - now.getTime()) / 1000)
      const detail = `The clock of the store differs by ${apart} s.`
      if (apart <= CLOCK_TOLERANCE) return ok(detail)
      return warning(`${detail} Leases and the signatures of AWS need clocks that agree: run NTP on both.`)
    },
    disk: async () => {
      const { bavail, bsize } = await statfs(parts.config.DATA_DIR)
      const free = bavail * bsize
      const detail = `${(free / 1024 ** 3).toFixed(1)} GiB are free in DATA_DIR.`
      return free < LOW_ROOM ? warning(`${detail} Loads need room for their spool.`) : ok(detail)
    },
    cluster: async () => {
      const { status, drift } = await parts.provider.describe()
      if (status === 'absent') return warning('There is no cluster yet. Create it with PUT /v1/cluster.')
      if (drift.length > 0) {
        const fields = drift.map(({ field }) => field).join(', ')
        return warning(
          `The cluster is ${status} and differs from what is asked for: ${fields}. PUT /v1/cluster mends it.`
        )
      }
      return status === 'available' ? ok('The cluster is available.') : warning(`The cluster is ${status}.`)
    },
    // It asks for everything that a change would ask for first, so it also shows which permission is missing.
    permissions: async () => {
      const { actions, account_id } = await parts.provider.plan()
      const where = account_id === null ? '' : ` in the account ${account_id}`
      return ok(`What there is can be seen${where}; PUT /v1/cluster would do ${actions.length} things.`)
    },
    warehouse: async (signal) => {
      await parts.warehouse.run(one, {}, { signal })
      return ok(`${parts.warehouse.engine} answers.`)
    },
    tables: async () => {
      const { items } = await parts.tables.list()
      return ok(`${items.length} tables are there.`)
    },
    'song data': async () => openable(parts.config.SONG_DATA),
    'log data': async () => openable(parts.config.LOG_DATA)
  }
  const { tokens } = parts
  if (tokens !== undefined) {
    checks['identity provider'] = async () => {
      await tokens.ping()
      return ok(`${parts.config.OIDC_ISSUER} says where its keys are.`)
    }
  }

  async function openable(location: string): Promise<Finding> {
    const source = await parts.openSource(location)
    return ok(`${source.url} may be read by jobs.`)
  }

  return {
    /** Runs all checks at once. */
    async examine(): Promise<DoctorReport> {
      const found = await Promise.all(
        Object.entries(checks).map(async ([name, check]): Promise<DoctorCheck> => {
          const began = performance.now()
          const finding = await inTime(check).catch(explain)
          return { name, ...finding, elapsed_ms: Math.round(performance.now() - began) }
        })
      )
      return { healthy: found.every(({ status }) => status !== 'failed'), checks: found }
    }
  }
}

async function inTime(check: Check): Promise<Finding> {
  const signal = AbortSignal.timeout(PATIENCE)
  const late = new Promise<Finding>((resolve) => {
    signal.addEventListener('abort', () =>
      resolve({ status: 'failed', detail: `There was no answer within ${PATIENCE / 1000} seconds.` })
    )
  })
  return Promise.race([check(signal), late])
}

/** What is only not there yet is no failure; and what is not ours to show stays in the log. */
function explain(error: unknown): Finding {
  if (!(error instanceof ServiceError)) return { status: 'failed', detail: 'The check itself has failed.' }
  const isExpected = ['cluster_not_found', 'tables_not_created', 'cluster_paused'].includes(error.code)
  return { status: isExpected ? 'warning' : 'failed', detail: error.message }
}
