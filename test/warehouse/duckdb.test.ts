import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { createDuckdbWarehouse } from '../../src/warehouse/duckdb.ts'
import { openEtl } from '../etl-fixture.ts'
import { temporaryDirectory } from '../files.ts'
import { event, lines, song } from '../records.ts'
import { checkRowStream } from '../row-stream.ts'
import {
  createNumbers,
  insertOne,
  numbers,
  open,
  openNumbers,
  read,
  statement
} from '../warehouse-fixture.ts'

t.test('values come out exact, and the same text on every engine', async (t) => {
  const warehouse = await openNumbers(t)
  const { columns, rows, changed } = await warehouse.run(
    statement(`select
      9007199254740991 as safe, 9007199254740993 as big, -9007199254740993 as small, cast(7 as integer) as int,
      170141183460469231731687303715884105727 as huge, cast(1.50 as decimal(10, 2)) as dec, cast(0.1 as double) as dbl,
      timestamp '2018-11-01 21:00:00' as whole, timestamp '2018-11-01 21:00:00.796' as ms,
      timestamp '2018-11-01 21:00:00.796001' as us, timestamp '1969-12-31 23:59:59.999999' as before,
      date '2018-11-01' as day, true as yes, 'a''b' as text, null as nothing`)
  )
  t.same(rows, [
    {
      safe: 9007199254740991,
      big: '9007199254740993',
      small: '-9007199254740993',
      int: 7,
      huge: '170141183460469231731687303715884105727',
      dec: '1.50',
      dbl: 0.1,
      whole: '2018-11-01T21:00:00.000Z',
      ms: '2018-11-01T21:00:00.796Z',
      us: '2018-11-01T21:00:00.796001Z',
      before: '1969-12-31T23:59:59.999999Z',
      day: '2018-11-01',
      yes: true,
      text: "a'b",
      nothing: null
    }
  ])
  t.same(columns, Object.keys(rows[0] ?? {}))
  t.equal(changed, 0)
})

t.test('parameters go in as they are; times are UTC', async (t) => {
  const warehouse = await openNumbers(t)
  const { rows } = await warehouse.run(
    statement(
      'select :text as text, :whole as whole, :part as part, :yes as yes, cast(:at as timestamp) as at, cast(:nothing as bigint) as nothing, :text as again'
    ),
    {
      text: 'naïve "text"; --',
      whole: 42,
      part: 0.25,
      yes: false,
      at: new Date('2018-11-01T21:00:00.796Z'),
      nothing: null
    }
  )
  t.same(rows, [
    {
      text: 'naïve "text"; --',
      whole: 42,
      part: 0.25,
      yes: false,
      at: '2018-11-01T21:00:00.796Z',
      nothing: null,
      again: 'naïve "text"; --'
    }
  ])
  await t.rejects(warehouse.run(statement('select :value'), { value: {} }), {
    name: 'TypeError',
    message: "a object cannot be a statement's parameter"
  })
})

t.test('changed counts the rows of a writing statement', async (t) => {
  const warehouse = await openNumbers(t)
  await warehouse.write(async (session) => {
    const run = async (text: string) => (await session.run(statement(text))).changed
    t.equal(await run('insert into staging.numbers values (1), (2), (3)'), 3)
    t.equal(await run('update staging.numbers set n = n + 1 where n > 1'), 2)
    t.equal(await run('delete from staging.numbers where n > 5'), 0)
    t.equal(await run('select * from staging.numbers'), 0)
  })
  t.same(await read(warehouse), [1, 3, 4])
})

t.test('while a cluster is created there is none, and never one without schemas', async (t) => {
  const warehouse = open(temporaryDirectory(t))
  t.teardown(() => warehouse.close())
  const codes = new Set<string>()
  let isCreated = false
  const creating = warehouse.create().finally(() => {
    isCreated = true
  })
  while (!isCreated) {
    await setTimeout(1)
    await warehouse.run(statement('select * from analytics.songplays')).catch(({ code, message }) => {
      codes.add(code ?? message)
    })
  }
  await creating
  t.ok(
    [...codes].every((code) => ['cluster_not_found', 'tables_not_created'].includes(code)),
    [...codes].join()
  )
  await t.rejects(warehouse.run(statement('select * from analytics.songplays')), {
    code: 'tables_not_created'
  })
  t.strictSame(readdirSync(dirname(warehouse.path)), [basename(warehouse.path)])
})

