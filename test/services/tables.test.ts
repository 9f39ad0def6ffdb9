import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Scope } from '../../src/schemas/jobs.ts'
import type { JobHandler } from '../../src/services/job-handler.ts'
import type { Jobs } from '../../src/services/jobs.ts'
import { createTables } from '../../src/services/tables.ts'
import { parseSql } from '../../src/sql.ts'
import { createDuckdbWarehouse } from '../../src/warehouse/duckdb.ts'
import { fakeContext, type LoadOptions } from '../etl-fixture.ts'
import { temporaryDirectory } from '../files.ts'

const names = [
  ...['staging.events', 'staging.songs', 'analytics.artists', 'analytics.songplays', 'analytics.songs'],
  ...['analytics.time', 'analytics.users', 'ops.load_lock', 'ops.loaded_objects', 'ops.loads', 'ops.rejects']
]
const confirm = 'sparkify'
const actor = (scope: Scope) => ({ key_id: 'key_1', name: 'test', scope })

/** The tables of a warehouse of their own; `started` lists the jobs that were asked for. */
async function openTables(t: Test, { cluster = true } = {}) {
  const directory = temporaryDirectory(t)
  const warehouse = createDuckdbWarehouse({
    path: join(directory, 'test.duckdb'),
    tempDirectory: join(directory, 'temp')
  })
  t.teardown(() => warehouse.close())
  if (cluster) await warehouse.create()
  const started: string[] = []
  const jobs: Pick<Jobs, 'start'> = {
    async start(type, _params, _actor, options) {
      await options?.check?.()
      started.push(type)
      return { job: {} as Awaited<ReturnType<Jobs['get']>>, replayed: false }
    }
  }
  const tables = createTables({ warehouse, jobs: jobs as Jobs, config: { DATABASE_NAME: confirm } })
  return {
    ...{ warehouse, tables, started },
    run: (handler: JobHandler, options: LoadOptions = {}) => handler.run(fakeContext(options, [])),
    exec: (sql: string) => warehouse.write((session) => session.run(parseSql('test', sql))),
    /** Row counts by table; null where a table is not there. */
    async counts() {
      const { items } = await tables.list()
      return Object.fromEntries(items.map(({ schema, name, row_count }) => [`${schema}.${name}`, row_count]))
    }
  }
}

const all = (count: number | null) => Object.fromEntries(names.map((name) => [name, count]))
const addUser = "insert into analytics.users values (1, 'Ida', 'Lie', 'F', 'free')"

t.test('create makes what is missing and leaves the rest alone', async (t) => {
  const { tables, run, exec, counts } = await openTables(t)
  t.same(await counts(), all(null))
  const steps: string[] = []
  const result = await run(tables.createHandler, { onStep: (name) => steps.push(name) })
  t.same(result, { tables: names })
  t.same(steps, ['create'])
  t.same(await counts(), all(0))

  await exec(addUser)
  await exec('drop table analytics.time')
  t.same(await counts(), { ...all(0), 'analytics.users': 1, 'analytics.time': null })
  await run(tables.createHandler)
  t.same(await counts(), { ...all(0), 'analytics.users': 1 })
})

t.test('recreate and drop', async (t) => {
  const { tables, run, exec, counts } = await openTables(t)
  await run(tables.createHandler)
  await exec(addUser)
  const steps: string[] = []
  await run(tables.recreateHandler, { onStep: (name) => steps.push(name) })
  t.same(steps, ['drop', 'create'])
  t.same(await counts(), all(0))
  await run(tables.dropHandler)
  t.same(await counts(), all(null))
  await run(tables.dropHandler)
  await run(tables.recreateHandler)
  t.same(await counts(), all(0), 'whatever was there before')
})

t.test('readers see the tables as before or as after, never between', async (t) => {
  const { tables, run, exec, counts } = await openTables(t)
  await run(tables.createHandler)
  await exec(addUser)
  const before = { ...all(0), 'analytics.users': 1 }
  const { promise: looked, resolve } = Promise.withResolvers<unknown>()
  const { recreateHandler } = tables
  const context = fakeContext({}, [])
  await recreateHandler.run({
    ...context,
    // Between dropping and creating.
    step: async (name) => void (name === 'create' && resolve(await counts()))
  })
  t.same(await looked, before)
  t.same(await counts(), all(0))

  await exec(addUser)
  const stop = new AbortController()
  const reason = new Error('stopped')
  const onStep = (name: string) => void (name === 'create' && stop.abort(reason))
  await t.rejects(run(recreateHandler, { signal: stop.signal, onStep }), reason)
  t.same(await counts(), before, 'a job that is stopped half way drops nothing')
})

