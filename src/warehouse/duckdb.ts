/**
 * The embedded warehouse: one DuckDB file, opened by this process alone. Reading statements run on connections
 * of their own and see the last committed state; one writing session at a time.
 */
import { existsSync } from 'node:fs'
import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { ServiceError } from '../errors.ts'
import { type Params, parseSql, type Statement } from '../sql.ts'
import { classify, isCommitted, isFatal } from './duckdb-errors.ts'
import { schemas } from './table-definitions.ts'
import type { QueryOptions, Warehouse, WriteSession } from './warehouse.ts'

export interface DuckdbWarehouse extends Warehouse {
  readonly engine: 'duckdb'
  readonly path: string
  exists(): boolean
  /** Creates the file with its schemas; does nothing when it is there. */
  create(): Promise<void>
  /** Closes and deletes the file; a copy is kept at `snapshotPath` when given. */
  remove(snapshotPath?: string): Promise<void>
  /** Size of the file, in bytes. */
  size(): Promise<number>
}

export interface DuckdbOptions {
  path: string
  /** Where statements that exceed the memory put their intermediate data. */
  tempDirectory: string
  /** What the engine may take before it goes on in `tempDirectory`, in MiB. Default: 2500, or half of a small machine. */
  memoryMb?: number | undefined
}

/** Files that older engines do not read, whose text is compressed in a third of the time. */
const STORAGE_VERSION = 'v1.4.0'
const DEFAULT_MEMORY_MB = Math.min(2500, Math.floor(totalmem() / 2 ** 21))

const engine = () => import('./duckdb-engine.ts')

const createSchemas = schemas.map((schema) =>
  parseSql(`create ${schema}`, `create schema if not exists ${schema}`)
)
// Unqualified names, as in the seed documents' queries, are looked up here.
const setSearchPath = parseSql('duckdb/search-path', "set search_path = 'analytics,staging'")
const checkpoint = parseSql('duckdb/checkpoint', 'checkpoint')
const [begin, commit, rollback] = ['begin', 'commit', 'rollback'].map((text) =>
  parseSql(`duckdb/${text}`, text)
) as [Statement, Statement, Statement]

