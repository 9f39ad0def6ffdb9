/** Every statement that goes to the warehouse runs on Redshift: none of them is refused. */
import { readdirSync } from 'node:fs'
import type pg from 'pg'
import t from 'tap'
import { bindParams, fillLiterals, type Literal, readSql, type Statement } from '../../src/sql.ts'
import { toRedshift, types } from '../../src/warehouse/redshift-values.ts'
import { createStatement, schemas, tableDefinitions } from '../../src/warehouse/table-definitions.ts'
import { role, startRedshift } from './redshift/fixture.ts'

const songs = [1, 2].map((n) =>
  JSON.stringify({
    ...{
      num_songs: 1,
      artist_id: `AR${n}`,
      artist_latitude: null,
      artist_longitude: 1.5,
      artist_location: ''
    },
    ...{ artist_name: `Artist ${n}`, song_id: `SO${n}`, title: `Title ${n} `, duration: 200.5, year: 0 }
  })
)
const events = [1, 2, 2, 3].map((n) =>
  JSON.stringify({
    ...{
      artist: `Artist ${n} `,
      auth: 'Logged In',
      firstName: 'Ann',
      gender: 'F',
      itemInSession: n,
      lastName: 'Bo'
    },
    ...{
      length: 200,
      level: 'free',
      location: '',
      method: 'PUT',
      page: 'NextSong',
      registration: 1540919166796.0
    },
    ...{ sessionId: 7, song: `Title ${n}`, status: 200, ts: 1541121934796 + n, userAgent: 'x', userId: '8' }
  })
)

/** Values for all parameters and literals, by name. */
const values: Record<string, unknown> = {
  ...{
    load_id: 1,
    job_id: 'job',
    is_full: false,
    first_ts: 0,
    last_ts: 2e12,
    event_id_base: 0,
    reject_id_base: 0
  },
  ...{ rejected_at: new Date(), committed_at: new Date(), mode: 'incremental', data_version: 1, objects: 2 },
  ...{ objects_skipped: 0, events_read: 4, events_loaded: 3, events_duplicates: 1, events_rejected: 0 },
  ...{ songs_read: 2, songs_loaded: 2, songs_duplicates: 0, songs_rejected: 0, receipt: '{}', kind: null },
  ...{
    code: null,
    after_id: null,
    before_id: null,
    query_id: 1,
    database: 'dev'
  },
  ...{ year: 2018 }
}
const literals: Record<string, Literal> = {
  rows: [1, 2, 99],
  ...{ limit: 10, offset: 0, role, region: 'us-west-2', json: 'auto ignorecase', max_errors: 100_000 }
}

const { objects, connect } = await startRedshift(t)
objects.set('bucket/songs/1.json', songs.join('\n'))
objects.set('bucket/events/1.json', events.join('\n'))
objects.set(
  'bucket/listing/1.json',
  ['songs', 'events']
    .map((kind, n) =>
      JSON.stringify({ object_no: n + 1, kind, url: `s3://bucket/${kind}/1.json`, etag: 'e', bytes: 9 })
    )
    .join('\n')
)
const { client } = await connect({ types })

const done = new Set<string>()

/** Runs a statement as the warehouse does, with the values that it asks for. */
async function runStatement(
  statement: Statement,
  own: Record<string, Literal> = {}
): Promise<pg.QueryResult> {
  const filled = fillLiterals(
    statement,
    Object.fromEntries(statement.literals.map((name) => [name, own[name] ?? literals[name] ?? ''])),
    'redshift'
  )
  const params = Object.fromEntries(
    filled.params.map((name) => [name, name === 'limit' ? 5 : (values[name] ?? null)])
  )
  const bound = bindParams(filled, params).map(toRedshift)
  done.add(statement.name)
  return client.query(filled.text, bound.length > 0 ? bound : undefined)
}

const runFile = (path: string, own?: Record<string, Literal>) => runStatement(readSql(path), own)
const filesOf = (folder: string) =>
  readdirSync(new URL(`../../src/sql/${folder}/`, import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${folder}/${entry.name}`)
    .sort()

t.test('schemas and tables', async (t) => {
  await client.query('set statement_timeout to 60000')
  for (const schema of schemas) await client.query(`create schema if not exists ${schema}`)
  await client.query('set search_path to analytics, staging')
  for (const definition of tableDefinitions) {
    const statement = createStatement(definition, 'redshift')
    await runStatement({ ...statement, name: definition.create.name })
  }
  const { rows } = await runFile('warehouse/shared/table-columns.sql')
  t.equal(rows.length, tableDefinitions.flatMap(({ columns }) => columns).length)
})

const load = 'warehouse/shared/load'
const redshift = 'warehouse/redshift'

t.test('staging', async (t) => {
  for (const name of ['listing', 'rejects', 'events', 'songs'])
    await runFile(`${redshift}/create-load-${name}.sql`)
  await runFile(`${redshift}/copy-listing.sql`, { from: 's3://bucket/listing/' })
  await runFile(`${redshift}/copy-songs.sql`, { from: 's3://bucket/songs/' })
  await runFile(`${redshift}/copy-events.sql`, { from: 's3://bucket/events/' })
  const { rows } = await runFile(`${redshift}/last-copy.sql`)
  t.equal(Number(rows[0]?.rows_loaded), 4)
  values.query_id = rows[0]?.query_id
  const copied = await runFile(`${redshift}/copied-files.sql`)
  t.same(copied.rows, [{ url: 's3://bucket/events/1.json' }])
  await runFile(`${load}/01-new-objects.sql`)
  await runFile(`${redshift}/create-load-objects.sql`)
  for (const file of filesOf(redshift)) {
    if (!done.has(file) && !file.endsWith('lock-ledger.sql')) await runFile(file)
  }
})

t.test('the load, in the order of its statements', async (t) => {
  await client.query('begin')
  await runFile(`${redshift}/lock-ledger.sql`)
  for (const file of filesOf(load)) if (!done.has(file) && !file.includes('/clear-')) await runFile(file)
  const { rows } = await runFile(`${load}/81-checks.sql`)
  for (const { check_name, violations } of rows) t.equal(violations, 0, check_name)
  await client.query('commit')
  t.same((await client.query('select count(*) as plays, count(song_id) as matched from songplays')).rows, [
    { plays: 3, matched: 2 }
  ])
})

t.test('questions', async (t) => {
  for (const folder of [
    'warehouse/shared',
    'warehouse/shared/loads',
    'warehouse/shared/rejects',
    'analytics'
  ]) {
    for (const file of filesOf(folder)) t.ok(await runFile(file), file)
  }
  await client.query('begin')
  for (const file of filesOf(load)) if (!done.has(file)) await runFile(file)
  await client.query('rollback')
})

t.test('no file is forgotten', async (t) => {
  const folders = ['warehouse/redshift', 'warehouse/shared', 'warehouse/shared/load', 'analytics']
  const all = [...folders, 'warehouse/shared/loads', 'warehouse/shared/rejects'].flatMap(filesOf)
  t.same(
    all.filter((file) => !done.has(file)),
    []
  )
})
