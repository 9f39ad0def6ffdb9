/** What every warehouse keeps to when it gives the rows of a statement in parts. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { parseSql } from '../src/sql.ts'
import type { Warehouse } from '../src/warehouse/warehouse.ts'

const ROWS = 100_000
const digits = Array.from({ length: 10 }, (_, digit) => `select ${digit} as n`).join(' union all ')
const many = parseSql(
  'test/many',
  `with digits as (${digits})
  select a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n as number, 'a text of some length' as text
  from digits a cross join digits b cross join digits c cross join digits d cross join digits e
  where a.n >= cast(:least as integer)`
)

// The last of the rows cannot be computed.
const FAILS_LATE =
  "cast(case when a.n = 9 and b.n = 9 and c.n = 9 and d.n = 9 and e.n = 9 then 'x' else '1' end as integer)"

export async function checkRowStream(t: Test, warehouse: Pick<Warehouse, 'run' | 'stream'>): Promise<void> {
  await t.test('every row comes, once', async (t) => {
    let [sum, parts] = [0, 0]
    for await (const { columns, rows } of warehouse.stream(many, { least: 0 })) {
      if (parts === 0) t.same(columns, ['number', 'text'])
      parts += 1
      for (const { number } of rows) sum += Number(number)
    }
    t.equal(sum, (ROWS * (ROWS - 1)) / 2)
    t.ok(parts > 10, `in ${parts} parts`)
  })

  await t.test('nothing is fetched that nobody takes', async (t) => {
    let largest = 0
    let parts = 0
    for await (const { rows } of warehouse.stream(many, { least: 0 })) {
      largest = Math.max(largest, rows.length)
      parts += 1
      if (parts === 3) break
      await sleep(50)
    }
    t.ok(largest < ROWS / 5, `${largest} rows at most waited`)
    t.equal((await warehouse.run(many, { least: 9 })).rows.length, ROWS / 10, 'and the warehouse goes on')
  })

  await t.test('without rows there is one empty part', async (t) => {
    const parts = []
    for await (const part of warehouse.stream(many, { least: 10 })) parts.push(part)
    t.same(parts, [{ columns: ['number', 'text'], rows: [], changed: 0 }])
  })

  await t.test('it is stopped by its signal, and fails with its errors', async (t) => {
    const stop = new AbortController()
    const take = async () => {
      for await (const { rows } of warehouse.stream(many, { least: 0 }, { signal: stop.signal })) {
        if (rows.length > 0) stop.abort(new Error('enough'))
      }
    }
    await t.rejects(take(), { message: 'enough' })
    const failing = parseSql('test/failing', many.text.replace('a.n +', `${FAILS_LATE} * a.n +`))
    const taken = async () => {
      for await (const { rows } of warehouse.stream(failing, { least: 0 })) t.ok(rows.length > 0)
    }
    await t.rejects(taken(), 'a row that fails late is no end')
    const missing = warehouse.stream(parseSql('test/missing', 'select count(*) as n from analytics.nothing'))
    const first = (async () => {
      for await (const part of missing) return part
    })()
    await t.rejects(first, { code: 'tables_not_created' })
  })
}