/** The warehouse in the file at `path`, which need not exist yet. */
export function createDuckdbWarehouse({
  path,
  tempDirectory,
  memoryMb = DEFAULT_MEMORY_MB
}: DuckdbOptions): DuckdbWarehouse {
  let opened: Promise<DuckDBInstance> | undefined
  let lastWriter: Promise<unknown> = Promise.resolve()
  // The engine makes a file that it does not find, and must not be closed under a connection: so nobody connects while the file is
  // deleted, which waits for those who have.
  let isLeaving = false
  let connections = 0
  let onIdle = () => {}

  const exists = () => existsSync(path)

  function open(): Promise<DuckDBInstance> {
    opened ??= openFile(path).catch((error) => {
      opened = undefined
      throw error
    })
    return opened
  }

  async function openFile(file: string): Promise<DuckDBInstance> {
    const { DuckDBInstance } = await engine()
    return DuckDBInstance.create(file, {
      temp_directory: tempDirectory,
      memory_limit: `${memoryMb}MiB`,
      storage_compatibility_version: STORAGE_VERSION,
      // Nothing is ever fetched: what a statement needs is in the binary.
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false'
    }).catch((cause) => {
      throw new ServiceError('warehouse_unavailable', `The warehouse file ${file} cannot be opened.`, {
        cause
      })
    })
  }

  async function shut() {
    const opening = opened
    opened = undefined
    const instance = await opening?.catch(() => undefined)
    instance?.closeSync()
  }

  async function connect() {
    if (isLeaving || !exists()) {
      throw new ServiceError('cluster_not_found', 'There is no cluster yet. Create it with PUT /v1/cluster.')
    }
    connections += 1
    try {
      const opening = open()
      const connection = await (await opening).connect()
      // Others may have opened the file again already: theirs stays open.
      const invalidate = async () => {
        if (opened === opening) await shut()
      }
      const close = () => {
        connection.closeSync()
        leave()
      }
      return { connection, invalidate, close }
    } catch (error) {
      leave()
      throw error
    }
  }

  function leave() {
    connections -= 1
    if (connections === 0) onIdle()
  }

  async function idle() {
    while (connections > 0) {
      await new Promise<void>((resolve) => {
        onIdle = resolve
      })
    }
  }

  /** Runs `work` on a connection of its own and closes it, whatever happens. */
  async function onConnection<Result>(
    work: (connection: DuckDBConnection, invalidate: () => Promise<void>) => Promise<Result>
  ): Promise<Result> {
    const { connection, invalidate, close } = await connect()
    try {
      await connection.run(setSearchPath.text)
      return await work(connection, invalidate)
    } catch (error) {
      if (isFatal(error)) await invalidate()
      throw classify(error)
    } finally {
      close()
    }
  }

  async function* stream(statement: Statement, params?: Params, { signal }: QueryOptions = {}) {
    const { streamOn } = await engine()
    const { connection, invalidate, close } = await connect()
    try {
      await connection.run(setSearchPath.text)
      yield* streamOn(connection, statement, params, signal)
    } catch (error) {
      if (isFatal(error)) await invalidate()
      throw classify(error)
    } finally {
      close()
    }
  }

  async function write<Result>(work: (session: WriteSession) => Promise<Result>, options?: QueryOptions) {
    return onConnection(async (connection, invalidate) => {
      const session = await createSession(connection, options?.signal, invalidate)
      try {
        return await work(session)
      } catch (error) {
        // Fails when no transaction is open, which is as well.
        await connection.run(rollback.text).catch(() => {})
        throw error
      }
    })
  }

  return {
    engine: 'duckdb',
    path,
    exists,

    async create() {
      if (exists()) return runAll(await open(), createSchemas)
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      // Under another name until it is whole: nobody meets a file without schemas, whenever this ends.
      const draft = `${path}.new`
      await removeFile(draft)
      try {
        const instance = await openFile(draft)
        // What is still in the log would not come along.
        await runAll(instance, [...createSchemas, checkpoint]).finally(() => instance.closeSync())
        await rename(draft, path)
      } catch (error) {
        await removeFile(draft)
        throw classify(error)
      }
    },

    async remove(snapshotPath) {
      if (!exists()) return
      await onConnection((connection) => connection.run(checkpoint.text))
      isLeaving = true
      try {
        await idle()
        await shut()
        if (snapshotPath !== undefined) {
          await mkdir(dirname(snapshotPath), { recursive: true, mode: 0o700 })
          await copyFile(path, snapshotPath)
        }
        await removeFile(path)
      } finally {
        isLeaving = false
      }
    },

    size: async () => (await stat(path)).size,

    run: (statement, params, options) =>
      onConnection(async (connection) =>
        (await engine()).runOn(connection, statement, params, options?.signal)
      ),

    stream,

    // One file has no slices.
    skew: async () => new Map(),

    /** Writers wait for each other: that is the ledger's lock where one process owns the file. */
    write(work, options) {
      const turn = lastWriter.then(
        () => write(work, options),
        () => write(work, options)
      )
      lastWriter = turn.catch(() => {})
      return turn
    },

    close: shut
  }
}

/** Its log first: one that is left behind would be taken for the log of the next file of that name. */
async function removeFile(path: string) {
  await rm(`${path}.wal`, { force: true })
  await rm(path, { force: true })
}

async function runAll(instance: DuckDBInstance, statements: Statement[]) {
  const connection = await instance.connect()
  try {
    for (const { text } of statements) await connection.run(text)
  } finally {
    connection.closeSync()
  }
}

async function createSession(
  connection: DuckDBConnection,
  signal: AbortSignal | undefined,
  invalidate: () => Promise<void>
): Promise<WriteSession> {
  const { createStaging, runOn } = await engine()
  const run = (statement: Statement, params?: Params) => runOn(connection, statement, params, signal)
  return {
    engine: 'duckdb',
    run,
    place: async (path) => pathToFileURL(path).href,
    ...createStaging(connection, run),
    begin: async () => void (await run(begin)),
    // The write queue of the one process that has the file open is the lock.
    lockLedger: async () => {},
    async commit() {
      try {
        await run(commit)
      } catch (error) {
        if (!isCommitted(error)) throw error
        await invalidate()
      }
    },
    rollback: async () => void (await runOn(connection, rollback))
  }
}
