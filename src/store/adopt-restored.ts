/** What a store needs when its rows come from another server. */
import { readSql } from '../sql.ts'
import type { Store } from './store.ts'

const adoptEvents = readSql('store/job-events/adopt-restored.sql')

/** Makes restored rows at home here. Nothing to do, and cheap, everywhere else. */
export async function adoptRestored(store: Store): Promise<void> {
  await store.query(adoptEvents)
}
