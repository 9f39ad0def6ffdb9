import { createHash } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { parseSql } from '../../src/sql.ts'
import { type Migration, migrate, readMigrations } from '../../src/store/migrate.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import type { Store } from '../../src/store/store.ts'
import { temporaryDirectory, writeFiles } from '../files.ts'
import { openTestPglite } from '../helper.ts'
import { createEmptyDatabase } from '../postgres.ts'

/**
 * SHA-256 of every migration that has landed. Some store has applied it and will not apply it again, so what
 * is changed here reaches new stores only: add a migration instead, and its line below.
 */
const landed: Record<string, string> = {
  '001-control-store.sql': '8fe65a2e7c70bcbef1fb1304cc8ef60b95f4966e061790e4e1ae233ff3296d63',
  '002-job-feed.sql': 'be01b1f1007b1b1a731fc2456c780bb62e19bded111cfb6735fdcc2165eed868',
  '003-job-engine.sql': '05948ba88b053917509978d325a5584f757de4b33124ee9d36a854addb62d4c1',
  '004-schedules.sql': '9b0c60c5d71ac10506195008e8033d0e2ef19d233b26ba7f1624f6d94a2f1cf7',
  '005-webhooks.sql': '6b3b396a1bd8f284638cfb0e21b4e5ba00b1f8dd9419341597365f7e1b623889',
  '006-retention.sql': 'ccb41e588b106966fda48a80fae1b7d7b8586b046e7f5f56ac9d08fbb34abfed',
  '007-warehouse-state.sql': 'b32e6fbd55611dccdf8b5180ea492d836c27974f901198c57a59839fe50a4740',
  '008-keys-and-audit.sql': 'e3064bcc8559f4887e48001f83d4ff1e1c8e9752fefeea1fcdf80981fc752d36',
  '009-cluster-usage.sql': 'e0a65219bd39585e06c52bf59e9cc0ffe3c8ac5370489443554e3694e01028ba'
}

const migration = (version: number, script: string): Migration => ({
  version,
  name: `${String(version).padStart(3, '0')}-test.sql`,
  script
})
const first = migration(1, "create table one (id integer); insert into one values (1); -- it's the first")
const second = migration(
  2,
  'create table two (id integer); create function three() returns integer language sql as $$ select 3 $$;'
)
const broken = migration(
  3,
  'create table three (id integer); insert into three values (1); select 1 / 0; create table four ()'
)

const selectTables = parseSql(
  'test',
  "select table_name as name from information_schema.tables where table_schema = 'public' order by table_name"
)
const selectApplied = parseSql(
  'test',
  'select version, name, applied_at from schema_migrations order by version'
)
const selectOne = parseSql('test', 'select id from one')

const tables = async (store: Store) =>
  (await store.query<{ name: string }>(selectTables)).map(({ name }) => name)

/** A store without tables. */
async function openEmpty(t: Test, engine: Store['engine']): Promise<Store> {
  if (engine === 'postgres') {
    const store = await openPostgres(await createEmptyDatabase(t))
    t.teardown(() => store.close())
    return store
  }
  const store = await openTestPglite(t)
  await store.transaction((tx) => tx.script('drop schema public cascade; create schema public'))
  return store
}

