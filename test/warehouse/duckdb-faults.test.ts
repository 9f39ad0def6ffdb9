/** Statements that are stopped, and a disk that is full. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { insertOne, long, openNumbers, read, statement } from '../warehouse-fixture.ts'

t.test('abort', async (t) => {
  const warehouse = await openNumbers(t)
  const reason = new Error('enough')

  await t.test('interrupts a statement that runs', async (t) => {
    const stop = new AbortController()
    const running = warehouse.run(long, {}, { signal: stop.signal })
    await setTimeout(100)
    const aborted = performance.now()
    stop.abort(reason)
    await t.rejects(running, reason)
    t.ok(performance.now() - aborted < 10_000, 'long before it would have ended')
  })

  await t.test('interrupts a statement that is just about to run', async (t) => {
    const stop = new AbortController()
    const started = performance.now()
    const running = warehouse.write((session) => {
      const result = session.run(long)
      stop.abort(reason)
      return result
    }, stop)
    await t.rejects(running, reason)
    t.ok(performance.now() - started < 10_000, 'long before it would have ended')
  })

  await t.test('refuses to begin', async (t) => {
    const signal = AbortSignal.abort(reason)
    await t.rejects(warehouse.run(insertOne, {}, { signal }), reason)
    await t.rejects(
      warehouse.write((session) => session.run(insertOne), { signal }),
      reason
    )
  })

  t.same(await read(warehouse), [], 'everything goes on afterwards, and nothing was written')
})

// Files of this process end at a size, as on a full disk: what no test can fill.
const canLimit = process.platform === 'linux' && existsSync('/usr/bin/prlimit')
const limitFileSize = (bytes: number | 'unlimited') =>
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`])

t.test('a disk without room', async (t) => {
  if (!canLimit) return t.plan(0, 'prlimit(1) is not on this machine')
  const warehouse = await openNumbers(t)
  // Node ignores this signal, tap dies of it unless somebody listens.
  process.on('SIGXFSZ', () => {})
  t.teardown(() => limitFileSize('unlimited'))
  const insertMany = statement('insert into staging.numbers select hash(range) // 4 from range(500000)')
  const full = { code: 'disk_full', status: 507 }

  await t.test('a statement fails, its transaction is gone, readers go on', async (t) => {
    limitFileSize(400_000)
    await t.rejects(
      warehouse.write(async (session) => {
        await session.begin()
        await session.run(insertOne)
        await session.run(insertMany)
        await session.commit()
      }),
      full
    )
    t.same(await read(warehouse), [])
    limitFileSize('unlimited')
    await warehouse.write((session) => session.run(insertOne))
    t.same(await read(warehouse), [1], 'with room again, writing works')
  })

  await t.test('a fatal error closes the database, and the next statement opens it again', async (t) => {
    const stop = new AbortController()
    const others = warehouse.run(long, {}, stop).catch((error: Error) => error.message)
    await setTimeout(50)
    limitFileSize(100_000)
    await t.rejects(warehouse.run(statement('checkpoint')), full)
    const many = await Promise.all([read(warehouse), read(warehouse), read(warehouse)])
    t.same(many, [[1], [1], [1]])
    limitFileSize('unlimited')
    await warehouse.write((session) => session.run(insertOne))
    stop.abort(new Error('stopped'))
    t.equal(await others, 'stopped')
    await warehouse.write((session) => session.run(insertOne))
    t.same(await read(warehouse), [1, 1, 1], 'the connections of before do no harm')
  })

  await t.test('whoever learns of it late does not close what others have opened since', async (t) => {
    const before = (await read(warehouse)).length
    const [began, failed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const late = warehouse.write(async (session) => {
      await read(session)
      began.resolve()
      await failed.promise
      return read(session)
    })
    await began.promise
    limitFileSize(100_000)
    await t.rejects(warehouse.run(statement('checkpoint')), full)
    limitFileSize('unlimited')
    await warehouse.run(insertOne)
    const stop = new AbortController()
    const reader = warehouse.run(long, {}, stop).catch((error: Error) => error.message)
    await setTimeout(50)
    failed.resolve()
    await t.rejects(late, { code: 'warehouse_unavailable', status: 503, kind: 'transient' })
    await warehouse.write((session) => session.run(insertOne))
    stop.abort(new Error('stopped'))
    t.equal(await reader, 'stopped')
    t.equal((await read(warehouse)).length, before + 2)
    await warehouse.close()
    t.equal((await read(warehouse)).length, before + 2)
  })

  await t.test('a commit that holds is no failure, whatever follows it in the engine', async (t) => {
    const before = (await read(warehouse)).length
    // Enough for the log to be written into the file as soon as it is committed.
    const insertSome = statement('insert into staging.numbers select 2 from range(2000)')
    limitFileSize(100_000)
    await warehouse.write(async (session) => {
      await session.run(statement("set checkpoint_threshold = '1KB'"))
      await session.begin()
      await session.run(insertSome)
      await session.commit()
    })
    t.equal((await read(warehouse)).length, before + 2000)
    limitFileSize('unlimited')
    await warehouse.close()
    t.equal((await read(warehouse)).length, before + 2000)
  })
})
