/**
 * Brings the store's schema up to date. Migrations are `src/sql/store/migrations/NNN-name.sql`: numbered,
 * append-only, all applied in one transaction under an advisory lock, so that any number of processes may
 * start at once.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { parseSql } from '../sql.ts'
import type { Store } from './store.ts'

export interface Migration {
  version: number
  name: string
  script: string
}

const directory = new URL('../sql/store/migrations/', import.meta.url)

/** The migrations that come with this version, in order. Throws if a number is missing or used twice. */
export function readMigrations(from: URL = directory): Migration[] {
  const files = readdirSync(from).filter((file) => file.endsWith('.sql'))
  return files.sort().map((file, index) => {
    const match = /^(\d{3})-([a-z0-9-]+)\.sql$/.exec(file)
    if (match === null) throw new Error(`${file} is not named NNN-name.sql`)
    const version = Number(match[1])
    if (version !== index + 1) throw new Error(`${file} is number ${index + 1} of the migrations`)
    return { version, name: file, script: readFileSync(new URL(file, from), 'utf8') }
  })
}

const lock = parseSql('migrate/lock', "select pg_advisory_xact_lock(hashtext('sparkify-warehouse.migrate'))")
const createTable = parseSql(
  'migrate/create-table',
  `create table if not exists schema_migrations (
     version integer primary key, name text not null, applied_at timestamptz not null default now())`
)
const selectApplied = parseSql(
  'migrate/applied',
  'select version, name from schema_migrations order by version'
)
const insertApplied = parseSql(
  'migrate/record',
  'insert into schema_migrations (version, name) values (:version::integer, :name::text)'
)

/**
 * Applies the migrations that are missing and returns their names. Throws, and changes nothing, when the
 * store has migrations that this version does not know: a newer version has been here.
 */
export async function migrate(store: Store, migrations: Migration[] = readMigrations()): Promise<string[]> {
  return store.transaction(async (tx) => {
    await tx.query(lock)
    await tx.query(createTable)
    const applied = await tx.query<{ version: number; name: string }>(selectApplied)
    for (const { version, name } of applied) {
      if (migrations[version - 1]?.name !== name) {
        throw new Error(
          `The control store has migration ${name}, which this version does not know. Run the version that applied it, or a newer one.`
        )
      }
    }
    const pending = migrations.slice(applied.length)
    for (const { version, name, script } of pending) {
      await tx.script(script)
      await tx.query(insertApplied, { version, name })
    }
    return pending.map(({ name }) => name)
  })
}
