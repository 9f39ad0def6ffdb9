import t from 'tap'
import { startRedshift } from './redshift/fixture.ts'

const { connect } = await startRedshift(t)
const { run } = await connect()

await run('create schema if not exists shop authorization awsuser quota 5 gb')
await run(`create table if not exists shop.plays (
  play_id bigint identity(0, 1) primary key,
  song_id varchar(256) encode zstd distkey,
  title varchar,
  at timestamp not null sortkey,
  ms double precision default 0
) backup yes diststyle key`)
await run('create table shop.users (id bigint, level varchar(max)) diststyle all compound sortkey(level, id)')
await run('create table shop.times (id bigint) diststyle even sortkey auto encode auto')
await run('create table shop.other (like shop.plays including defaults, extra integer)')
await run('create temp table scratch distkey(n) sortkey(n) as select 1 as n')

t.test('SVV_TABLE_INFO tells distribution and skew, and leaves empty tables out', async (t) => {
  const info = `select "schema", "table", diststyle, sortkey1, sortkey_num, max_varchar, tbl_rows, skew_rows, encoded
    from svv_table_info where "schema" = 'shop' order by "table"`
  t.same(await run(info), [])
  await run(`insert into shop.plays (song_id, at) values ('a', '2018-11-01')`)
  await run('insert into shop.users values (1)')
  await run('insert into shop.times values (1), (2)')
  const encoded = 'Y, AUTO(ENCODE)'
  t.match(await run(info), [
    {
      table: 'plays',
      diststyle: 'KEY(song_id)',
      sortkey1: 'at',
      sortkey_num: 1,
      max_varchar: 256,
      skew_rows: '100.00'
    },
    {
      table: 'times',
      diststyle: 'EVEN',
      sortkey1: 'AUTO(SORTKEY)',
      sortkey_num: 0,
      tbl_rows: '2',
      skew_rows: '1.00'
    },
    {
      table: 'users',
      diststyle: 'ALL',
      sortkey1: 'level',
      sortkey_num: 2,
      max_varchar: 65535,
      skew_rows: null,
      encoded
    }
  ])
  await run(`insert into shop.plays (song_id, at) select chr(65 + n), '2018-11-01' from (${digits()}) as d`)
  const [{ skew_rows } = {}] = await run(info)
  t.ok(Number(skew_rows) > 1, `${skew_rows}`)
})

/** Numbers from 0 to 99 without a set-returning function. */
function digits() {
  const ten = Array.from({ length: 10 }, (_, n) => `select ${n} as n`).join(' union all ')
  return `select a.n * 10 + b.n as n from (${ten}) as a cross join (${ten}) as b`
}

t.test('a table under an exclusive lock does not stop the view', async (t) => {
  const other = await connect()
  await other.run('begin')
  await other.run('lock shop.users')
  await run('analyze shop.plays')
  t.ok((await run(`select "table" from svv_table_info where "schema" = 'shop'`)).length >= 2)
  await other.run('rollback')
})

t.test('PG_TABLE_DEF shows the columns of the search path only', async (t) => {
  const definition = `select "column", type, trim(encoding) as encoding, distkey, sortkey, "notnull" from pg_table_def
    where tablename = 'plays' and schemaname = 'shop'`
  t.same(await run(definition), [])
  await run('set search_path to shop')
  const plain = { distkey: false, sortkey: 0, notnull: false }
  t.same(await run(definition), [
    { ...plain, column: 'play_id', type: 'bigint', encoding: 'az64', notnull: true },
    { ...plain, column: 'song_id', type: 'character varying(256)', encoding: 'zstd', distkey: true },
    { ...plain, column: 'title', type: 'character varying(256)', encoding: 'lzo' },
    {
      ...plain,
      column: 'at',
      type: 'timestamp without time zone',
      encoding: 'none',
      sortkey: 1,
      notnull: true
    },
    { ...plain, column: 'ms', type: 'double precision', encoding: 'none' }
  ])
  await run('reset search_path')
})

t.test('SVV_TABLES, SVV_COLUMNS and the information schema list what there is', async (t) => {
  t.same(
    await run(
      `select table_schema, table_name, table_type from svv_tables where table_schema = 'shop' order by table_name`
    ),
    ['other', 'plays', 'times', 'users'].map((table_name) => ({
      ...{ table_schema: 'shop', table_name, table_type: 'BASE TABLE' }
    }))
  )
  const columns = (view: string) =>
    run(`select column_name, data_type, is_nullable, character_maximum_length from ${view}
      where table_schema = 'shop' and table_name = 'users' order by ordinal_position`)
  const expected = [
    { column_name: 'id', data_type: 'bigint', is_nullable: 'YES', character_maximum_length: null },
    {
      column_name: 'level',
      data_type: 'character varying',
      is_nullable: 'YES',
      character_maximum_length: 65535
    }
  ]
  t.same(await columns('svv_columns'), expected)
  t.same(await columns('information_schema.columns'), expected)
  t.same(await run(`select table_name from svv_tables where table_schema = 'emulator'`), [])
})

t.test('STV_DB_ISOLATION_LEVEL tells how transactions see each other, in padded columns', async (t) => {
  t.same(await run('select * from stv_db_isolation_level'), [
    { db_name: 'dev'.padEnd(128), isolation_level: 'Snapshot Isolation'.padEnd(20) }
  ])
  const serializable = await (await startRedshift(t, { isolation: 'serializable' })).connect()
  t.same(await serializable.run('select trim(isolation_level) as level from stv_db_isolation_level'), [
    { level: 'Serializable' }
  ])
})

t.test('serializable databases refuse what snapshots let pass', async (t) => {
  for (const [isolation, fails] of [
    ['snapshot', false],
    ['serializable', true]
  ] as const) {
    const { connect } = await startRedshift(t, { isolation })
    const [one, two] = [await connect(), await connect()]
    await one.run('create table x (n integer)')
    await one.run('create table y (n integer)')
    for (const { run } of [one, two]) await run('begin')
    await one.run('select count(*) from x')
    await two.run('select count(*) from y')
    await one.run('insert into y values (1)')
    await two.run('insert into x values (1)')
    await one.run('commit')
    const result = await two.run('commit').then(
      () => 'committed',
      (error) => error.message
    )
    t.equal(result, fails ? '1023' : 'committed', isolation)
  }
})
