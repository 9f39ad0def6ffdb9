import t from 'tap'
import { ServiceError } from '../../src/errors.ts'
import type { AnalyticsResults, Values } from '../../src/schemas/analytics.ts'
import { createAnalytics } from '../../src/services/analytics.ts'
import { readBuiltinCatalogue } from '../../src/services/analytics-catalogue.ts'
import { parseSql } from '../../src/sql.ts'
import { addExamples, engines, openWarehouse, queryable } from '../analytics-fixture.ts'

const catalogue = readBuiltinCatalogue()
const hours = (plays: Record<number, number>) =>
  Array.from({ length: 24 }, (_, hour) => ({ hour, plays: plays[hour] ?? 0 }))

// The row objects of one query keep the order of its columns, so values alone say all.
const valuesOf = ({ rows }: Pick<AnalyticsResults, 'rows'>) => rows.map((row) => Object.values(row))

for (const engine of engines) {
  t.test(`the queries on ${engine}`, async (t) => {
    const warehouse = await openWarehouse(t, engine)
    const analytics = createAnalytics({ warehouse, catalogue })
    const answer = (query: string, params?: Values) => analytics.run(query, params)

    await t.test('an empty warehouse', async (t) => {
      for (const query of ['top-songs', 'top-artists', 'users-by-level']) {
        const { rows, row_count, data_version, as_of } = await answer(query)
        t.same(
          { rows, row_count, data_version, as_of },
          { rows: [], row_count: 0, data_version: 0, as_of: null }
        )
      }
      t.same((await answer('plays-by-hour')).rows, hours({}))
    })

    await addExamples(warehouse)

    t.test('top-songs counts matched plays by song and month, ties by song_id descending', async (t) => {
      const { rows, elapsed_ms, ...rest } = await answer('top-songs', { year: 2018, limit: 5 })
      t.same(rest, {
        query: 'top-songs',
        params: { year: 2018, from: null, to: null, level: null, location: null, limit: 5 },
        columns: [
          { name: 'song_id', type: 'string' },
          { name: 'title', type: 'string' },
          { name: 'artist_id', type: 'string' },
          { name: 'name', type: 'string' },
          { name: 'month', type: 'integer' },
          { name: 'year', type: 'integer' },
          { name: 'plays', type: 'integer', unit: 'plays' }
        ],
        row_count: 4,
        truncated: false,
        data_version: 2,
        as_of: '2026-01-03T03:04:05.678Z'
      })
      t.ok(Number.isInteger(elapsed_ms) && elapsed_ms >= 0)
      t.same(valuesOf({ rows }), [
        ['S3', 'Gamma', 'A2', 'Bob', 11, 2018, 2],
        ['S1', 'Alpha', 'A1', 'Ann', 11, 2018, 2],
        ['S2', 'Beta', 'A1', 'Ann', 11, 2018, 1],
        ['S1', 'Alpha', 'A1', 'Ann', 12, 2018, 1]
      ])
    })

    t.test('top-songs of other years and with a limit inside a tie', async (t) => {
      t.same(valuesOf(await answer('top-songs', { year: 2017 })), [['S3', 'Gamma', 'A2', 'Bob', 12, 2017, 1]])
      t.same(valuesOf(await answer('top-songs', { year: 2019, limit: 1 })), [
        ['S3', 'Gamma', 'A2', 'Bob', 1, 2019, 1]
      ])
      t.same(valuesOf(await answer('top-songs', { limit: 1 })), [['S3', 'Gamma', 'A2', 'Bob', 11, 2018, 2]])
      t.same(valuesOf(await answer('top-songs', { year: 1999 })), [])
    })

    t.test('top-artists counts matched plays by artist, ties by artist_id', async (t) => {
      t.same(valuesOf(await answer('top-artists')), [
        ['A1', 'Ann', 4],
        ['A2', 'Bob', 2]
      ])
      t.same(valuesOf(await answer('top-artists', { year: 2019 })), [
        ['A1', 'Ann', 1],
        ['A2', 'Bob', 1]
      ])
      t.same(valuesOf(await answer('top-artists', { year: 2019, limit: 1 })), [['A1', 'Ann', 1]])
      t.same(valuesOf(await answer('top-artists', { year: 2020 })), [])
    })

    t.test('plays-by-hour has all hours, counts unmatched plays, and takes a year or none', async (t) => {
      const all = await answer('plays-by-hour')
      t.same(all.rows, hours({ 0: 4, 8: 3, 23: 3 }))
      t.same(all.params, { year: null, from: null, to: null, level: null, location: null })
      t.same((await answer('plays-by-hour', { year: 2018 })).rows, hours({ 0: 2, 8: 3, 23: 2 }))
      t.same((await answer('plays-by-hour', { year: 2019 })).rows, hours({ 0: 2 }))
      t.same(
        (await answer('plays-by-hour', { from: '2018-11-05', to: '2018-11-07' })).rows,
        hours({ 8: 3, 23: 1 })
      )
      t.same(
        (await answer('plays-by-hour', { year: 2018, level: 'paid' })).rows,
        hours({ 0: 1, 8: 1, 23: 1 })
      )
      t.same((await answer('plays-by-hour', { year: 2020 })).rows, hours({}))
    })

    t.test('users-by-level counts every user once, ties by level', async (t) => {
      t.same(valuesOf(await answer('users-by-level')), [
        ['free', 3],
        ['paid', 1]
      ])
      await warehouse.exec(`insert into analytics.users values (5, null, null, null, 'paid'),
        (6, null, null, null, 'paid'), (7, null, null, null, null)`)
      t.same(valuesOf(await answer('users-by-level')), [
        ['free', 3],
        ['paid', 3],
        [null, 1]
      ])
    })

    t.test('the queries of the seed documents run as they stand', async (t) => {
      for (const [query, sql] of Object.entries(seedQueries)) {
        const { columns, rows } = await warehouse.run(parseSql(query, sql))
        const canned = await answer(query)
        t.same(
          columns,
          canned.columns.map(({ name }) => name),
          `${query} has the same columns`
        )
        // They leave the order of ties open.
        t.same(valuesOf({ rows }).map(String).sort(), valuesOf(canned).map(String).sort())
      }
    })
  })
}

