import t from 'tap'
import { startRedshift } from './redshift/fixture.ts'
import { refusals } from './redshift/refused-statements.ts'

const { connect } = await startRedshift(t)
const { run, fails } = await connect()
await run('create table plays (id bigint not null, title varchar(20), ms double precision)')
await run('create table songs (id bigint not null, title varchar(20))')
await run(`insert into plays values (1, 'a', 1.5)`)

for (const [kind, list] of Object.entries(refusals)) {
  t.test(kind, async (t) => {
    for (const [statement, code, message, values] of list) {
      t.match(await fails(statement, values), { code, message }, statement)
    }
    t.same(await run('select count(*) as n from plays'), [{ n: '1' }], 'nothing was changed')
  })
}

t.test('what looks like it and is not refused', async (t) => {
  for (const statement of [
    `select "raw", p.tag from (select 1 as "raw", 2 as "tag") as p`,
    `select timestamp '2018-01-01' + interval '1 day' as time, cast('2018-01-01' as timestamp) as date`,
    `select 'returning', 'on conflict', 'e' || 'x', "limit" from (select 1 as "limit") as q -- for update`,
    `select substring(title from 1 for 2), trim(both 'a' from title), extract(year from timestamp '2018-01-01') from plays`,
    `select sum(ms) over (partition by title), sum(ms) over (order by id rows unbounded preceding),
       row_number() over (order by id desc nulls last), lag(id) over (order by id) from plays`,
    `select id from plays where id = any (select id from songs) or id in (1, 2) or exists (select 1 from songs)`,
    `select generate_series(1, 3), current_schema, substr('abc', 1, 2), log(10.0)`,
    `select p.id, count(*) from plays p inner join songs s using (id) group by p.id having count(*) > 1`,
    `select coalesce(title, 'x'), case when id > 1 then 'a' else 'b' end from plays order by 1 limit 5 offset 1`,
    `select relname from pg_class where relname = 'plays'`,
    `with a (n) as (select 1), b as (select n from a) select * from b`,
    `with recursive r (n) as (select 1 union all select n + 1 from r where n < 3) select * from r`,
    `select first, time, users, level, location, month, week, weekday, hour, status, method from (select 1 as first,
       2 as time, 3 as users, 4 as level, 5 as location, 6 as month, 7 as week, 8 as weekday, 9 as hour, 10 as status,
       11 as method) as names`,
    `grant select on plays to public`,
    `create table if not exists plays (other integer)`
  ]) {
    await t.resolves(run(statement), statement)
  }
  t.same(await run('select $1::integer as n limit 5', [1]), [{ n: 1 }])
  t.same(await run('select id from plays where id between $1 and $2', [1, 2]), [{ id: '1' }])
})

t.test('a refusal inside a transaction makes it fail', async (t) => {
  await run('begin')
  await run('delete from plays')
  await fails('select distinct on (id) id from plays')
  t.match(await fails('select 1'), { code: '25P02' })
  t.match(await fails('select cast($1 as integer)', [1]), { code: '25P02' })
  await run('commit')
  t.same(await run('select count(*) as n from plays'), [{ n: '1' }])
})

t.test('parameters of CREATE TABLE AS can be refused too', async (t) => {
  await run('create temp table bound as select id from plays where id = cast($1 as bigint)', [1])
  t.same(await run('select id from bound'), [{ id: '1' }])
  const strict = await (await startRedshift(t, { refuseBindsInCreateTableAs: true })).connect()
  t.match(await strict.fails('create temp table bound as select cast($1 as bigint) as id', [1]), {
    code: '42601'
  })
})