t.test('a cluster that is deleted while it is read is gone, and the next one is whole', async (t) => {
  const warehouse = open(temporaryDirectory(t))
  t.teardown(() => warehouse.close())
  const codes = new Set<string>()
  let isOver = false
  const readers = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      await setTimeout()
      await warehouse.run(statement('select * from analytics.songplays')).catch(({ code, message }) => {
        codes.add(code ?? message)
      })
    }
  })
  for (let turn = 0; turn < 15; turn += 1) {
    await warehouse.create()
    await setTimeout(turn)
    await warehouse.remove()
    if (warehouse.exists()) t.fail('a reader has made the file anew')
    await setTimeout(5)
    if (warehouse.exists()) t.fail('a reader has made the file anew, later')
  }
  isOver = true
  await Promise.all(readers)
  t.strictSame([...codes].sort(), ['cluster_not_found', 'tables_not_created'])
})

t.test('a file that cannot be made leaves nothing, and a draft that was left is no hindrance', async (t) => {
  const directory = temporaryDirectory(t)
  const warehouse = open(directory)
  t.teardown(() => warehouse.close())
  const draft = `${warehouse.path}.new`
  mkdirSync(draft, { recursive: true })
  await t.rejects(warehouse.create(), 'a directory is in its place')
  t.equal(warehouse.exists(), false)
  rmdirSync(draft)
  writeFileSync(draft, 'what a crash has left')
  writeFileSync(`${draft}.wal`, 'of it')
  await warehouse.create()
  t.strictSame(readdirSync(dirname(warehouse.path)), [basename(warehouse.path)])
})

t.test('without a cluster, without tables, without a readable file', async (t) => {
  const directory = temporaryDirectory(t)
  const warehouse = open(directory)
  t.equal(warehouse.exists(), false)
  const absent = { code: 'cluster_not_found', status: 409, message: /PUT \/v1\/cluster/ }
  await t.rejects(warehouse.run(numbers), absent)
  await t.rejects(
    warehouse.write((session) => session.run(numbers)),
    absent
  )
  t.equal(existsSync(warehouse.path), false, 'a refused statement creates no file')

  await warehouse.create()
  await t.rejects(warehouse.run(statement('select * from analytics.songplays')), {
    code: 'tables_not_created',
    status: 409,
    message: /POST \/v1\/tables/
  })
  await t.rejects(warehouse.run(statement('select * from songplays')), { code: 'tables_not_created' })
  await t.rejects(warehouse.run(statement("select cast('x' as bigint)")), { message: /^Conversion Error/ })
  await warehouse.close()

  writeFileSync(warehouse.path, 'no database at all, but long enough to look like one'.repeat(500))
  const broken = open(directory)
  await t.rejects(broken.run(numbers), { code: 'warehouse_unavailable', status: 503 })
})

t.test('writers wait for each other; readers go on and see what is committed', async (t) => {
  const warehouse = await openNumbers(t)
  const story: string[] = []
  const first = warehouse.write(async (session) => {
    story.push('first begins')
    await session.begin()
    await session.run(insertOne)
    t.same(await read(session), [1], 'the writer sees its own rows')
    t.same(await read(warehouse), [], 'a reader does not')
    await session.commit()
    t.same(await read(warehouse), [1], 'until the commit')
    story.push('first ends')
  })
  const failing = warehouse.write(async () => {
    story.push('second begins')
    throw new Error('second fails')
  })
  const third = warehouse.write(async (session) => {
    story.push('third begins')
    return session.run(numbers)
  })
  await t.rejects(failing, { message: 'second fails' })
  await first
  t.same((await third).rows, [{ n: 1 }])
  t.same(story, ['first begins', 'first ends', 'second begins', 'third begins'])
})

t.test('a session that throws leaves nothing behind', async (t) => {
  const warehouse = await openNumbers(t)
  await t.rejects(
    warehouse.write(async (session) => {
      await session.run(statement('create temp table scratch as select 1 as n'))
      await session.begin()
      await session.run(insertOne)
      await session.run(statement('drop table staging.numbers'))
      throw new Error('no more')
    }),
    { message: 'no more' }
  )
  t.same(await read(warehouse), [])
  const temporary = statement('select table_name from duckdb_tables() where temporary')
  t.same((await warehouse.run(temporary)).rows, [])

  await warehouse.write(async (session) => {
    await session.begin()
    await session.run(insertOne)
    await session.rollback()
    t.same(await read(session), [], 'a rollback on purpose, and the session goes on')
    await session.run(statement('create temp table scratch as select 1 as n'))
  })
  await warehouse.write(async (session) => t.same((await session.run(temporary)).rows, []))
})

