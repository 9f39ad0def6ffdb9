/**
 * The audit log: who changed what, and who was denied. The store refuses to change what is written, and each event holds the
 * hash of the one before, so that who goes around the store is found out.
 */
import type { AuditEvent, AuditQuery, AuditVerification } from '../schemas/audit.ts'
import type { Page } from '../schemas/common.ts'
import { readSql } from '../sql.ts'
import { queryOne, type Store } from '../store/store.ts'
import { readNumberCursor, toPage } from './pagination.ts'

const appendEvent = readSql('store/audit/append.sql')
const listEvents = readSql('store/audit/list.sql')
const verifyEvents = readSql('store/audit/verify.sql')

type EventRow = Omit<AuditEvent, 'at'> & { at: Date }

export type Audit = ReturnType<typeof createAudit>

export function createAudit(store: Store) {
  return {
    /** Appends an event. Events of several replicas form one chain. Throws `store_unavailable`. */
    async append(event: Omit<AuditEvent, 'id' | 'at' | 'hash'>): Promise<void> {
      await store.query(appendEvent, { ...event, at: new Date() })
    },

    /** One page of events, newest first. */
    async list({ cursor, limit, after, before, ...filters }: AuditQuery): Promise<Page<AuditEvent>> {
      const rows = await store.query<EventRow>(listEvents, {
        ...{ key_id: null, outcome: null, job_id: null, request_id: null, ...filters },
        ...{ after: after ?? null, before: before ?? null },
        ...{ before_id: readNumberCursor(cursor), limit: limit + 1 }
      })
      const events = rows.map(({ at, ...row }) => ({ ...row, at: at.toISOString() }))
      return toPage(events, limit, ({ id }) => id)
    },

    /** Computes the chain anew. */
    async verify(): Promise<AuditVerification> {
      const row = await queryOne<{
        events: number
        first_broken: number | null
        head_id: number
        is_whole: boolean
      }>(store, verifyEvents)
      const { events, first_broken, head_id: head, is_whole } = row
      return { intact: first_broken === null && is_whole, events, first_broken, head }
    }
  }
}
