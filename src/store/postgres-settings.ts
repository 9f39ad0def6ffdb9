/** How every connection to the store is made. */
import pg from 'pg'

/** A connection that takes longer than this is given up, in ms. */
const CONNECT_TIMEOUT = 10_000

/**
 * A transaction that does nothing for so long, in ms, is the server's to roll back: its process is paused, and others may be
 * waiting for its locks.
 */
const IDLE_LIMIT = 10_000

const INT8_OID = 20

export const postgresSettings = (connectionString: string): pg.ClientConfig => ({
  connectionString,
  connectionTimeoutMillis: CONNECT_TIMEOUT,
  keepAlive: true,
  idle_in_transaction_session_timeout: IDLE_LIMIT,
  application_name: 'sparkify-warehouse',
  options: '-c timezone=UTC',
  types: {
    getTypeParser: (oid, format) => (oid === INT8_OID ? Number : pg.types.getTypeParser(oid, format))
  }
})
