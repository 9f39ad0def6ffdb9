/** What a cluster costs, estimated from one dated table. */
import { readFileSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import { ConfigError } from '../config.ts'
import { misfits } from '../shape.ts'

const Price = Type.Number({ minimum: 0 })

const PriceTableSchema = Type.Object({
  as_of: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }),
  source: Type.String(),
  currency: Type.String({ pattern: '^[A-Z]{3}$' }),
  hours_per_month: Price,
  storage_per_gb_month: Price,
  /** Prices of this region stand in for a region that the table does not have. */
  default_region: Type.String(),
  /** By region and node type, for one node and hour. */
  regions: Type.Record(Type.String(), Type.Record(Type.String(), Price))
})
export type PriceTable = Static<typeof PriceTableSchema>

/** An estimate; the sums are null where the table has no price. */
export interface CostEstimate {
  currency: string
  per_hour: number | null
  per_month: number | null
  as_of: string
  note: string
}

/** Reads the table that comes with the service, or another one of the same form. Throws `ConfigError`. */
export function readPriceTable(file?: string): PriceTable {
  const name = file ?? 'src/cloud/price-table.json'
  let table: unknown
  try {
    table = JSON.parse(readFileSync(file ?? new URL('./price-table.json', import.meta.url), 'utf8'))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new ConfigError([`PRICE_TABLE_FILE names ${name}, which cannot be read (${code ?? message})`])
  }
  const [first] = misfits(PriceTableSchema, table)
  if (first === undefined) return table as PriceTable
  throw new ConfigError([
    `PRICE_TABLE_FILE names ${name}, where ${first.instancePath || '/'} ${first.message}`
  ])
}

export interface Priced {
  region: string
  nodeType: string
  nodes: number
}

/** What the nodes cost while they run. */
export function estimateCost(table: PriceTable, { region, nodeType, nodes }: Priced): CostEstimate {
  const prices = table.regions[region]
  const pricedRegion = prices === undefined ? table.default_region : region
  const price = (prices ?? table.regions[table.default_region])?.[nodeType]
  const perHour = price === undefined ? null : round(price * nodes)
  const sentences = [
    price === undefined
      ? `The table has no price for ${nodeType} in ${pricedRegion}; PRICE_TABLE_FILE can add it.`
      : `An estimate: ${nodes} x ${nodeType} on demand at the prices of ${pricedRegion}.`,
    prices === undefined ? `${pricedRegion} stands in for ${region}, which the table does not have.` : '',
    `Managed storage is billed on top, at about ${table.storage_per_gb_month} ${table.currency} per GB and month.`
  ]
  return {
    currency: table.currency,
    per_hour: perHour,
    per_month: perHour === null ? null : round(perHour * table.hours_per_month),
    as_of: table.as_of,
    note: sentences.filter(Boolean).join(' ')
  }
}

/** What a cluster costs whose nodes do not run. */
export function estimatePausedCost(table: PriceTable): CostEstimate {
  return {
    currency: table.currency,
    per_hour: 0,
    per_month: 0,
    as_of: table.as_of,
    note: `An estimate: a paused cluster costs its managed storage alone, at about ${table.storage_per_gb_month} ${table.currency} per GB and month.`
  }
}

const round = (sum: number): number => Math.round(sum * 1000) / 1000
