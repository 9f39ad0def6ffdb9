import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import t from 'tap'
import { startRedshift } from './redshift/fixture.ts'

// Most tests share one; those that need another configuration start their own.
const { emulator, connect } = await startRedshift(t)

const ending = (client: pg.Client) => new Promise((resolve) => client.once('end', () => resolve(undefined)))

t.test('a client verifies the certificate, logs in and talks to what says it is Redshift', async (t) => {
  const { client, pid, run } = await connect()
  t.match((await run('select version()'))[0]?.version, /^PostgreSQL 8\.0\.2 .* Redshift 1\.0\.\d+$/)
  t.same(await run('show server_version'), [{ server_version: '8.0.2' }])
  t.same(await run('select current_user as u, pg_backend_pid() as pid'), [{ u: 'awsuser', pid }])
  t.same(emulator.statements.map(({ text, user }) => [user, text]).at(-1), [
    'awsuser',
    'select current_user as u, pg_backend_pid() as pid'
  ])
  t.equal(emulator.sessions, 1)
  await client.end()
})

t.test('a wrong name, a strange authority and no TLS at all are no way in', async (t) => {
  await t.rejects(connect({ ssl: { ca: emulator.ca, servername: 'sparkify.example.com' } }), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID'
  })
  await t.rejects(connect({ ssl: { servername: emulator.serverName } }), {
    code: /UNABLE_TO_VERIFY|SELF_SIGNED/
  })
  await t.rejects(connect({ ssl: false }), {
    code: '28P01',
    message: 'password authentication failed for user "awsuser"'
  })
  const sister = emulator.serverName.replace(/^[^.]+/, 'another')
  await t.resolves(connect({ ssl: { ca: emulator.ca, servername: sister } }), 'any cluster of the domain')
})

t.test('five wrong passwords in a row lock a user, but not one of IAM', async (t) => {
  const wrong = { password: 'no' }
  for (let count = 0; count < 4; count += 1) await t.rejects(connect(wrong), { code: '28P01' })
  await (await connect()).client.end()
  for (let count = 0; count < 5; count += 1) await t.rejects(connect(wrong), { code: '28P01' })
  await t.rejects(connect(), { code: '28000', message: /password authentication failed/ })
  const iam = { user: 'IAM:awsuser' }
  for (let count = 0; count < 6; count += 1) await t.rejects(connect({ ...iam, ...wrong }), { code: '28P01' })
  const { run } = await connect(iam)
  t.same(await run('select current_user as u, session_user as s'), [{ u: 'awsuser', s: 'awsuser' }])
  emulator.unlock('awsuser')
  await t.resolves(connect())
  await t.rejects(connect({ user: 'nobody' }), { code: '28P01' })
  await t.rejects(connect({ database: 'other' }), { code: '3D000' })
})

t.test('passwords are asked for each connection, in clear text if wanted', async (t) => {
  let passwords = ['first']
  const { connect } = await startRedshift(t, {
    passwordMethod: 'cleartext',
    authenticate: async () => passwords
  })
  await t.resolves(connect({ password: async () => 'first' }))
  passwords = ['second', 'third']
  await t.rejects(connect({ password: 'first' }), { code: '28P01' })
  await t.resolves(connect({ password: 'third' }))
})

t.test('settings at login that Redshift does not know end it', async (t) => {
  await t.rejects(connect({ lock_timeout: 5 }), { code: '42704', message: /"lock_timeout"/ })
  await t.rejects(connect({ idle_in_transaction_session_timeout: 5 }), { code: '42704' })
  await t.rejects(connect({ options: '-c a=b' }), { code: '42704' })
  const { fails } = await connect({ statement_timeout: 20, application_name: 'test' })
  await fails('select count(*) from pg_class a, pg_class b, pg_class c, pg_class d')
})