t.test('a table of another shape does not pass for ours', async (t) => {
  const { tables, run, exec, counts } = await openTables(t)
  const columns = 'user_id bigint, first_name varchar, last_name varchar, gender varchar'
  for (const shape of [columns, `${columns}, level varchar, age bigint`, `level varchar, ${columns}`]) {
    await exec(`create table analytics.users (${shape})`)
    await exec('create table ops.loads (load_id bigint)')
    await t.rejects(run(tables.createHandler), {
      code: 'tables_outdated',
      status: 409,
      message:
        'These tables exist with other columns: analytics.users, ops.loads. ' +
        'POST /v1/tables with recreate drops and creates them.'
    })
    t.same(await counts(), { ...all(null), 'analytics.users': 0, 'ops.loads': 0 }, 'nothing was created')
    await run(tables.recreateHandler)
    t.same(await counts(), all(0))
    await run(tables.dropHandler)
  }
})

t.test('what drops rows must be confirmed, and needs the scope admin', async (t) => {
  const { tables, started } = await openTables(t)
  const mismatch = {
    code: 'confirmation_mismatch',
    status: 422,
    message: /^This drops every table with its rows and the load ledger\. confirm must be .*, sparkify\.$/
  }
  for (const wrong of [undefined, '', 'Sparkify', 'sparkify ']) {
    await t.rejects(tables.create({ recreate: true, confirm: wrong }, actor('admin'), {}), mismatch)
    await t.rejects(tables.drop(wrong ?? 'no', actor('admin'), {}), mismatch)
  }
  await t.rejects(tables.create({ recreate: true, confirm }, actor('operate'), {}), {
    code: 'insufficient_scope',
    status: 403
  })
  t.same(started, [])

  await tables.create({}, actor('operate'), {})
  await tables.create({ recreate: false, confirm: 'anything' }, actor('operate'), {})
  await tables.create({ recreate: true, confirm }, actor('admin'), {})
  await tables.drop(confirm, actor('admin'), {})
  t.same(started, ['tables.create', 'tables.create', 'tables.recreate', 'tables.drop'])
})

t.test('without a cluster nothing is started', async (t) => {
  const { tables, started } = await openTables(t, { cluster: false })
  const absent = { code: 'cluster_not_found', status: 409 }
  await t.rejects(tables.create({}, actor('admin'), {}), absent)
  await t.rejects(tables.drop(confirm, actor('admin'), {}), absent)
  await t.rejects(tables.list(), absent)
  await t.rejects(tables.get('analytics.users'), absent)
  t.same(started, [])
})

t.test('one table', async (t) => {
  const { tables, run, exec } = await openTables(t)
  const shape = {
    ...{ schema: 'analytics', name: 'users' },
    description: 'One row for each user who has played, with the attributes of the latest play.',
    columns: [
      { name: 'user_id', type: 'bigint', nullable: false },
      { name: 'first_name', type: 'varchar(1024)', nullable: true },
      { name: 'last_name', type: 'varchar(1024)', nullable: true },
      { name: 'gender', type: 'varchar(256)', nullable: true },
      { name: 'level', type: 'varchar(256)', nullable: true }
    ],
    ...{ key: ['user_id'], distribution: { style: 'all' }, sort_key: [] }
  }
  t.same(await tables.get('analytics.users'), { ...shape, exists: false, row_count: null, skew: null })
  await run(tables.createHandler)
  await exec(addUser)
  t.same(await tables.get('analytics.users'), { ...shape, exists: true, row_count: 1, skew: null })
  const { items } = await tables.list()
  t.same(
    items.find(({ name }) => name === 'users'),
    await tables.get('analytics.users')
  )
  t.same(
    items.map(({ schema, name }) => `${schema}.${name}`),
    names
  )
  for (const unknown of ['users', 'analytics.user', 'ANALYTICS.USERS', '']) {
    await t.rejects(tables.get(unknown), {
      code: 'table_not_found',
      status: 404,
      message: `There is no table ${unknown}. There are: ${names.join(', ')}.`
    })
  }
})