t.test('list and get', async (t) => {
  const analytics = createAnalytics({ warehouse: answering([]), catalogue })
  const { items, next_cursor } = analytics.list()
  t.equal(next_cursor, null)
  t.same(
    items.map(({ query }) => query),
    catalogue.map(({ query }) => query)
  )
  const { sql, ...shown } = analytics.get('users-by-level')
  t.same(shown, {
    query: 'users-by-level',
    title: 'Users by level',
    question: 'How many users are free and how many pay?',
    description:
      "Counts each user who has played at least once, under the level of the user's latest play. Levels with equal users are ordered by name.",
    parameters: [],
    columns: [
      { name: 'level', type: 'string', example: 'free' },
      { name: 'users', type: 'integer', unit: 'users', example: 120 }
    ],
    chart: { type: 'columns', x: ['level'], y: ['users'] }
  })
  t.same(items.at(-1), shown)
  t.match(sql, /^select level, count\(user_id\) as users\n/)
})

t.test('an unknown query names the known ones', async (t) => {
  const analytics = createAnalytics({ warehouse: answering([]), catalogue })
  const expected = {
    code: 'query_not_found',
    message: /^No canned query is called flops. There are: conversions, demographics, .*, users-by-level.$/
  }
  t.throws(() => analytics.get('flops'), expected)
  await t.rejects(analytics.run('flops'), expected)
})

t.test('truncated is true only when rows were cut', async (t) => {
  const rows = ['free', 'paid', 'trial'].map((level) => ({ level, users: 1 }))
  const run = (maxRows: number) =>
    createAnalytics({ warehouse: answering(rows), catalogue }).run('users-by-level', {}, { maxRows })
  t.match(await run(2), { rows: rows.slice(0, 2), row_count: 2, truncated: true })
  t.match(await run(3), { rows, row_count: 3, truncated: false })
})

t.test('columns other than the declared ones fail', async (t) => {
  for (const columns of [['users', 'level'], ['level'], ['level', 'users', 'more'], ['level', 'plays']]) {
    const analytics = createAnalytics({ warehouse: answering([], columns), catalogue })
    await t.rejects(analytics.run('users-by-level'), {
      message: `analytics/users-by-level.sql returns the columns ${columns.join(', ')}; its header says level, users`
    })
  }
})

t.test('the signal goes down to the warehouse, and its errors come up as they are', async (t) => {
  const { signal } = new AbortController()
  const missing = new ServiceError('tables_not_created', 'Create them with POST /v1/tables.')
  const seen: unknown[] = []
  const warehouse = queryable(async (statement, _, options) => {
    seen.push([statement.name, options?.signal])
    if (statement.name.startsWith('analytics/')) throw missing
    return { columns: [], rows: [{ data_version: 1, as_of: null }], changed: 0 }
  })
  const run = createAnalytics({ warehouse, catalogue }).run('users-by-level', {}, { signal })
  t.equal(await run.catch((error) => error), missing)
  t.same(seen, [
    ['warehouse/shared/data-version.sql', signal],
    ['analytics/users-by-level.sql', signal]
  ])
})

/** A warehouse that answers every query with these rows. */
const answering = (rows: Values[], columns = ['level', 'users']) =>
  queryable(async () => ({ columns, rows, changed: 0 }))

const seedQueries = {
  'top-songs': `
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
    LIMIT 5;`,
  'top-artists': `
    SELECT
        art.artist_id,
        art.name,
        count(sp.songplay_id) as plays
    FROM artists art
    INNER JOIN songplays sp on (art.artist_id = sp.artist_id)
    INNER JOIN time tm on (sp.start_time = tm.start_time)
    WHERE tm.year = 2018
    GROUP BY art.artist_id, art.name
    ORDER by plays desc LIMIT 5;`
}
