/**
 * The same input gives the same rows and the same answers on DuckDB and on Redshift, compared row by row. What may
 * differ stands in `parity-differences.ts`.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { parseSql } from '../src/sql.ts'
import { tableDefinitions } from '../src/warehouse/table-definitions.ts'
import type { RedshiftEmulator } from './emulators/redshift.ts'
import { writeFiles } from './files.ts'
import { build, type TestService } from './helper.ts'
import { differences } from './parity-differences.ts'
import type { Json } from './records.ts'
import { buildOnRedshift } from './redshift-fixture.ts'
import { type Files, trapLoads } from './trap-data.ts'

interface Side {
  service: TestService
  put(files: Files): void
  /** An object's name below its source's parent. */
  nameOf(url: string): string
}

async function openSides(t: Test): Promise<{ duckdb: Side; redshift: Side; emulator: RedshiftEmulator }> {
  const embedded = await build(t)
  const onRedshift = await buildOnRedshift(t)
  const root = join(embedded.config.SONG_DATA, '..')
  const sides = {
    duckdb: {
      service: embedded,
      put: (files: Files) => writeFiles(root, files),
      nameOf: (url: string) => url.slice(url.indexOf('/sources/') + '/sources/'.length)
    },
    redshift: {
      service: onRedshift,
      put: onRedshift.put,
      nameOf: (url: string) => url.replace(/^s3:\/\/[^/]+\//, '')
    }
  }
  for (const { service } of Object.values(sides)) await service.prepareWarehouse()
  return { ...sides, emulator: onRedshift.redshift }
}

const load = (side: Side, params: Json) => run(side, '/v1/jobs', { type: 'etl', ...params })

/** Runs a job that loads, and returns its receipt. */
async function run({ service }: Side, url: string, asked?: Json): Promise<Json> {
  const { body } = await service.request('POST', url, { headers: { prefer: 'wait=60' }, body: asked })
  if (body.status !== 'succeeded') throw new Error(JSON.stringify(body.error))
  const { body: receipt } = await service.request('GET', `/v1/loads/${body.result.load_id}`)
  const { job_id: _, committed_at: __, links: ___, ...compared } = receipt
  return compared
}

/** What this test itself asks: no statements of the service. */
const ours = new Set<string>()

function ask({ service }: Pick<Side, 'service'>, sql: string) {
  ours.add(sql)
  return service.parts.warehouse.run(parseSql('parity', sql))
}

/** Two of the rejects become records that can be loaded, as if a later version took them. */
async function mend(side: Side): Promise<void> {
  for (const [wrong, right] of [
    ['"yesterday"', '1541106000796'],
    ['"song_id":""', '"song_id":"S99"']
  ]) {
    await ask(side, `update ops.rejects set raw_text = replace(raw_text, '${wrong}', '${right}')`)
  }
}

/** All rows of a table in the columns that are compared, in an order that is the same everywhere. */
async function rowsOf({ service, nameOf }: Side, schema: string, name: string): Promise<string[]> {
  const table = `${schema}.${name}`
  const left = new Set(differences.filter((each) => each.table === table).map(({ column }) => column))
  const { rows } = await ask({ service }, `select * from ${table}`)
  return rows
    .map((row) => {
      const compared = Object.entries(row).filter(([column]) => !left.has(column))
      const object = typeof row.url === 'string' ? [['object', nameOf(row.url)]] : []
      return JSON.stringify(Object.fromEntries([...compared, ...object]))
    })
    .sort()
}

/** What every query is asked that has these parameters. */
const searches = [
  ...['', 'year=2018', 'year=1970', 'from=2018-11-05&to=2018-11-21', 'level=paid'],
  ...['period=week', 'period=month&level=free']
]
/** The other parameters are given all at once: they leave rows to compare. */
const values = { limit: '3', days: '2', share: '1', direction: 'upgrade', weeks: '1' }

function searchesOf(parameters: readonly { name: string }[]): Set<string> {
  const taken = new Set(parameters.map(({ name }) => name))
  const rest = Object.entries(values).filter(([name]) => taken.has(name))
  return new Set(
    searches
      .filter((search) => [...new URLSearchParams(search).keys()].every((name) => taken.has(name)))
      .concat(new URLSearchParams(rest).toString())
  )
}

async function answersOf({ service }: Side): Promise<Json> {
  const { body } = await service.request('GET', '/v1/analytics')
  const answers: Json = {}
  for (const { query, parameters } of body.items) {
    for (const search of searchesOf(parameters)) {
      const { status, body: answer } = await service.request(
        'GET',
        `/v1/analytics/${query}/results?${search}`
      )
      const { as_of: _, elapsed_ms: __, ...compared } = answer
      answers[`${query}?${search}`] = { status, ...compared }
    }
  }
  return answers
}

/** Compares all rows; returns how many that were. */
async function compareRows(t: Test, duckdb: Side, redshift: Side): Promise<number> {
  let compared = 0
  for (const { schema, name } of tableDefinitions) {
    const [here, there] = await Promise.all([duckdb, redshift].map((side) => rowsOf(side, schema, name)))
    compared += here?.length ?? 0
    t.strictSame(there, here, `${schema}.${name}: ${here?.length} rows`)
  }
  return compared
}

async function compareAnswers(t: Test, duckdb: Side, redshift: Side): Promise<void> {
  const [here, there] = [await answersOf(duckdb), await answersOf(redshift)]
  t.strictSame(there, here, `${Object.keys(here).length} answers`)
}

const { duckdb, redshift, emulator } = await openSides(t)
/** What the cluster got for the traps: the real data is not everywhere. */
const statements: string[] = []

t.test('every trap, in three loads', async (t) => {
  let compared = 0
  for (const { files, params } of trapLoads) {
    for (const side of [duckdb, redshift]) side.put(files)
    const [here, there] = [await load(duckdb, params), await load(redshift, params)]
    t.strictSame(there, here, 'the receipt')
    compared += await compareRows(t, duckdb, redshift)
  }
  for (const side of [duckdb, redshift]) await mend(side)
  const replayed = await run(redshift, '/v1/rejects/replay', {})
  t.match(replayed, { mode: 'replay', events: { loaded: 1 }, songs: { loaded: 1 } })
  t.strictSame(replayed, await run(duckdb, '/v1/rejects/replay', {}), 'rejects, tried again')
  compared += await compareRows(t, duckdb, redshift)
  t.strictSame(await run(redshift, '/v1/tables/rebuild'), await run(duckdb, '/v1/tables/rebuild'), 'rebuilt')
  compared += await compareRows(t, duckdb, redshift)
  for (const side of [duckdb, redshift]) {
    const { body } = await side.service.request('POST', '/v1/loads/4/verify')
    t.equal(body.holds, true, JSON.stringify(body.claims))
  }
  const again = await load(redshift, { max_rejects: 20 })
  t.strictSame(again, await load(duckdb, { max_rejects: 20 }), 'a load of nothing new')
  // Of two conflicting events in one load the one that is read first stays, and COPY promises no order.
  for (const side of [duckdb, redshift]) side.put({ 'log_data/2018/11/2018-11-03-conflict.json': '' })
  const full = { mode: 'full', max_rejects: 20 }
  t.strictSame(await load(redshift, full), await load(duckdb, full), 'a full load')
  compared += await compareRows(t, duckdb, redshift)
  await compareAnswers(t, duckdb, redshift)
  statements.push(...emulator.statements.map(({ text }) => text).filter((text) => !ours.has(text)))
  t.comment(`${compared} rows compared`)
})

const directory = resolve(import.meta.dirname, '../../shared/real-data')
const isThere = existsSync(directory)

t.test('a slice of the real data', { skip: !isThere && `${directory} is not on this machine` }, async (t) => {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^(song|log)_data\/.*\.json$/.test(name)
  )
  const files = Object.fromEntries(
    names.map((name) => [name.replace('/', '/real/'), readFileSync(join(directory, name))])
  )
  const params = ({ service: { config } }: Side) => ({
    ...{ mode: 'full', song_data: `${config.SONG_DATA}/real`, log_data: `${config.LOG_DATA}/real` }
  })
  for (const side of [duckdb, redshift]) side.put(files)
  t.strictSame(await load(redshift, params(redshift)), await load(duckdb, params(duckdb)), 'the receipt')
  t.comment(`${await compareRows(t, duckdb, redshift)} rows compared`)
  await compareAnswers(t, duckdb, redshift)
})

t.test('the statements that the cluster got are those of docs/redshift-statements.sql', async (t) => {
  const file = new URL('../docs/redshift-statements.sql', import.meta.url)
  const texts = statements.map((text) =>
    text
      .replace(/job_[0-9a-f]{32}/g, 'JOB')
      .replace(/arn:aws:iam::\d+/g, 'arn:aws:iam::ACCOUNT')
      .replace(/(?<=row_no in )\([\d, ]+\)/, '(1, 2, 3)')
  )
  const written =
    '-- Every statement that the service sends to Redshift, in the order of their first use, as the driver sends it: $1, $2 are\n' +
    '-- bound. Written by: npm run statements\n' +
    [...new Set(texts)].map((text) => `\n${text.trim()};\n`).join('')
  if (process.env.WRITE_STATEMENTS === 'true') writeFileSync(file, written)
  t.equal(readFileSync(file, 'utf8'), written, 'stale? npm run statements writes it anew')
  t.comment(`${new Set(texts).size} statements`)
})