for (const engine of ['pglite', 'postgres'] as const) {
  t.test(`migrations on ${engine}`, async (t) => {
    const store = await openEmpty(t, engine)

    await t.test('those that come with the service are applied once', async (t) => {
      t.same(await migrate(store), Object.keys(landed))
      const applied = await store.query(selectApplied)
      t.match(
        applied,
        Object.keys(landed).map((name, index) => ({ version: index + 1, name, applied_at: Date }))
      )
      t.same(await migrate(store), [])
      t.same(await store.query(selectApplied), applied)
      t.same(await tables(store), [
        'api_keys',
        'audit_events',
        'audit_head',
        'cluster_usage',
        'idempotency_keys',
        'job_attempts',
        'job_events',
        'jobs',
        'schedules',
        'schema_migrations',
        'warehouse_state',
        'webhook_deliveries'
      ])
      await store.transaction((tx) => tx.script('drop schema public cascade; create schema public'))
    })

    await t.test('only the missing ones are applied, in order', async (t) => {
      t.same(await migrate(store, [first]), ['001-test.sql'])
      t.same(await migrate(store, [first, second]), ['002-test.sql'])
      t.same(await migrate(store, [first, second]), [])
      t.same(await tables(store), ['one', 'schema_migrations', 'two'])
      t.same(await store.query(selectOne), [{ id: 1 }])
    })

    await t.test('one that fails takes the whole run back', async (t) => {
      await store.transaction((tx) => tx.script('drop schema public cascade; create schema public'))
      await t.rejects(migrate(store, [first, second, broken]), { code: '22012' })
      t.same(await tables(store), [])
      t.same(await migrate(store, [first]), ['001-test.sql'])
      await t.rejects(migrate(store, [first, second, broken]), { code: '22012' })
      t.same(await tables(store), ['one', 'schema_migrations'])
    })

    await t.test('one that this version does not know is refused, and nothing is changed', async (t) => {
      await migrate(store, [first, second])
      const before = await store.query(selectApplied)
      const renamed = { ...second, name: '002-other.sql' }
      const third = migration(3, 'create table three (id integer)')
      for (const known of [[first], [first, renamed], [first, renamed, third], []]) {
        const unknown = known.length === 0 ? first : second
        await t.rejects(migrate(store, known), {
          message: `The control store has migration ${unknown.name}, which this version does not know. Run the version that applied it, or a newer one.`
        })
      }
      t.same(await store.query(selectApplied), before)
      t.same(await tables(store), ['one', 'schema_migrations', 'two'])
    })
  })
}

t.test('five processes that start at once apply the migrations once', async (t) => {
  const url = await createEmptyDatabase(t)
  const stores = await Promise.all(Array.from({ length: 5 }, () => openPostgres(url)))
  t.teardown(() => Promise.all(stores.map((store) => store.close())))
  const slow = migration(1, 'select pg_sleep(0.1); create table one (id integer); insert into one values (1)')
  const results = await Promise.all(stores.map((store) => migrate(store, [slow, second])))
  t.same(
    results.sort((a, b) => b.length - a.length),
    [[slow.name, second.name], [], [], [], []]
  )
  const [store] = stores as [Store]
  t.same(await store.query(selectOne), [{ id: 1 }])
  t.match(await store.query(selectApplied), [{ version: 1 }, { version: 2 }])
})

t.test('files are numbered without a gap', async (t) => {
  const read = (...names: string[]) => {
    const directory = temporaryDirectory(t)
    writeFiles(directory, Object.fromEntries(names.map((name) => [name, `select '${name}'`])))
    return readMigrations(pathToFileURL(`${directory}/`))
  }
  t.same(read('002-b.sql', '001-a-1.sql', 'README.md'), [
    { version: 1, name: '001-a-1.sql', script: "select '001-a-1.sql'" },
    { version: 2, name: '002-b.sql', script: "select '002-b.sql'" }
  ])
  t.throws(() => read('001-a.sql', '003-b.sql'), { message: '003-b.sql is number 2 of the migrations' })
  t.throws(() => read('001-a.sql', '001-b.sql'), { message: '001-b.sql is number 2 of the migrations' })
  t.throws(() => read('002-b.sql'), { message: '002-b.sql is number 1 of the migrations' })
  for (const name of ['1-a.sql', '0001-a.sql', '001-A.sql', '001_a.sql', '001.sql', '001-a b.sql']) {
    t.throws(() => read(name), { message: `${name} is not named NNN-name.sql` })
  }
})

t.test('a migration that has landed is never changed', async (t) => {
  const migrations = readMigrations()
  for (const { name, script } of migrations) {
    const digest = createHash('sha256').update(script).digest('hex')
    t.ok(landed[name], `${name} is new: add its SHA-256 to this test, ${digest}`)
    t.equal(digest, landed[name] ?? digest, `${name} was changed: restore it and add a new migration instead`)
  }
  t.same(
    migrations.map(({ name }) => name),
    Object.keys(landed),
    'a migration that has landed is neither removed nor renamed'
  )
})
