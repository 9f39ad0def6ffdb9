/** How many rejects a load may have. */
import type { EtlParams } from '../schemas/etl.ts'

/** Rejects that a failing load keeps with their text; the others are counted. */
export const REJECTS_KEPT_ON_FAILURE = 1000
/** The most that a share of the records may come to: their texts are kept. */
const MOST_BY_SHARE = 100_000

type MaxRejects = EtlParams['max_rejects']

/** The limit as a number, for so many records that were read. */
export const allowedRejects = (max_rejects: MaxRejects, read: number): number =>
  typeof max_rejects === 'number'
    ? max_rejects
    : Math.min(MOST_BY_SHARE, Math.floor((read * Number.parseFloat(max_rejects)) / 100))

/** How many rejects must be kept with their text before it is known how many records there are. */
export const rejectsToKeep = (max_rejects: MaxRejects): number =>
  Math.max(REJECTS_KEPT_ON_FAILURE, typeof max_rejects === 'number' ? max_rejects : MOST_BY_SHARE)
