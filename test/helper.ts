/** What tests share: the real parts in directories of their own, closed when the test ends. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance, InjectOptions } from 'fastify'
import type { Test } from 'tap'
import { buildApp, type Parts } from '../src/app.ts'
import { type Config, loadConfig } from '../src/config.ts'
import { type OpenedParts, type Outside, openParts } from '../src/parts.ts'
import type { Job, Scope } from '../src/schemas/jobs.ts'
import { createApiKeys } from '../src/services/api-keys.ts'
import { migrate } from '../src/store/migrate.ts'
import { openPglite } from '../src/store/pglite.ts'
import { openPostgres } from '../src/store/postgres.ts'
import type { Store } from '../src/store/store.ts'
import { temporaryDirectory } from './files.ts'
import { createStoreDatabase } from './postgres.ts'
import { copyTemplate } from './templates.ts'

/** A migrated store without a row, as a new `DATA_DIR` has it below `store`; making one takes seconds. */
export async function copyEmptyPglite(directory: string): Promise<void> {
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

/** An empty, migrated store on the shared server. */
export async function openTestPostgres(t: Test): Promise<Store> {
  const store = await openPostgres(await createStoreDatabase(t))
  t.teardown(() => store.close())
  return store
}

/** The same tests on both stores: each gets an empty, migrated one. */
export async function openBothStores(t: Test): Promise<Store[]> {
  return [await openTestPglite(t), await openTestPostgres(t)]
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

/**
 * The whole service over DuckDB, not listening; closed when the test ends. Its store is a database of the shared
 * PostgreSQL, which costs a tenth of opening PGlite; with `DATA_DIR` alone given, or an empty
 * `DATABASE_URL`, it is PGlite.
 */
export async function build(
  t: Test,
  env: Record<string, string> = {},
  { outside, ...more }: Pick<Parts, 'clock'> & { outside?: Outside } = {}
): Promise<TestService> {
  const directory = env.DATA_DIR ?? temporaryDirectory(t)
  const sources = join(directory, 'sources')
  mkdirSync(join(sources, 'song_data'), { recursive: true })
  mkdirSync(join(sources, 'log_data'), { recursive: true })
  const isEmbedded = env.DATABASE_URL === '' || (env.DATA_DIR !== undefined && env.DATABASE_URL === undefined)
  if (isEmbedded && !existsSync(join(directory, 'store'))) await copyEmptyPglite(join(directory, 'store'))
  const config = loadConfig({
    DATA_DIR: directory,
    SONG_DATA: join(sources, 'song_data'),
    LOG_DATA: join(sources, 'log_data'),
    LOG_LEVEL: 'silent',
    ...(!isEmbedded && { DATABASE_URL: await createStoreDatabase(t) }),
    ...env
  })
  const parts = await openParts(config, outside)
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
    const isJson = response.body !== '' && /\bjson\b/.test(String(response.headers['content-type']))
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
