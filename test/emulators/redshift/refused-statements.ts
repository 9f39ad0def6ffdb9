/** What Redshift refuses and PostgreSQL does not, statement by statement, over tables `plays` and `songs`. */
import { copyOf, role } from './fixture.ts'
import { refusedNames } from './words.ts'

export type Refusal = [statement: string, code: string, message: RegExp, values?: unknown[]]

const near = (text: string) =>
  new RegExp(`^syntax error at or near "${text.replace(/[$[\]()]/g, '\\$&')}"$`, 'i')
const unsupported = /is not supported$/
const leaderOnly =
  /^Specified types or functions \(one per INFO message\) not supported on Redshift tables\.$/
const noFunction = (name: string) => new RegExp(`^function ${name}\\(\\) does not exist$`)

export const refusals: Record<string, Refusal[]> = {
  'clauses of INSERT, UPDATE and DELETE': [
    [`insert into plays (id) values (1) on conflict do nothing`, '42601', near('conflict')],
    [`insert into plays (id) values (1) on conflict (id) do update set ms = 1`, '42601', near('conflict')],
    [`insert into plays (id) values (1) returning id`, '42601', near('returning')],
    [`update plays set ms = 1 returning *`, '42601', near('returning')],
    [`delete from plays returning *`, '42601', near('returning')],
    [`insert into plays (id) overriding system value values (1)`, '42601', near('overriding')],
    [
      `with new_rows as (select 5 as id) insert into plays (id) select id from new_rows`,
      '42601',
      near('insert')
    ],
    [`with gone as (delete from plays) select 1`, '42601', near('delete')],
    [`insert into stl_load_errors (query) values (1)`, '42501', /^permission denied/],
    [`insert into pg_class (relname) values ('x')`, '42501', /^permission denied/]
  ],
  'clauses of SELECT': [
    [`select distinct on (title) title from plays`, '42601', near('on')],
    [`select count(*) filter (where ms > 1) from plays`, '42601', near('filter')],
    [`select * from plays, lateral (select 1) as x`, '42601', near('lateral')],
    [`select * from (values (1), (2)) as v (n)`, '42601', near('values')],
    [`values (1), (2)`, '42601', near('values')],
    [`with v as (values (1)) select * from v`, '42601', near('values')],
    [`table plays`, '42601', near('table')],
    [`select * from plays for update`, '0A000', unsupported],
    [`select * from plays for share`, '0A000', unsupported],
    [`select * from plays for update skip locked`, '0A000', unsupported],
    [`select id from plays where title is distinct from 'a'`, '42601', near('distinct')],
    [`select id from plays where title is not distinct from 'a'`, '42601', near('distinct')],
    [`select id from plays except all select id from songs`, '42601', near('all')],
    [`select id from plays intersect all select id from songs`, '42601', near('all')],
    [`select id from plays fetch first 1 row only`, '42601', near('fetch')],
    [`select id from plays tablesample system (10)`, '42601', near('tablesample')],
    [`explain analyze select 1`, '42601', near('analyze')],
    [`explain (format json) select 1`, '42601', near('(')]
  ],
  windows: [
    [`select sum(ms) over (order by id) from plays`, '42601', /require a frame clause$/],
    [`select count(*) over (partition by title order by id) from plays`, '42601', /require a frame clause$/],
    [`select first_value(id) over (order by id) from plays`, '42601', /require a frame clause$/],
    [
      `select sum(ms) over (order by id range between unbounded preceding and current row) from plays`,
      '42601',
      near('range')
    ],
    [`select row_number() over w from plays window w as (order by id)`, '42601', near('window')],
    [`select row_number() over w from plays`, '42601', near('w')],
    [
      `select row_number() over (w order by id) from plays window w as (partition by id)`,
      '42601',
      near('window')
    ],
    [`select row_number() over (w order by id) from plays`, '42601', near('w')],
    [`select count(distinct id) over (partition by title) from plays`, '0A000', /^DISTINCT is not supported/],
    [`select row_number() over (order by 1) from plays`, '0A000', /^constant expressions are not supported/],
    [`select row_number() over (partition by 'x' order by id) from plays`, '0A000', /^constant expressions/]
  ],
  'arrays and types': [
    [`select array[1, 2]`, '42601', near('[')],
    [`select '{1,2}'::int[]`, '42601', near('[')],
    [`select id from plays where id = any ('{1,2}')`, '0A000', /ANY\/ALL \(array\)/],
    [`select id from plays where id = any ($1)`, '0A000', /ANY\/ALL \(array\)/, [[1, 2]]],
    [`select '{}'::json`, '42704', /^type "json" does not exist$/],
    [`select cast('{}' as jsonb)`, '42704', /^type "jsonb" does not exist$/],
    [`select uuid '5b30857f-0bfa-48b5-ac0b-5c64e28078d1'`, '42704', /^type "uuid" does not exist$/],
    [`select cast('x' as bytea)`, '42704', /^type "bytea" does not exist$/],
    ...[
      'json',
      'jsonb',
      'uuid',
      'bytea',
      'serial',
      'bigserial',
      'xml',
      'inet',
      'money',
      'integer[]',
      'tsvector'
    ].map(
      (type): Refusal => [
        `create table refused (c ${type})`,
        '0A000',
        new RegExp(`^Column "refused.c" has unsupported type "${type.replace('[]', '\\[\\]')}"\\.$`)
      ]
    ),
    [`create table refused (c mood)`, '42704', /^type "mood" does not exist$/],
    [`select e'a\\n'`, '42704', /^type "e" does not exist$/],
    [`select E'a'`, '42704', /^type "e" does not exist$/],
    [`select x'1F'`, '42704', /^type "x" does not exist$/],
    [`select '{"a": 1}' -> 'a'`, '42883', /^operator does not exist: ->$/],
    [`select 'abc' ~* 'B'`, '42883', /^operator does not exist: ~\*$/]
  ],
  functions: [
    ...[
      `string_agg(title, ',')`,
      'array_agg(id)',
      'json_agg(id)',
      `to_jsonb(title)`,
      'unnest(title)',
      `format('%s', title)`,
      `concat_ws(',', title, title)`,
      `starts_with(title, 'a')`,
      `regexp_matches(title, 'a')`,
      'make_date(2018, 1, 1)',
      'gen_random_uuid()',
      'clock_timestamp()',
      'pg_sleep(1)',
      `nextval('x')`,
      'pg_advisory_lock(1)',
      'pg_try_advisory_xact_lock(1)',
      `pg_notify('a', 'b')`,
      'every(id > 0)',
      `encode('a', 'hex')`,
      `date_bin('1 day', now(), now())`,
      'corr(id, id)'
    ].map((call): Refusal => {
      const name = /^\w+/.exec(call)?.[0] ?? ''
      return [`select ${call} from plays`, name === 'encode' ? '42601' : '42883', /./]
    }),
    [`select concat(title, 'a', 'b') from plays`, '42883', noFunction('concat')],
    [`select substr(title, 1, 2) from plays`, '0A000', leaderOnly],
    [`select log(ms) from plays`, '0A000', leaderOnly],
    [`select now(), id from plays`, '0A000', leaderOnly],
    [`select current_timestamp, id from plays`, '0A000', leaderOnly],
    [`select n from generate_series(1, 3) as n, plays`, '0A000', leaderOnly],
    [`select id from plays where id in (select generate_series(1, 3))`, '0A000', leaderOnly],
    [`insert into plays (id) select generate_series(1, 3)`, '0A000', leaderOnly],
    [`create temp table refused as select generate_series(1, 3) as n`, '0A000', leaderOnly],
    [`select relname from pg_class, plays`, '0A000', leaderOnly],
    [
      `insert into songs (id, title) select 1, table_name from information_schema.tables`,
      '0A000',
      leaderOnly
    ],
    [`select substr(trim(filename), 1, 2) from stl_load_errors`, '0A000', leaderOnly]
  ],
  commands: [
    ...[
      'savepoint a',
      'release savepoint a',
      'rollback to savepoint a',
      'listen a',
      'notify a',
      'unlisten a',
      `do $$ begin null; end $$`,
      'create index i on plays (id)',
      'create unique index i on plays (id)',
      'create sequence s',
      'create type mood as enum (1)',
      'create domain d as integer',
      'create extension pg_trgm',
      'create trigger t before insert on plays execute function f()',
      'create rule r as on insert to plays do nothing',
      'create unlogged table u (n integer)',
      'drop index i',
      'drop sequence s',
      'reindex table plays',
      'alter sequence s restart'
    ].map((command): Refusal => [command, '0A000', unsupported]),
    [`copy plays from stdin`, 'XX000', /^LOAD source is not supported/],
    [`copy plays to stdout`, '42601', near('to')],
    [`create materialized view m as select 1`, '0A000', /emulator does not run/],
    [`frobnicate`, '42601', near('frobnicate')],
    [`set session authorization reader`, '0A000', unsupported],
    [`commit and chain`, '42601', near('and')],
    [`lock table plays in share mode`, '42601', near('in')],
    [`truncate plays, songs`, '42601', near(',')],
    [`alter table plays add column if not exists x integer`, '42601', near('if')],
    [`alter table plays add column x integer, add column y integer`, '42601', /./],
    [`alter table plays alter column ms type integer`, '0A000', /only supported for VARCHAR/],
    [`alter table plays alter column title set not null`, '42601', near('set')],
    [`create table a as (select 1 as n) with no data`, '42601', /./]
  ],
  'CREATE TABLE': [
    [`create table refused (n integer check (n > 0))`, '0A000', unsupported],
    [`create table refused (n integer, check (n > 0))`, '0A000', unsupported],
    [`alter table plays add constraint c check (id > 0)`, '0A000', unsupported],
    [`create table refused (n integer) partition by range (n)`, '42601', near('partition')],
    [`create table refused (n integer) inherits (plays)`, '42601', near('inherits')],
    [`create table refused (n integer) with (fillfactor = 70)`, '42601', near('with')],
    [`create table refused (n integer generated always as identity)`, '42601', near('generated')],
    [`create table refused (n integer generated by default as identity)`, '42601', /./],
    [`create table refused (n varchar(9) identity(1, 1))`, '42601', /^identity column type/],
    [`create table if not exists refused as select 1 as n`, '42601', near('as')],
    [`create table refused (n integer) distkey(n) diststyle even`, '42601', /^DISTKEY is only allowed/],
    [`create table refused (n integer) diststyle key`, '42601', /^DISTKEY must be specified/],
    [`create table refused (n integer) distkey(m)`, '42703', /^distkey column "m" does not exist$/],
    [`create table refused (n integer) sortkey(m)`, '42703', /^sortkey column "m" does not exist$/],
    [`create table refused (n varchar(9) encode az64)`, '0A000', /^az64 encoding is not supported/],
    [`create table refused (n numeric(40, 2))`, '22023', /precision 40 must be between 1 and 38$/],
    [`create table refused (xmin integer)`, '42701', /conflicts with a system column name$/],
    ...[
      'tag',
      'raw',
      'user',
      'timestamp',
      'offset',
      'percent',
      'open',
      'oid',
      'new',
      'delta',
      'snapshot'
    ].map((word): Refusal => [`create table refused (${word} integer)`, '42601', near(word)])
  ],
  'reserved words as bare names': [
    ...[...refusedNames].map((word): Refusal => [`select 1 as ${word}`, '42601', near(word)]),
    [`select raw from plays`, '42601', near('raw')],
    [`select * from plays tag`, '42601', near('tag')],
    [`select 1 as timestamp`, '42601', near('timestamp')],
    [`select 1 as sysdate`, '42601', near('sysdate')],
    [`select timestamp from plays`, '42601', near('timestamp')]
  ],
  MERGE: [
    [
      `merge into songs t using plays s on t.id = s.id when matched then delete when not matched then insert values (1)`,
      '42601',
      near('t')
    ],
    [
      `merge into songs using plays s on songs.id = s.id when matched and s.id > 1 then delete
       when not matched then insert (id) values (s.id)`,
      '42601',
      near('and')
    ],
    [`merge into songs using plays s on songs.id = s.id when matched then delete`, '42601', /end of input$/],
    [
      `merge into songs using plays s on songs.id = s.id when not matched then insert (id) values (s.id)`,
      '42601',
      /end of input$/
    ],
    [
      `merge into songs using plays s on songs.id = s.id when not matched then insert (id) values (s.id)
       when matched then delete`,
      '42601',
      near('not')
    ],
    [
      `merge into songs using plays s on songs.id = s.id when matched then do nothing
       when not matched then insert (id) values (s.id)`,
      '42601',
      near('do')
    ],
    [
      `merge into songs using (select id from songs) s on songs.id = s.id when matched then delete
       when not matched then insert (id) values (s.id)`,
      '0A000',
      /cannot reference target table\.$/
    ],
    [`with s as (select 1) merge into songs using s on true when matched then delete`, '42601', near('merge')]
  ],
  parameters: [
    [`select id from plays limit $1`, 'XX000', /^Not implemented$/, [1]],
    [`select id from plays limit cast($1 as integer)`, 'XX000', /^Not implemented$/, [1]],
    [`select id from plays limit 1 offset $1`, 'XX000', /^Not implemented$/, [1]],
    [`select $1`, '42P18', /^could not determine data type of parameter \$1$/, [1]],
    [`insert into songs select id, $1 from plays`, '42P18', /parameter \$1$/, ['x']],
    [`select $1, id from plays`, '42P18', /parameter \$1$/, ['x']],
    [`set statement_timeout to $1`, '42601', near('$1'), [1]],
    [copyOf('plays', `json 'auto' region $1`), '42601', near('$1'), ['us-west-2']],
    [`copy plays from $1 iam_role '${role}' json 'auto'`, '42601', near('$1'), ['s3://b/k']],
    [`lock plays`, '08P01', /^bind message supplies 1 parameters/, [1]],
    [`create table refused (n integer default $1)`, '08P01', /^bind message supplies 1 parameters/, [1]]
  ]
}
