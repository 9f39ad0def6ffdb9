/** Queries of an operator's own: one file each, checked at the start, answered like any other. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readCatalogues } from '../../src/services/analytics-catalogue.ts'
import { temporaryDirectory, writeFiles } from '../files.ts'
import { build } from '../helper.ts'
import { event, lines, song } from '../records.ts'

const header = `/*
title: Plays of a user
question: How often did a user listen?
parameters:
  user: { type: integer, default: 1, minimum: 1 }
columns:
  plays: { type: integer, unit: plays }
*/
`
const good = `${header}select count(songplay_id) as plays
from analytics.songplays
where user_id = cast(:user as bigint);
`

const folderOf = (files: Record<string, string>) => {
  const folder = temporaryDirectory(t)
  writeFiles(folder, files)
  return folder
}

t.test('a file is a query', async (t) => {
  const folder = folderOf({ 'user-plays.sql': good })
  const service = await build(t, { ANALYTICS_DIR: folder })
  await service.prepareWarehouse()
  writeFiles(join(service.config.DATA_DIR, 'sources'), {
    'song_data/a.json': lines(song()),
    'log_data/a.json': lines(event(), event({ itemInSession: 1 }), event({ itemInSession: 2, userId: '7' }))
  })
  await service.request('POST', '/v1/jobs', { body: { type: 'etl' }, headers: { prefer: 'wait=60' } })
  const get = async (search: string) =>
    (await service.request('GET', `/v1/analytics/user-plays/results${search}`, { scope: 'read' })).body
  t.match(await get(''), { query: 'user-plays', params: { user: 1 }, rows: [{ plays: 2 }] })
  t.match(await get('?user=7'), { rows: [{ plays: 1 }] })
  t.match(await get('?user=0'), { code: 'invalid_request' })
  const { items } = (await service.request('GET', '/v1/analytics')).body
  t.ok(items.some(({ query }: { query: string }) => query === 'user-plays'))
  t.ok('/v1/analytics/user-plays/results' in (service.app.swagger().paths ?? {}))
})

t.test('the example of the README', async (t) => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const [, example = ''] = /<!-- query: a test runs it -->\n```sql\n([\s\S]*?)```/.exec(readme) ?? []
  const service = await build(t, { ANALYTICS_DIR: folderOf({ 'loyal-listeners.sql': example }) })
  await service.prepareWarehouse()
  writeFiles(service.config.SONG_DATA, { 'a.json': lines(song()) })
  const day = 86_400_000
  const plays = [
    event(),
    event({ itemInSession: 1 }),
    event({ ts: 1541106000796 + day }),
    event({ userId: '7' })
  ]
  writeFiles(service.config.LOG_DATA, { 'a.json': lines(...plays) })
  await service.request('POST', '/v1/jobs', { body: { type: 'etl' }, headers: { prefer: 'wait=60' } })
  const { body } = await service.request('GET', '/v1/analytics/loyal-listeners/results')
  t.same(body.rows, [
    { user_id: 1, days: 2 },
    { user_id: 7, days: 1 }
  ])
  const chart = await service.request('GET', '/v1/analytics/loyal-listeners/chart')
  t.match([chart.status, chart.body], [200, /<svg.*Loyal listeners/s])
})

t.test('an answer of any size comes whole, in every format', async (t) => {
  const folder = folderOf({
    'triples.sql': `/*
title: Triples
question: Which plays go together?
columns:
  first: { type: integer }
  text: { type: string }
*/
select pa.user_id as first, pb.location as text
from analytics.songplays pa cross join analytics.songplays pb cross join analytics.songplays pc;
`
  })
  const service = await build(t, { ANALYTICS_DIR: folder })
  await service.prepareWarehouse()
  const plays = Array.from({ length: 60 }, (_, itemInSession) => event({ itemInSession }))
  writeFiles(service.config.SONG_DATA, { 'a.json': lines(song()) })
  writeFiles(service.config.LOG_DATA, { 'a.json': lines(...plays) })
  await service.request('POST', '/v1/jobs', { body: { type: 'etl' }, headers: { prefer: 'wait=60' } })
  const get = (search = '') => service.request('GET', `/v1/analytics/triples/results${search}`)
  const { headers, body } = await get()
  t.match([body.rows.length, body.row_count, body.truncated], [216_000, 216_000, false])
  t.match(headers['x-cache'], 'miss')
  t.equal((await get('?format=csv')).body.split('\r\n').length, 216_002)
  t.equal((await get('?format=ndjson')).body.split('\n').length, 216_001)
  const known = await service.request('GET', '/v1/analytics/triples/results', {
    headers: { 'if-none-match': String(headers.etag) }
  })
  t.match([known.status, known.body], [304, ''])
})

/** The problems of a folder with this one query, without the folder's name. */
async function problemsOf(sql: string, name = 'mine.sql'): Promise<string[]> {
  const folder = folderOf({ [name]: sql })
  return readCatalogues(folder).then(
    () => [],
    (error) => error.problems.map((problem: string) => problem.replace(`${folder}/`, ''))
  )
}

t.test('what is wrong is named by file and line', async (t) => {
  t.strictSame(await problemsOf(good), [])
  t.strictSame(await problemsOf(good, 'top-songs.sql'), [
    'top-songs.sql:1: a query that comes with the service has this name'
  ])
  const body = (sql: string) => `${header}-- a comment: qualify\n${sql}`
  for (const [sql, problem] of [
    ["select :user\n as plays from read_csv('/etc/passwd')", '11: this function reads beyond the tables'],
    [
      "select 1 as plays\nfrom '/etc/passwd' where 1 = :user",
      '11: a quoted name in FROM is a file to DuckDB'
    ],
    [
      'select 1 as plays from nowhere where 1 = :user',
      '9: the engine refuses it: Catalog Error: Table with name nowhere'
    ],
    ['select plaice as plays from users where 1 = :user', '9: the engine refuses it: Binder Error'],
    ['select user_id as plays from users\nqualify 1 = :user', '11: QUALIFY is not known everywhere'],
    ['select distinct on (level) user_id as plays from users where 1 = :user', '10: DISTINCT ON'],
    ['select user_id as plays from users limit :user', '10: Redshift binds no LIMIT'],
    ['select * from users where 1 = :user', '10: name the columns'],
    ['with x as (delete from users) select 1 as plays where 1 = :user', '10: only reading is for queries'],
    ["select getenv('HOME') as plays where 1 = :user", '10: this function reads beyond the tables'],
    [
      'select count(*) as plays from information_schema.tables where 1 = :user',
      '10: the catalogue of the engine'
    ]
  ]) {
    t.match((await problemsOf(body(sql ?? ''))).join('\n'), `mine.sql:${problem}`, sql ?? '')
  }
  t.match((await problemsOf('select 1')).join(), 'mine.sql:1: the file must start with its header')
  t.match(await readCatalogues('/nowhere').catch((error) => error.problems), [/^\/nowhere cannot be read/])
})

t.test('a wrong query stops the start', async (t) => {
  const folder = folderOf({ 'mine.sql': `${header}drop table users` })
  await t.rejects(readCatalogues(folder), {
    name: 'CatalogueError',
    message: /mine\.sql:8: the statement must be a SELECT/
  })
})
