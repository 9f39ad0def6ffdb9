import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { parseSql } from '../../src/sql.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { queryMaybe, queryOne, type Store } from '../../src/store/store.ts'
import { openTestPglite } from '../helper.ts'
import { createEmptyDatabase } from '../postgres.ts'

const sql = (source: string) => parseSql('test', source)
const createCounters = 'create table counters (name text primary key, value bigint not null, data jsonb)'
const insertCounter = sql('insert into counters values (:name::text, :value::bigint, :data::jsonb)')
const readCounter = sql('select value, data from counters where name = :name::text')
const notify = sql('select pg_notify(:channel::text, :payload::text)')

/** The payloads that `listen` was called with; `next` resolves with the first that nobody has taken. */
async function subscribe(t: Test, store: Store, channel: string) {
  const payloads: string[] = []
  let wake = () => {}
  const stop = await store.listen(channel, (payload) => {
    payloads.push(payload)
    wake()
  })
  t.teardown(stop)
  async function next(): Promise<string> {
    while (payloads.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      await promise
    }
    return payloads.shift() as string
  }
  return { payloads, next, stop }
}

/** Both stores; the server's own time zone is another one than the service's. */
async function openStores(t: Test): Promise<Store[]> {
  const url = await createEmptyDatabase(t)
  const setup = await openPostgres(url)
  const database = new URL(url).pathname.slice(1)
  await setup.transaction((tx) => tx.script(`alter database ${database} set timezone to 'Asia/Tokyo'`))
  await setup.close()
  const postgres = await openPostgres(url)
  t.teardown(() => postgres.close())
  return [await openTestPglite(t), postgres]
}

