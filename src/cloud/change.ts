/** The difference between what there is and what there should be, as steps: a plan shows them, a provision takes them. */
import type { PlannedAction } from './cluster-provider.ts'

export interface Change {
  planned: PlannedAction
  /** Safe to do again when it is not known whether it happened. */
  apply(signal: AbortSignal): Promise<void>
}

export const change = (
  action: PlannedAction['action'],
  resource: string,
  detail: string,
  apply: Change['apply']
): Change => ({ planned: { action, resource, detail }, apply })
