import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { copyOf, startRedshift } from './redshift/fixture.ts'
import type { Fault } from './redshift.ts'

const { emulator, objects, connect } = await startRedshift(t)
for (let n = 0; n < 50; n += 1) objects.set(`bucket/data/${n}.json`, `{"n": ${n}}`)
const { run } = await connect()
await run('create table numbers (n integer)')
const count = async () => Number((await run('select count(*) as n from numbers'))[0]?.n)

t.afterEach(() => t.same(emulator.pendingFaults(), []))

const stopped = { code: '57014', message: /^Query \(\d+\) cancelled on user's request$/ }
const errors: [Fault, object][] = [
  [
    { type: 'serialization', table: 7 },
    { code: 'XX000', message: '1023', detail: /^Serializable isolation violation on table - 7,/ }
  ],
  [{ type: 'deadlock' }, { code: '40P01', message: 'deadlock detected' }],
  [{ type: 'timeout' }, stopped],
  [{ type: 'cancelled' }, stopped],
  [{ type: 'disk_full' }, { code: 'XX000', message: 'Disk Full', detail: /code: {6}1016/ }],
  [{ type: 'error', code: '53300', message: 'too many connections' }, { code: '53300' }]
]

for (const [fault, expected] of errors) {
  t.test(`${fault.type} strikes a statement, a COPY and a COMMIT, once`, async (t) => {
    const before = await count()
    const client = await connect()
    emulator.inject({ match: /insert into numbers/, fault })
    await client.run('begin')
    t.match(await client.fails('insert into numbers values (1)'), expected)
    t.match(await client.fails('select 1'), { code: '25P02' })
    await client.run('rollback')
    emulator.inject({ match: /insert into numbers/, times: 2, fault })
    t.match(await client.fails('insert into numbers values ($1)', [1]), expected)
    t.match(await client.fails('insert into numbers values (1)'), expected)
    emulator.inject({ match: 'copy', fault })
    t.match(await client.fails(copyOf('numbers')), expected)
    emulator.inject({ match: 'commit', fault })
    await client.run('begin')
    await client.run('insert into numbers values (1)')
    t.match(await client.fails('commit'), expected)
    await client.run('select 1')
    t.equal(await count(), before, 'nothing has happened')
    await client.run('begin')
    await client.run('insert into numbers values (1)')
    await client.run('commit')
    t.equal(await count(), before + 1, 'the next one works')
  })
}

t.test('the connection breaks before a statement: nothing has happened', async (t) => {
  const before = await count()
  for (const text of ['insert into numbers values (1)', copyOf('numbers')]) {
    const client = await connect()
    emulator.inject({ match: /numbers/, fault: { type: 'disconnect', when: 'before' } })
    await t.rejects(client.run(text), { message: /Connection terminated|ECONNRESET/ })
    await t.rejects(client.run('select 1'))
  }
  t.equal(await count(), before)
})

t.test('the connection breaks after a statement: it has happened', async (t) => {
  const before = await count()
  for (const values of [undefined, [1]]) {
    const client = await connect()
    emulator.inject({ match: /insert/, fault: { type: 'disconnect', when: 'after' } })
    const text = `insert into numbers values (${values === undefined ? 1 : '$1'})`
    await t.rejects(client.run(text, values), { message: /Connection terminated|ECONNRESET/ })
  }
  const client = await connect()
  emulator.inject({ match: 'copy', fault: { type: 'disconnect', when: 'after' } })
  await t.rejects(client.run(copyOf('numbers')))
  t.equal(await count(), before + 52)
})

t.test('the connection breaks at COMMIT, before the server has committed or after', async (t) => {
  for (const [when, rows] of [
    ['before', 0],
    ['after', 1]
  ] as const) {
    const before = await count()
    const client = await connect()
    await client.run('begin')
    await client.run('lock numbers')
    await client.run('insert into numbers values (1)')
    emulator.inject({ match: 'commit', fault: { type: 'disconnect', when } })
    await t.rejects(client.run('commit'), { message: /Connection terminated|ECONNRESET/ })
    t.equal(await count(), before + rows, when)
  }
})

t.test('the connection breaks in the middle of a COPY', async (t) => {
  const history = (pid: number) => `select status from sys_load_history where session_id = ${pid}`
  const during: Fault = { type: 'disconnect', when: 'during' }
  const before = await count()
  const inTransaction = await connect()
  await inTransaction.run('begin')
  emulator.inject({ match: 'copy', fault: during })
  await t.rejects(inTransaction.run(copyOf('numbers')), { message: /Connection terminated|ECONNRESET/ })
  while ((await run(history(inTransaction.pid)))[0]?.status !== 'aborted') await delay(5)
  t.equal(await count(), before, 'in a transaction it is rolled back')
  const alone = await connect()
  emulator.inject({ match: 'copy', fault: during })
  await t.rejects(alone.run(copyOf('numbers')), { message: /Connection terminated|ECONNRESET/ })
  while ((await run(history(alone.pid)))[0]?.status !== 'completed') await delay(5)
  t.equal(await count(), before + 50, 'alone it goes on')
})

t.test('a client that goes away by itself leaves its COPY running', async (t) => {
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const slow = await startRedshift(t, {
    objects: {
      list: async () => ['data/a.json'],
      get: async () => {
        await gate
        return Buffer.from('{"n": 1}')
      }
    }
  })
  const { client, run: start } = await slow.connect()
  await start('create table numbers (n integer)')
  const failing = start(copyOf('numbers')).catch((error) => error)
  const watcher = await slow.connect()
  while ((await watcher.run(`select 1 as x from sys_load_history where status = 'running'`)).length === 0)
    await delay(5)
  ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
  t.match(await failing, { message: /Connection terminated/ })
  release()
  while ((await watcher.run('select n from numbers')).length === 0) await delay(5)
  while (slow.emulator.sessions > 1) await delay(5)
})

t.test('a delay leaves time for a timeout and for a cancel', async (t) => {
  const client = await connect()
  emulator.inject({ match: /delayed/, fault: { type: 'delay', ms: 30 } })
  t.same(await client.run('select 1 as delayed'), [{ delayed: 1 }])
  await client.run('set statement_timeout to 20')
  for (const text of ['select 1 as delayed', `${copyOf('numbers')} -- delayed`]) {
    emulator.inject({ match: /delayed/, fault: { type: 'delay', ms: 60_000 } })
    t.match(await client.fails(text), stopped)
  }
  await client.run('set statement_timeout to 0')
  for (const cancel of [`cancel ${client.pid}`, `select pg_cancel_backend(${client.pid})`]) {
    emulator.inject({ match: /delayed/, fault: { type: 'delay', ms: 60_000 } })
    const failing = client.fails('select 1 as delayed')
    while (emulator.pendingFaults().length > 0) await delay(5)
    await run(cancel)
    t.match(await failing, stopped, cancel)
  }
})

t.test('a COPY that waits for S3 can be cancelled and times out', async (t) => {
  const slow = await startRedshift(t, {
    objects: { list: async () => ['data/a.json'], get: () => new Promise(() => {}) }
  })
  const client = await slow.connect()
  await client.run('create table numbers (n integer)')
  await client.run('set statement_timeout to 30')
  t.match(await client.fails(copyOf('numbers')), stopped)
  await client.run('set statement_timeout to 0')
  const failing = client.fails(copyOf('numbers'))
  const other = await slow.connect()
  while ((await other.run(`select 1 as x from sys_load_history where status = 'running'`)).length === 0)
    await delay(5)
  await other.run(`select pg_cancel_backend($1)`, [client.pid])
  t.match(await failing, stopped)
  t.same(await client.run('select count(*) as n from numbers'), [{ n: '0' }])
  t.same(await client.run(`select distinct status from sys_load_history`), [{ status: 'aborted' }])
})

t.test('faults can be taken back', async (t) => {
  emulator.inject({ match: /nothing like it/, fault: { type: 'deadlock' } })
  t.equal(emulator.pendingFaults().length, 1)
  emulator.clearFaults()
})
