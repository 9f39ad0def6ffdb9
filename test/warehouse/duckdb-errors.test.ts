import t from 'tap'
import { parseSql } from '../../src/sql.ts'
import { createDuckdbWarehouse } from '../../src/warehouse/duckdb.ts'
import { temporaryDirectory } from '../files.ts'

t.test('a statement that needs more memory than there is', async (t) => {
  const directory = temporaryDirectory(t)
  const warehouse = createDuckdbWarehouse({
    path: `${directory}/a.duckdb`,
    tempDirectory: `${directory}/temp`
  })
  t.teardown(() => warehouse.close())
  await warehouse.create()
  await warehouse.run(parseSql('test', "set memory_limit = '8MB'"))
  const greedy = parseSql('test', 'select list(i) as all_of_them from range(10000000) numbers (i)')
  await t.rejects(warehouse.run(greedy), { code: 'out_of_memory', status: 507, kind: 'configuration' })
  await t.resolves(warehouse.run(parseSql('test', 'select 1')), 'the warehouse goes on')
})
