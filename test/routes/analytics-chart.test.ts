/** Charts: one for each query, drawn from its answer, safe to open. */
import { join } from 'node:path'
import t from 'tap'
import { readBuiltinCatalogue } from '../../src/services/analytics-catalogue.ts'
import { writeFiles } from '../files.ts'
import { build } from '../helper.ts'
import { event, lines, song } from '../records.ts'

const service = await build(t)
await service.prepareWarehouse()
const get = (query: string, search = '', headers: Record<string, string> = {}) =>
  service.request('GET', `/v1/analytics/${query}/chart${search}`, { scope: 'read', headers })
const evil = '<script>alert("x")</script>&'

t.test('without rows', async (t) => {
  const { status, body } = await get('top-songs')
  t.equal(status, 200)
  t.match(body, /No rows/)
})

t.test('every query has a chart, in both themes', async (t) => {
  writeFiles(join(service.config.DATA_DIR, 'sources'), {
    'song_data/a.json': lines(
      ...Array.from({ length: 30 }, (_, index) =>
        song({
          song_id: `S${index}`,
          title: index === 0 ? evil : `Title ${index}`,
          artist_id: `A${index}`,
          artist_name: `Name ${index}`
        })
      )
    ),
    'log_data/a.json': lines(
      ...Array.from({ length: 300 }, (_, index) =>
        event({
          ...{ song: index % 30 === 0 ? evil : `Title ${index % 30}`, artist: `Name ${index % 30}` },
          ...{
            userId: String(1 + (index % 5)),
            level: index % 2 ? 'free' : 'paid',
            sessionId: Math.floor(index / 20)
          },
          ...{
            itemInSession: index,
            ts: 1541106000796 + index * 7_200_000,
            location: index % 3 ? evil : 'Oslo'
          }
        })
      )
    )
  })
  await service.request('POST', '/v1/jobs', { body: { type: 'etl' }, headers: { prefer: 'wait=60' } })
  for (const { query, title } of readBuiltinCatalogue()) {
    for (const theme of ['light', 'dark']) {
      const { status, headers, body } = await get(query, `?theme=${theme}`)
      t.equal(status, 200, `${query}: ${JSON.stringify(body).slice(0, 200)}`)
      t.equal(headers['content-type'], 'image/svg+xml; charset=utf-8')
      t.equal(headers['content-security-policy'], "default-src 'none'; style-src 'unsafe-inline'")
      t.match(body, /^<svg [^>]*width="600" height="\d+"/)
      t.ok(body.includes(`>${title}<`), `${query}: its title`)
      t.notMatch(
        body,
        /<script|<image|<foreignObject|href=|url\(http|NaN/,
        'nothing that runs, is fetched, or is no number'
      )
      t.match(body, theme === 'light' ? '#ffffff' : '#0d1117')
    }
  }
})

t.test('texts of the data are texts, and what is left out is said', async (t) => {
  t.match((await get('plays-by-location')).body, '&lt;script&gt;')
  t.match((await get('top-songs', '?limit=30')).body, '20 of 30 shown')
  const wide = await get('top-songs', '?width=1200&limit=3')
  t.match(wide.body, /^<svg [^>]*width="1200"/)
  t.notMatch(wide.body, /of 30 shown/)
})

t.test('it is kept like any other answer', async (t) => {
  const first = await get('plays-by-hour', '?width=700')
  t.equal(first.headers['x-cache'], 'miss')
  const again = await get('plays-by-hour', '?width=700')
  t.match(again.headers, { 'x-cache': 'hit', etag: first.headers.etag })
  t.equal(
    (await get('plays-by-hour', '?width=700', { 'if-none-match': String(first.headers.etag) })).status,
    304
  )
  t.not((await get('plays-by-hour', '?width=700&theme=dark')).headers.etag, first.headers.etag)
  t.not((await get('plays-by-hour', '?width=700&level=paid')).headers.etag, first.headers.etag)
})

t.test('what is wrong is told', async (t) => {
  for (const [query, search, status, pointer] of [
    ['flops', '', 404],
    ['top-songs', '?width=20', 400, 'width'],
    ['top-songs', '?theme=pink', 400, 'theme'],
    ['top-songs', '?limit=0', 400, 'limit'],
    ['top-songs', '?limit=many', 400, 'limit'],
    ['top-songs', '?more=1', 400, 'more'],
    ['top-songs', '?constructor=x', 400, 'constructor'],
    ['engagement', '?from=yesterday', 400, 'from']
  ] as const) {
    const { status: found, body } = await get(query, search)
    t.equal(found, status, query + search)
    if (pointer !== undefined) t.match(body.errors, [{ pointer }], query + search)
  }
})

t.test('a query without one says so', async (t) => {
  const folder = t.testdir({
    'mine.sql': '/*\ntitle: Mine\nquestion: One?\ncolumns:\n  one: { type: integer }\n*/\nselect 1 as one'
  })
  const own = await build(t, { ANALYTICS_DIR: folder })
  await own.prepareWarehouse()
  t.match(await own.request('GET', '/v1/analytics/mine/chart'), {
    status: 404,
    body: { code: 'chart_not_found' }
  })
})