for (const store of await openStores(t)) {
  t.test(`the store on ${store.engine}`, async (t) => {
    await store.transaction((tx) => tx.script(`${createCounters}; create table other (id integer)`))

    t.test('values come as the types that JavaScript has for them', async (t) => {
      const row = await queryOne<Record<string, unknown>>(
        store,
        sql(`select 1::bigint as bigint, ${Number.MAX_SAFE_INTEGER}::bigint as largest, count(*) as count,
          2::integer as integer, 1.5::double precision as double, true as boolean, null::text as nothing,
          'grün ☃ \\'::text as text, timestamptz '2026-01-02 03:04:05.678+02' as time`)
      )
      t.same(row, {
        bigint: 1,
        largest: Number.MAX_SAFE_INTEGER,
        count: 1,
        integer: 2,
        double: 1.5,
        boolean: true,
        nothing: null,
        text: 'grün ☃ \\',
        time: new Date('2026-01-02T01:04:05.678Z')
      })
      t.equal(typeof row.bigint, 'number')
    })

    t.test('parameters keep their values', async (t) => {
      const echo = sql(
        'select :time::timestamptz as time, :time::timestamptz::text as shown, :flag::boolean as flag, :text::text as text'
      )
      const time = new Date('2026-01-02T03:04:05.678Z')
      t.same(await store.query(echo, { time, flag: false, text: null }), [
        { time, shown: '2026-01-02 03:04:05.678+00', flag: false, text: null }
      ])
    })

    t.test('JSON goes in and comes out as it is', async (t) => {
      const echo = sql('select :value::jsonb as value, jsonb_typeof(:value::jsonb) as type')
      const values: [unknown, string | null][] = [
        [{}, 'object'],
        [{ a: [1, { b: null }], "it's": '\\ "☃"' }, 'object'],
        [[], 'array'],
        [[1, 'two', [3], null, { four: 4 }], 'array'],
        [[['{a}', '1,2']], 'array'],
        [null, null]
      ]
      for (const [value, type] of values) t.same(await store.query(echo, { value }), [{ value, type }])
    })

    t.test('a transaction is done as a whole', async (t) => {
      const result = await store.transaction(async (tx) => {
        await tx.query(insertCounter, { name: 'kept', value: 1, data: ['x'] })
        t.same(await tx.query(readCounter, { name: 'kept' }), [{ value: 1, data: ['x'] }])
        return 'done'
      })
      t.equal(result, 'done')
      t.same(await store.query(readCounter, { name: 'kept' }), [{ value: 1, data: ['x'] }])
    })

    t.test('or not at all, whatever was thrown', async (t) => {
      const reason = new Error('on second thoughts')
      const thrown = await store
        .transaction(async (tx) => {
          await tx.query(insertCounter, { name: 'dropped', value: 1, data: null })
          await tx.script('create table dropped (id integer)')
          throw reason
        })
        .catch((error) => error)
      t.equal(thrown, reason)
      // A statement that fails spoils its transaction and nothing else.
      await t.rejects(
        store.transaction(async (tx) => {
          await tx.query(insertCounter, { name: 'dropped', value: 1, data: null })
          await tx.query(sql('select 1 / 0')).catch(() => {})
          await tx.query(readCounter, { name: 'dropped' })
        }),
        { code: '25P02' }
      )
      t.equal(await queryMaybe(store, readCounter, { name: 'dropped' }), undefined)
      t.same(await store.query(sql("select to_regclass('dropped') as dropped")), [{ dropped: null }])
    })

    t.test('a violated unique constraint has its code, inside and outside of a transaction', async (t) => {
      const row = { name: 'unique', value: 1, data: null }
      await store.query(insertCounter, row)
      await t.rejects(store.query(insertCounter, row), { code: '23505' })
      await t.rejects(
        store.transaction((tx) => tx.query(insertCounter, row)),
        { code: '23505' }
      )
    })

    t.test('parallel transactions do not lose updates, however many there are', async (t) => {
      await store.query(insertCounter, { name: 'parallel', value: 0, data: null })
      const lock = sql("select value from counters where name = 'parallel' for update")
      const write = sql("update counters set value = :value::bigint where name = 'parallel'")
      await Promise.all(
        Array.from({ length: 30 }, () =>
          store.transaction(async (tx) => {
            const { value } = await queryOne<{ value: number }>(tx, lock)
            await tx.query(write, { value: value + 1 })
          })
        )
      )
      t.same(await store.query(readCounter, { name: 'parallel' }), [{ value: 30, data: null }])
    })

    t.test('queryOne needs a row', async (t) => {
      await t.rejects(queryOne(store, readCounter, { name: 'nobody' }), { message: 'test found no row' })
      t.equal(await queryMaybe(store, readCounter, { name: 'nobody' }), undefined)
    })

    t.test('a notification reaches every listener of its channel when its transaction commits', async (t) => {
      const [one, two] = [await subscribe(t, store, 'news'), await subscribe(t, store, 'news')]
      const other = await subscribe(t, store, 'Other-News')
      await store
        .transaction(async (tx) => {
          await tx.query(notify, { channel: 'news', payload: 'rolled back' })
          throw new Error('no')
        })
        .catch(() => {})
      await store.transaction(async (tx) => {
        await tx.query(notify, { channel: 'news', payload: '{"a": "it\'s"}' })
        await sleep(50)
        t.same(one.payloads, [], 'not before the commit')
      })
      t.equal(await one.next(), '{"a": "it\'s"}')
      t.equal(await two.next(), '{"a": "it\'s"}')
      await two.stop()
      await store.query(notify, { channel: 'news', payload: 'again' })
      t.equal(await one.next(), 'again')
      await store.query(notify, { channel: 'Other-News', payload: '' })
      t.equal(await other.next(), '')
      t.same([one.payloads, two.payloads, other.payloads], [[], [], []])
    })

    t.test('a repeated statement goes on until it is stopped, through failures too', async (t) => {
      const answers: string[] = []
      const divide = sql('select 6 / :by::integer as value')
      const stops = [2, 0].map((by) =>
        store.repeat(100, divide, { by }, (answer) => {
          answers.push(
            'rows' in answer ? JSON.stringify(answer.rows) : String((answer.error as { code?: string }).code)
          )
        })
      )
      const count = (text: string) => answers.filter((answer) => answer === text).length
      while (count('[{"value":3}]') < 3 || count('22012') < 3) await sleep(5)
      for (const stop of stops) stop()
      const before = answers.length
      await sleep(250)
      t.ok(answers.length - before <= 2, 'what was under way may still answer')
      // On a starved machine an answer may take longer than an interval, which is a failure without a code.
      const told = new Set(answers.filter((answer) => answer !== 'undefined'))
      t.same([...told].sort(), ['22012', '[{"value":3}]'])
    })

    t.test('ping', async (t) => {
      await t.resolves(store.ping())
    })
  })
}
