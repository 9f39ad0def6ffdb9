/**
 * Golden answers: what every canned query says of the sample data, on both engines. After a change of a query or of the sample,
 * WRITE_GOLDEN=true node test/golden.test.ts writes them anew, to be looked at.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readBuiltinCatalogue } from '../src/services/analytics-catalogue.ts'
import { ensureSample } from '../src/sources/sample.ts'
import { temporaryDirectory } from './files.ts'
import { build, type TestService } from './helper.ts'
import type { Json } from './records.ts'
import { buildOnRedshift } from './redshift-fixture.ts'

const file = new URL('golden-answers.json', import.meta.url)
const sample = join(temporaryDirectory(t), 'sample')
await ensureSample(sample)

async function load(service: TestService): Promise<void> {
  await service.prepareWarehouse()
  const { body } = await service.request('POST', '/v1/jobs', {
    ...{ headers: { prefer: 'wait=60' }, body: { type: 'etl' } }
  })
  if (body.status !== 'succeeded') throw new Error(JSON.stringify(body.error))
}

const embedded = await build(t, { SONG_DATA: join(sample, 'song_data'), LOG_DATA: join(sample, 'log_data') })
await load(embedded)
// How small objects get into the cluster has a test of its own.
const onRedshift = await buildOnRedshift(t, { COMPACT_OBJECTS: '0' })
const names = globSync('**/*.json', { cwd: sample })
onRedshift.put(Object.fromEntries(names.map((name) => [name, readFileSync(join(sample, name))])))
await load(onRedshift)

const queries = readBuiltinCatalogue().map(({ query }) => query)
if (process.env.WRITE_GOLDEN === 'true') {
  const answers: Json = {}
  for (const query of queries) {
    answers[query] = (await embedded.request('GET', `/v1/analytics/${query}/results`)).body.rows
  }
  const rows = Object.entries(answers).map(([query, rows]) => {
    const each = (rows as Json[]).map((row) => `    ${JSON.stringify(row)}`).join(',\n')
    return `  ${JSON.stringify(query)}: [\n${each}\n  ]`
  })
  writeFileSync(file, `{\n${rows.join(',\n')}\n}\n`)
}
const golden = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Json[]>

t.test('every query has its golden answer', async (t) => {
  t.strictSame(Object.keys(golden), queries)
  for (const [query, rows] of Object.entries(golden)) t.ok(rows.length > 0, `${query}: ${rows.length} rows`)
})

for (const [engine, service] of Object.entries({ duckdb: embedded, redshift: onRedshift })) {
  t.test(engine, async (t) => {
    for (const query of queries) {
      const { body } = await service.request('POST', `/v1/analytics/${query}/verify`, {
        ...{ scope: 'read', body: { expected: golden[query] } }
      })
      t.match(body, { equal: true, differences: [] }, query)
    }
  })
}
