/**
 * The quality gate: does a load look like the loads before it? The rows that it wrote, and the shares of them that lack a
 * value, are compared with the latest loads. What is far off is a warning in the receipt, or fatal by setting.
 */
import { ServiceError } from '../errors.ts'
import type { Receipt } from '../schemas/loads.ts'
import { fillLiterals } from '../sql.ts'
import type { WriteSession } from '../warehouse/warehouse.ts'
import { one } from './load-ledger.ts'
import type { Loaded, LoadRequest, QualityRules } from './load-request.ts'
import * as load from './load-sql.ts'

/** How many loads back it looks. */
const PAST_LOADS = 10
/** Fewer loads tell nothing. */
const FEWEST_LOADS = 3
/** Shares of fewer rows than this tell nothing. */
const FEWEST_ROWS = 100

type Measures = Receipt['measures']
type Warning = Receipt['checks'][number]

/** The measures of the load, and what is unlike the loads before. Throws `unlike_past_loads` when the gate is to fail. */
export async function judgeQuality(
  session: WriteSession,
  { mode, quality }: LoadRequest,
  { load_id, event_id_base }: Loaded
): Promise<{ measures: Measures; warnings: Warning[] }> {
  const row = await one(session.run(load.measures, { load_id, event_id_base }))
  const measures = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]))
  // A full load is everything at once, and a replay is what was left over.
  if (quality.QUALITY_GATE === 'off' || mode !== 'incremental') return { measures, warnings: [] }
  const past = await pastMeasures(session)
  const warnings = past.length < FEWEST_LOADS ? [] : compare(measures, past, quality)
  if (warnings.length > 0 && quality.QUALITY_GATE === 'fail') {
    throw new ServiceError(
      'unlike_past_loads',
      `Nothing was published, because the load is unlike the ${past.length} before it: ` +
        `${warnings.map(({ name, detail }) => `${name}: ${detail}`).join('; ')}. ` +
        'Repair the objects; or, if they are right, load them with QUALITY_GATE=warn.'
    )
  }
  return { measures, warnings }
}

async function pastMeasures(session: WriteSession): Promise<Measures[]> {
  const { rows } = await session.run(fillLiterals(load.pastReceipts, { limit: PAST_LOADS }, session.engine))
  return rows.map((row) => (JSON.parse(String(row.receipt)) as Receipt).measures ?? {})
}

/** `plays` and `songs` are numbers of rows; whatever begins with them counts rows among those. */
function compare(measures: Measures, past: Measures[], rules: QualityRules): Warning[] {
  return (['plays', 'songs'] as const).flatMap((rows) => {
    const total = measures[rows] ?? 0
    // That nothing was new is no sign of anything.
    if (total === 0) return []
    const lacking = Object.keys(measures).filter((name) => name.startsWith(`${rows}_without_`))
    return [
      compareRows(rows, total, past, rules.QUALITY_MAX_FACTOR),
      ...lacking.map((name) => compareShares(rows, name, measures, past, rules.QUALITY_MAX_DRIFT))
    ].filter((warning) => warning !== undefined)
  })
}

function compareRows(rows: string, total: number, past: Measures[], factor: number): Warning | undefined {
  const before = past.map((each) => each[rows] ?? 0).filter((count) => count > 0)
  if (before.length < FEWEST_LOADS) return undefined
  const [least, most] = [Math.min(...before), Math.max(...before)]
  if (total <= most * factor && total >= least / factor) return undefined
  return warn(`rows of ${rows}`, `${total} now, ${least} to ${most} in the loads before`)
}

function compareShares(
  rows: string,
  name: string,
  measures: Measures,
  past: Measures[],
  drift: number
): Warning | undefined {
  const shareOf = (each: Measures) => (100 * (each[name] ?? 0)) / (each[rows] ?? 0)
  const before = past.filter((each) => (each[rows] ?? 0) >= FEWEST_ROWS && name in each).map(shareOf)
  if (before.length < FEWEST_LOADS || (measures[rows] ?? 0) < FEWEST_ROWS) return undefined
  const [least, most, now] = [Math.min(...before), Math.max(...before), shareOf(measures)]
  if (now <= most + drift && now >= least - drift) return undefined
  const percent = (share: number) => `${Number(share.toFixed(1))} %`
  return warn(
    name.replaceAll('_', ' '),
    `${percent(now)} now, ${percent(least)} to ${percent(most)} in the loads before`
  )
}

const warn = (name: string, detail: string): Warning => ({ name, status: 'warning', violations: 1, detail })
