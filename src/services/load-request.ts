/** What the parts of a load tell each other. */
import type { Config } from '../config.ts'
import type { EtlParams } from '../schemas/etl.ts'

export type QualityRules = Pick<Config, 'QUALITY_GATE' | 'QUALITY_MAX_DRIFT' | 'QUALITY_MAX_FACTOR'>

/** Which load it is, and how it may end. */
export interface LoadRequest {
  job_id: string
  mode: EtlParams['mode'] | 'replay'
  /** More rejects than this, and nothing is published. */
  allowed_rejects: number
  /** How the caller has put that. */
  max_rejects: EtlParams['max_rejects']
  /** Objects found that the ledger knew already. */
  objects_skipped: number
  /** Called with the rows written last and the share of the transform that is done. */
  onProgress: (progress: { rows: number; fraction: number }) => void
  quality: QualityRules
  reject_retention_days: number
}

/** What a transform did to the tables of the star. */
export type TableChanges = Map<string, { inserted: number; deleted: number }>

/** What the transform leaves for the steps after it. */
export interface Loaded {
  load_id: number
  data_version: number
  event_id_base: number
  reject_id_base: number
  tables: TableChanges
}
