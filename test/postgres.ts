/** A real PostgreSQL from npm. `tap run` starts one for all test files; a file that is run by itself starts its own. */
import pg from 'pg'
import tap, { type Test } from 'tap'
import { execute, launchPostgres, MIGRATED, urlOf } from './postgres-server.ts'
import { findSharedServer } from './shared-server.ts'

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

/** A connection to a new and empty database. */
export async function connectToEmptyDatabase(t: Test): Promise<pg.Client> {
  const client = new pg.Client(await createEmptyDatabase(t))
  await client.connect()
  t.teardown(() => client.end())
  return client
}

/** The URL of a new database that holds an empty, migrated store. */
export const createStoreDatabase = (t: Test): Promise<string> => createDatabase(t, MIGRATED)