t.test('create is idempotent, and rows outlive a close', async (t) => {
  const directory = temporaryDirectory(t)
  const warehouse = open(directory)
  await warehouse.create()
  await warehouse.write((session) => session.run(createNumbers))
  await warehouse.write((session) => session.run(insertOne))
  await warehouse.create()
  t.same(await read(warehouse), [1])
  t.ok((await warehouse.size()) > 0)
  await warehouse.close()
  await warehouse.close()
  t.same(await read(warehouse), [1], 'it opens again by itself')
  await warehouse.close()
})

t.test('remove deletes the file and keeps a snapshot when asked', async (t) => {
  const directory = temporaryDirectory(t)
  const warehouse = open(directory)
  await warehouse.remove()
  await warehouse.create()
  await warehouse.write((session) => session.run(createNumbers))
  await warehouse.write((session) => session.run(insertOne))
  const path = join(directory, 'snapshots', 'final.duckdb')
  await warehouse.remove(path)
  t.equal(warehouse.exists(), false)
  t.equal(existsSync(`${warehouse.path}.wal`), false)
  await t.rejects(warehouse.run(numbers), { code: 'cluster_not_found' })

  const snapshot = createDuckdbWarehouse({ path, tempDirectory: join(directory, 'temp') })
  t.same(await read(snapshot), [1])
  await snapshot.close()

  await warehouse.create()
  await t.rejects(warehouse.run(numbers), { code: 'tables_not_created' }, 'the new cluster is empty')
  await warehouse.remove()
  t.equal(warehouse.exists(), false)
})

t.test('a reader at work ends well while the warehouse is removed under it', async (t) => {
  const warehouse = await openNumbers(t)
  await warehouse.write((session) => session.run(insertOne))
  const reader = warehouse.run(
    statement(
      'select count(*) as n from staging.numbers, range(30000) as a, range(1000) as b where a.range > b.range'
    )
  )
  await setTimeout(20)
  await warehouse.remove()
  await warehouse.create()
  t.same((await reader).rows, [{ n: 30000 * 1000 - (1000 * 1001) / 2 }])
  await t.rejects(read(warehouse), { code: 'tables_not_created' })
})

t.test("the seed documents' queries run unchanged", async (t) => {
  const etl = await openEtl(t)
  const december = { ts: 1543622400000, song: 'Beta', length: 210.5 }
  etl.write({
    'song_data/1.json': lines(song()),
    'song_data/2.json': lines(song({ song_id: 'S2', title: 'Beta', artist_id: 'A2', duration: 210.5 })),
    'log_data/1.json': lines(
      event(),
      event({ itemInSession: 1 }),
      event({ itemInSession: 2, ...december }),
      event({ itemInSession: 3, song: 'unknown' }),
      event({ itemInSession: 4, ts: 1546300800000 })
    )
  })
  await etl.load()
  t.same(await etl.rows(topSongs), [
    ['S1', 'Alpha', 'A1', 'Ann', 11, 2018, 2],
    ['S2', 'Beta', 'A2', 'Ann', 12, 2018, 1]
  ])
  t.same(await etl.rows(topArtists), [
    ['A1', 'Ann', 2],
    ['A2', 'Ann', 1]
  ])
})

const topSongs = `
SELECT
    sp.song_id,
    sn.title,
    sp.artist_id,
    art.name,
    tm.month,
    tm.year,
    count(sp.songplay_id) as plays
FROM songplays sp
INNER join songs sn on (sn.song_id = sp.song_id)
INNER join artists art on (sn.artist_id = art.artist_id)
INNER JOIN time tm on (sp.start_time = tm.start_time)
WHERE tm.year = 2018
GROUP BY
    sp.song_id,
    sn.title,
    sp.artist_id,
    art.name,
    tm.month,
    tm.year
ORDER BY count(sp.songplay_id) desc
LIMIT 5;
`

const topArtists = `
SELECT
    art.artist_id,
    art.name,
    count(sp.songplay_id) as plays
FROM artists art
INNER JOIN songplays sp on (art.artist_id = sp.artist_id)
INNER JOIN time tm on (sp.start_time = tm.start_time)
WHERE tm.year = 2018
GROUP BY art.artist_id, art.name
ORDER by plays desc LIMIT 5;
`

t.test('rows in parts', async (t) => checkRowStream(t, await openNumbers(t)))

t.test('a statement that fails after a million rows gives no part of them as all', async (t) => {
  const warehouse = await openNumbers(t)
  const failing = statement(
    "select case when n = 900000 then cast('x' || n as integer) else n end as n from range(1000000) t(n)"
  )
  const take = async () => {
    for await (const { rows } of warehouse.stream(failing))
      t.ok(rows.length === 0, 'nothing comes before the error')
  }
  await t.rejects(take(), /Could not convert string 'x900000'/)
})
