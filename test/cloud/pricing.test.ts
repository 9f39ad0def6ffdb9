import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { estimateCost, estimatePausedCost, readPriceTable } from '../../src/cloud/pricing.ts'
import { nodeTypes } from '../../src/config-redshift.ts'
import { temporaryDirectory, writeFiles } from '../files.ts'

t.test('the table that comes with the service', async (t) => {
  const table = readPriceTable()
  t.match(table.as_of, /^\d{4}-\d{2}-\d{2}$/)
  t.same(estimateCost(table, { region: 'us-east-1', nodeType: 'ra3.large', nodes: 4 }), {
    currency: 'USD',
    per_hour: 2.172,
    per_month: 1585.56,
    as_of: table.as_of,
    note: 'An estimate: 4 x ra3.large on demand at the prices of us-east-1. Managed storage is billed on top, at about 0.024 USD per GB and month.'
  })
  t.match(estimateCost(table, { region: 'eu-west-1', nodeType: 'ra3.large', nodes: 1 }), {
    per_hour: 0.543,
    note: /us-east-1 stands in for eu-west-1, which the table does not have/
  })
  t.match(estimatePausedCost(table), { per_hour: 0, per_month: 0, note: /managed storage alone/ })
})

t.test('a price that nobody knows is null, never zero', async (t) => {
  const table = readPriceTable()
  const unknown = Object.keys(nodeTypes).filter((type) => table.regions['us-east-1']?.[type] === undefined)
  for (const nodeType of unknown) {
    t.match(estimateCost(table, { region: 'us-east-1', nodeType, nodes: 2 }), {
      per_hour: null,
      per_month: null,
      note: new RegExp(`^The table has no price for ${nodeType} in us-east-1; PRICE_TABLE_FILE can add it`)
    })
  }
})

t.test('another table can be given, and is checked', async (t) => {
  const directory = temporaryDirectory(t)
  const table = JSON.parse(readFileSync(new URL('../../src/cloud/price-table.json', import.meta.url), 'utf8'))
  table.regions['us-west-2'] = { 'rg.large': 0.5 }
  writeFiles(directory, {
    'good.json': JSON.stringify(table),
    'bad.json': JSON.stringify({ ...table, regions: { 'us-west-2': { 'ra3.large': 'cheap' } } }),
    'text.json': 'none'
  })
  const price = { region: 'us-west-2', nodeType: 'rg.large', nodes: 2 }
  t.match(estimateCost(readPriceTable(join(directory, 'good.json')), price), { per_hour: 1, per_month: 730 })
  const file = (name: string) => () => readPriceTable(join(directory, name))
  t.throws(file('bad.json'), {
    name: 'ConfigError',
    message: /bad.json, where \/regions\/us-west-2\/ra3.large/
  })
  t.throws(file('text.json'), { name: 'ConfigError', message: /text.json, which cannot be read/ })
  t.throws(file('none.json'), { name: 'ConfigError', message: /none.json, which cannot be read \(ENOENT\)/ })
})