t.test('values are bound, and arrive as the driver knows them from Redshift', async (t) => {
  const { client, run, fails } = await connect()
  t.same(
    await run(
      'select $1::bigint as a, cast($2 as integer) as b, $3::varchar as c, cast($4 as timestamp) as d',
      ['9007199254740993', 7, 'é "\'\\', '2018-11-02 01:25:34.796']
    ),
    [{ a: '9007199254740993', b: 7, c: 'é "\'\\', d: new Date('2018-11-02T01:25:34.796') }]
  )
  const named = { name: 'one', text: 'select cast($1 as integer) + 1 as n' }
  for (const value of [1, 2])
    t.same((await client.query({ ...named, values: [value] })).rows, [{ n: value + 1 }])
  t.match(await fails('select 1; select 2 where 1 = $1', [1]), {
    code: '42601',
    message: 'cannot insert multiple commands into a prepared statement'
  })
  t.match(await fails(`select cast($32768 as integer)`, [1]), {
    code: '42P02',
    message: 'there is no parameter $-32768'
  })
  const values = Array.from({ length: 40_000 }, () => 1)
  t.match(await fails('select cast($1 as integer)', values), { message: 'there is no parameter $-32768' })
  t.same(await run('select 1 as a'), [{ a: 1 }], 'the session goes on')
  const query = {
    text: 'select n from (select 1 as n union all select 2) as x where n > $1',
    values: [0],
    rows: 1
  }
  t.equal((await client.query(query)).rows.length, 2, 'all rows come at once')
})

t.test('several statements in one query are one transaction', async (t) => {
  const { client, run, fails } = await connect()
  const results = (await client.query(
    'create table a (n integer); insert into a values (1), (2); select 5 as x'
  )) as never
  t.match(results, [{ command: 'CREATE' }, { command: 'INSERT', rowCount: 2 }, { rows: [{ x: 5 }] }])
  await fails("insert into a values (3); insert into a values ('x')")
  t.same(await run('select count(*) as n from a'), [{ n: '2' }])
  await fails('vacuum a; select 1')
  await run('begin; insert into a values (9); rollback')
  t.same(await run('select count(*) as n from a'), [{ n: '2' }])
  t.same((await client.query('')).rows, [])
})

t.test('statements of more than 16 MB are refused', async (t) => {
  const { run, fails } = await connect()
  const error = await fails(`select '${'x'.repeat(17_000_000)}'`)
  t.match(error, { code: '54000', message: /^Statement is too large\. .* Maximum Allowed: 16777216 bytes$/ })
  t.equal((await run(`select len('${'x'.repeat(16_000_000)}') as n`))[0]?.n, 16_000_000)
})

t.test('a statement can be stopped in four ways and by its timeout', async (t) => {
  const { client, pid, run, fails } = await connect()
  const other = await connect()
  const endless = 'select count(*) from pg_attribute a, pg_attribute b, pg_attribute c, pg_attribute d'
  const stopped = { code: '57014', message: /^Query \(\d+\) cancelled on user's request$/ }
  const running = `select 1 from pg_stat_activity where pid = ${pid} and state = 'active' and query like '%pg_attribute d%'`
  const hasStarted = async () => {
    while ((await emulator.sql(running)).length === 0) await delay(5)
  }
  for (const cancel of [`cancel ${pid}`, `cancel ${pid} 'too long'`, `select pg_cancel_backend(${pid})`]) {
    const failing = fails(endless)
    await hasStarted()
    await other.run(cancel)
    t.match(await failing, stopped, cancel)
  }
  const failing = fails(endless)
  await hasStarted()
  const { host, port } = emulator
  const canceller = new pg.Client({ host, port }) as pg.Client & {
    cancel(of: pg.Client, query: unknown): void
  }
  canceller.on('error', () => {})
  canceller.cancel(client, (client as unknown as { activeQuery: unknown }).activeQuery)
  t.match(await failing, stopped, 'a cancel request on a connection of its own')
  await run('set statement_timeout to 50')
  t.match(await fails(endless), stopped)
  t.match(await fails("set statement_timeout to '5s'"), { code: '22023' })
  await run('reset statement_timeout')
  t.same(await run('select 1 as a'), [{ a: 1 }])
})

t.test('a terminated session ends, and the emulator can end all of them', async (t) => {
  const [one, two] = [await connect(), await connect()]
  const { sessions } = emulator
  const ended = ending(one.client)
  await two.run(`select pg_terminate_backend(${one.pid})`)
  await ended
  while (emulator.sessions >= sessions) await delay(5)
  emulator.disconnectAll()
  await ending(two.client)
  await t.rejects(two.run('select 1'))
  while (emulator.sessions > 0) await delay(5)
  await t.resolves(connect())
})

t.test('while the cluster is away nobody gets in', async (t) => {
  let isThere = false
  const { connect } = await startRedshift(t, { takesConnections: () => isThere })
  await t.rejects(connect(), { message: /ECONNRESET|terminated|hang up|disconnected/ })
  isThere = true
  const { client } = await connect()
  isThere = false
  await t.resolves(ending(client), 'a session ends with it')
})
