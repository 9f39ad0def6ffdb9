/** What can happen to a server and its connections; what both stores have in common is in `store.test.ts`. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { parseSql } from '../../src/sql.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { queryOne, type Transaction } from '../../src/store/store.ts'
import { startPostgres } from '../postgres.ts'

const sql = (source: string) => parseSql('test', source)
const notify = sql('select pg_notify(:channel::text, :payload::text)')
const ownPid = sql('select pg_backend_pid() as pid')
const terminate = sql('select pg_terminate_backend(:pid::integer)')
const listening = sql(`select pid from pg_stat_activity where query = 'listen "' || :channel::text || '"'`)

const server = await startPostgres(t)
const { url } = server
const store = await openPostgres(url)
t.teardown(() => store.close())

/** What a listener hears; `next` resolves with the first payload that was not taken yet. */
async function subscribe(t: Test, from: typeof store, channel: string) {
  const payloads: string[] = []
  let wake = () => {}
  const stop = await from.listen(channel, (payload) => {
    payloads.push(payload)
    wake()
  })
  t.teardown(stop)
  async function next(): Promise<string | undefined> {
    if (payloads.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return payloads.shift()
  }
  return { payloads, next, stop }
}

/** Passes connections on to the server until it is told to refuse them, or to accept them and stay silent. */
async function startProxy(t: Test) {
  const { port, hostname } = new URL(url)
  const sockets = new Set<Socket>()
  const state = { mode: 'forward' as 'forward' | 'refuse' | 'hold', refused: 0 }
  const proxy = createServer((socket) => {
    if (state.mode === 'refuse') {
      state.refused += 1
      return socket.destroy()
    }
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    if (state.mode === 'hold') return socket.resume()
    const target = connect(Number(port), hostname)
    target.on('error', () => {}).on('close', () => socket.destroy())
    socket.on('close', () => target.destroy())
    socket.pipe(target).pipe(socket)
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => proxy.close())
  const through = new URL(url)
  through.port = String((proxy.address() as { port: number }).port)
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return { sockets, state, url: through.href, cut }
}

t.test('a transaction whose process is paused does not hold up the others for ever', async (t) => {
  const limit = sql("select current_setting('idle_in_transaction_session_timeout') as value")
  t.same(await store.query(limit), [{ value: '10s' }])
  // The same, for a test that does not wait for it.
  const paused = store.transaction(async (tx) => {
    await tx.query(sql("set local idle_in_transaction_session_timeout = '50ms'"))
    await tx.query(sql("select pg_advisory_xact_lock(hashtext('paused'))"))
    await sleep(200)
    await tx.query(ownPid)
  })
  await t.rejects(paused, { code: 'store_unavailable' })
  t.same(await store.query(sql("select pg_try_advisory_xact_lock(hashtext('paused')) as free")), [
    { free: true }
  ])
})

t.test('a table that changes under statements which are planned already', async (t) => {
  const select = sql('select * from changing')
  await store.query(sql('create table changing (a integer)'))
  await store.query(sql('insert into changing values (1)'))
  // Planned on several connections.
  await Promise.all(Array.from({ length: 5 }, () => store.query(select)))
  await store.query(sql('alter table changing add column b integer'))
  const inTransaction = () => store.transaction((tx) => tx.query(select))
  t.same(await inTransaction(), [{ a: 1, b: null }])
  t.same(await Promise.all(Array.from({ length: 5 }, inTransaction)), Array(5).fill([{ a: 1, b: null }]))
  await store.query(sql('alter table changing add column c integer'))
  const rows = await Promise.all(Array.from({ length: 5 }, () => store.query(select)))
  t.same(rows, Array(5).fill([{ a: 1, b: null, c: null }]))
})

t.test('LISTEN', { jobs: 4 }, async (t) => {
  t.test(
    'is opened again when the server ends its connection, and says so',
    { buffered: true },
    async (t) => {
      const news = await subscribe(t, store, 'ended')
      const { pid } = await queryOne<{ pid: number }>(store, listening, { channel: 'ended' })
      await store.query(terminate, { pid })
      t.equal(await news.next(), '', 'notifications may have been lost')
      await store.query(notify, { channel: 'ended', payload: 'heard' })
      t.equal(await news.next(), 'heard')
      t.same(news.payloads, [])
    }
  )

  t.test('comes back as one connection, however often that fails', { buffered: true }, async (t) => {
    const proxy = await startProxy(t)
    const proxied = await openPostgres(proxy.url)
    t.teardown(() => proxied.close())
    const news = await subscribe(t, proxied, 'refused')
    proxy.state.mode = 'refuse'
    proxy.cut()
    while (proxy.state.refused < 3) await sleep(20)
    proxy.state.mode = 'forward'
    t.equal(await news.next(), '')
    await proxied.query(notify, { channel: 'refused', payload: 'heard' })
    t.equal(await news.next(), 'heard')
    await sleep(700)
    t.same(news.payloads, [], 'nobody else listens')
    t.equal((await store.query(listening, { channel: 'refused' })).length, 1)
    await news.stop()
    while ((await store.query(listening, { channel: 'refused' })).length > 0) await sleep(20)
  })

  t.test('is not tried again when it never began', { buffered: true }, async (t) => {
    const proxy = await startProxy(t)
    const proxied = await openPostgres(proxy.url)
    t.teardown(() => proxied.close())
    proxy.state.mode = 'refuse'
    await t.rejects(
      proxied.listen('never', () => t.fail('nobody listens')),
      { code: 'store_unavailable' }
    )
    await sleep(700)
    t.equal(proxy.state.refused, 1)
  })

  t.test(
    'gives up a connection that is still being opened when it is stopped',
    { buffered: true },
    async (t) => {
      const proxy = await startProxy(t)
      const proxied = await openPostgres(proxy.url)
      const news = await subscribe(t, proxied, 'held')
      proxy.state.mode = 'hold'
      proxy.cut()
      while (proxy.sockets.size === 0) await sleep(20)
      await news.stop()
      await proxied.close()
      while (proxy.sockets.size > 0) await sleep(20)
      await sleep(700)
      t.equal(proxy.sockets.size, 0)
    }
  )
})

t.test(
  'a repeated statement goes on while the event loop is busy, and after its connection was lost',
  async (t) => {
    const pids: number[] = []
    const failures: Error[] = []
    t.teardown(
      store.repeat(50, ownPid, {}, (answer) => {
        if ('error' in answer) failures.push(answer.error)
        else pids.push((answer.rows as { pid: number }[])[0]?.pid as number)
      })
    )
    while (pids.length === 0) await sleep(5)
    const before = pids.length
    const end = performance.now() + 1000
    while (performance.now() < end);
    while (pids.length < before + 3) await sleep(5)
    t.equal(new Set(pids).size, 1, 'on one connection')
    await store.query(terminate, { pid: pids[0] })
    while (new Set(pids).size < 2) await sleep(5)
    t.ok(failures.length <= 2, String(failures))
  }
)

t.test('a transaction that loses its connection is store_unavailable, and leaves nothing', async (t) => {
  await store.transaction((tx) => tx.script('create table kept (id integer)'))
  const lose = (work: (tx: Transaction, end: () => Promise<unknown>) => Promise<unknown>) =>
    store.transaction(async (tx) => {
      const { pid } = await queryOne<{ pid: number }>(tx, ownPid)
      await tx.query(sql('insert into kept values (1)'))
      return work(tx, () => store.query(terminate, { pid }))
    })
  const betweenStatements = lose(async (tx, end) => {
    await end()
    await sleep(100)
    await tx.query(ownPid)
  })
  await t.rejects(betweenStatements, { code: 'store_unavailable' })
  const withinOne = lose((tx, end) => Promise.all([tx.query(sql('select pg_sleep(10)')), end()]))
  await t.rejects(withinOne, { code: 'store_unavailable' })
  const atItsCommit = lose(async (_, end) => {
    await end()
    await sleep(100)
  })
  await t.rejects(atItsCommit, { code: 'store_unavailable' })
  t.same(await store.query(sql('select * from kept')), [])
  await t.resolves(store.transaction((tx) => tx.query(ownPid)))
})

t.test('a server that refuses the user or has no such database is store_unavailable', async (t) => {
  for (const [part, state] of [
    ['password', '28P01'],
    ['pathname', '3D000']
  ] as const) {
    const wrong = new URL(url)
    wrong[part] = 'wrong'
    await t.rejects(openPostgres(wrong.href), {
      name: 'ServiceError',
      code: 'store_unavailable',
      message: `PostgreSQL cannot be reached (${state}). Check DATABASE_URL and the server.`
    })
  }
})

t.test('a stopped server is store_unavailable, whatever is asked of it', async (t) => {
  const neverUsed = await openPostgres(url)
  await server.stop()
  const unavailable = {
    name: 'ServiceError',
    code: 'store_unavailable',
    message: /^PostgreSQL cannot be reached.*\. Check DATABASE_URL and the server\.$/
  }
  for (const stopped of [store, neverUsed]) {
    await t.rejects(stopped.ping(), unavailable)
    await t.rejects(stopped.query(sql('select 1')), unavailable)
    await t.rejects(
      stopped.transaction(async () => t.fail('no work is begun')),
      unavailable
    )
    await t.rejects(
      stopped.listen('news', () => {}),
      unavailable
    )
  }
  await t.rejects(openPostgres(url), unavailable)
  await t.resolves(neverUsed.close())
})
