/** Every canned query on twelve plays, few enough to count by eye, and on an empty warehouse; on both engines. */
import t from 'tap'
import type { Values } from '../../src/schemas/analytics.ts'
import { createAnalytics } from '../../src/services/analytics.ts'
import { readBuiltinCatalogue } from '../../src/services/analytics-catalogue.ts'
import { engines, openWarehouse } from '../analytics-fixture.ts'

const catalogue = readBuiltinCatalogue()

const agents = {
  firefox: '"Mozilla/5.0 (Windows NT 6.1; WOW64; rv:31.0) Gecko/20100101 Firefox/31.0"',
  chrome:
    '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_4) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/36.0.1985.143 Safari/537.36"',
  safari:
    '"Mozilla/5.0 (iPhone; CPU iPhone OS 7_1_2 like Mac OS X) AppleWebKit/537.51.2 (KHTML, like Gecko) Version/7.0 Mobile/11D257 Safari/9537.53"',
  msie: 'Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; WOW64; Trident/5.0)',
  curl: 'curl/7.35.0'
}

// Weeks begin on 29 October, 5 and 12 November. One play has no song, one neither location nor duration, one no agent. The
// first two are a millisecond apart, in different months. User 1 upgrades, goes back and upgrades again.
const plays = `
  insert into analytics.artists values ('A1', 'Ann', 'Oslo', 59.9, 10.7), ('A2', 'Bob', null, null, null);
  insert into analytics.songs values
    ('S1', 'Alpha', 'A1', 2001, 100), ('S2', 'Beta', 'A1', 0, 150), ('S3', 'Gamma', 'A2', 1999, 100);
  insert into analytics.users values
    (1, 'Ida', 'Lie', 'F', 'paid'), (2, 'Ole', 'Vik', 'M', 'free'), (3, 'Eva', 'Moe', 'F', 'free'), (4, 'Tor', 'Dahl', 'M', 'free');
  insert into analytics.songplays values
    (1, '2018-10-31 23:59:59.999', 1, 'free', 'S1', 'A1', 10, 'Oslo', '${agents.firefox}', 100),
    (2, '2018-11-01 00:00:00', 1, 'free', null, null, 10, 'Oslo', '${agents.firefox}', 200.5),
    (3, '2018-11-01 10:00:00', 2, 'free', 'S2', 'A1', 11, 'Bergen', '${agents.chrome}', 150),
    (4, '2018-11-02 10:00:00', 2, 'free', 'S2', 'A1', 11, 'Bergen', '${agents.chrome}', 150),
    (5, '2018-11-05 08:00:00', 1, 'paid', 'S1', 'A1', 12, 'Oslo', '${agents.firefox}', 100),
    (6, '2018-11-05 08:02:00', 1, 'paid', 'S3', 'A2', 12, 'Oslo', '${agents.firefox}', 100),
    (7, '2018-11-06 09:00:00', 3, 'free', 'S3', 'A2', 13, null, '${agents.safari}', null),
    (8, '2018-11-07 09:00:00', 2, 'free', 'S2', 'A1', 14, 'Bergen', '${agents.chrome}', 150),
    (9, '2018-11-12 08:00:00', 1, 'paid', 'S3', 'A2', 15, 'Oslo', null, 100),
    (10, '2018-11-13 08:00:00', 1, 'free', 'S1', 'A1', 16, 'Oslo', '${agents.curl}', 100),
    (11, '2018-11-13 08:05:00', 1, 'paid', 'S1', 'A1', 16, 'Oslo', '${agents.curl}', 100),
    (12, '2018-11-14 23:59:59.999', 4, 'free', 'S3', 'A2', 17, 'Bergen', '${agents.msie}', 50);
  insert into analytics.time
    select distinct start_time, cast(extract(hour from start_time) as integer),
      cast(extract(day from start_time) as integer), cast(extract(week from start_time) as integer),
      cast(extract(month from start_time) as integer), cast(extract(year from start_time) as integer),
      cast(extract(dow from start_time) as integer)
    from analytics.songplays`

const firstOfNovember = { from: '2018-11-01', to: '2018-11-01' }
const noSessions = ['2-5', '6-20', '21-50', '51 or more'].map((size) => [size, 0, 0, 0, null, null])
const hours = (counts: Record<number, number>) =>
  Array.from({ length: 24 }, (_, hour) => [hour, counts[hour] ?? 0])
const weekdays = (...counts: number[][]) => counts.map((each, weekday) => [weekday, ...each])

/** What is asked, and the rows that answer it. */
const cases: [query: string, params: Values, rows: unknown[][]][] = [
  [
    'trending-songs',
    {},
    [
      ['S1', 'Alpha', 'Ann', 2, 1, 1],
      ['S3', 'Gamma', 'Bob', 2, 2, 0],
      ['S2', 'Beta', 'Ann', 0, 3, -3]
    ]
  ],
  ['trending-songs', { level: 'paid', limit: 1 }, [['S1', 'Alpha', 'Ann', 1, 1, 0]]],
  // 1 November against 31 October, which had one play.
  [
    'trending-songs',
    { to: '2018-11-01', days: 1 },
    [
      ['S2', 'Beta', 'Ann', 1, 0, 1],
      ['S1', 'Alpha', 'Ann', 0, 1, -1]
    ]
  ],
  [
    'trending-artists',
    {},
    [
      ['A2', 'Bob', 2, 2, 0],
      ['A1', 'Ann', 2, 4, -2]
    ]
  ],
  ['trending-artists', { to: '2017-01-01' }, []],
  [
    'plays-by-location',
    {},
    [
      ['Oslo', 7, 1, 4, 800.5],
      ['Bergen', 4, 2, 3, 500],
      [null, 1, 1, 1, 0]
    ]
  ],
  // A tie, by name: and the last moment of the day before is not in it.
  [
    'plays-by-location',
    firstOfNovember,
    [
      ['Bergen', 1, 1, 1, 150],
      ['Oslo', 1, 1, 1, 200.5]
    ]
  ],
  ['plays-by-location', { level: 'paid', limit: 1 }, [['Oslo', 4, 1, 3, 400]]],
  [
    'lagging-locations',
    {},
    [
      ['Bergen', 1, 3, -2, 2],
      [null, 0, 1, -1, 1],
      ['Oslo', 3, 3, 0, 1]
    ]
  ],
  [
    'user-agents',
    {},
    [
      ['Firefox', 'Windows', 4, 1, 2, 2, 0.5],
      ['Chrome', 'Mac', 3, 1, 2, 1.5, 0],
      ['other', 'other', 2, 1, 1, 2, 0.5],
      ['Internet Explorer', 'Windows', 1, 1, 1, 1, 0],
      ['Safari', 'iPhone', 1, 1, 1, 1, 0],
      ['unknown', 'unknown', 1, 1, 1, 1, 1]
    ]
  ],
  ['user-agents', { location: 'Bergen', to: '2018-11-13' }, [['Chrome', 'Mac', 3, 1, 2, 1.5, 0]]],
  [
    'engagement',
    { period: 'week' },
    [
      ['2018-10-29', 2, 2, 4, 600.5, 4 / 3 / 2],
      ['2018-11-05', 3, 3, 4, 350, 1 / 3],
      ['2018-11-12', 2, 3, 4, 350, 1 / 2]
    ]
  ],
  [
    'engagement',
    { period: 'month' },
    [
      ['2018-10-01', 1, 1, 1, 100, 1],
      ['2018-11-01', 4, 8, 11, 1200.5, 9 / 8 / 4]
    ]
  ],
  ['engagement', firstOfNovember, [['2018-11-01', 2, 2, 2, 350.5, 1]]],
  [
    'lapsing-users',
    {},
    [
      [2, 'Ole', 'Vik', 'free', 'stopped', '2018-11-07T09:00:00.000Z', 0, 3],
      [3, 'Eva', 'Moe', 'free', 'stopped', '2018-11-06T09:00:00.000Z', 0, 1]
    ]
  ],
  [
    'lapsing-users',
    { share: 1, level: 'paid' },
    [[1, 'Ida', 'Lie', 'paid', 'less', '2018-11-13T08:05:00.000Z', 3, 3.5]]
  ],
  // Up to 7 November nobody has listened for more than a week.
  ['lapsing-users', { to: '2018-11-06' }, []],
  [
    'free-vs-paid',
    {},
    [
      ['free', 4, 6, 8, 900.5, 2, 8 / 6, 900.5 / 4, 900.5 / 6],
      ['paid', 1, 3, 4, 400, 4, 4 / 3, 400, 400 / 3]
    ]
  ],
  ['free-vs-paid', { location: 'Bergen', from: '2018-11-14' }, [['free', 1, 1, 1, 50, 1, 1, 50, 50]]],
  ['plays-by-hour', {}, hours({ 0: 1, 8: 5, 9: 2, 10: 2, 23: 2 })],
  ['plays-by-weekday', {}, weekdays([0, 0], [3, 1], [3, 2], [3, 3], [2, 2], [1, 1], [0, 0])],
  [
    'plays-by-weekday',
    { level: 'paid', location: 'Oslo' },
    weekdays([0, 0], [3, 1], [1, 1], [0, 0], [0, 0], [0, 0], [0, 0])
  ],
  [
    'plays-by-month',
    {},
    [
      [2018, 10, 1, 1, 100, null],
      [2018, 11, 11, 4, 1200.5, 10]
    ]
  ],
  [
    'demographics',
    {},
    [
      ['F', 'paid', 'Oslo', 1, 4, 4],
      ['M', 'free', 'Bergen', 2, 4, 2],
      ['F', 'free', 'Oslo', 1, 3, 3],
      ['F', 'free', null, 1, 1, 1]
    ]
  ],
  ['demographics', { ...firstOfNovember, limit: 1 }, [['F', 'free', 'Oslo', 1, 1, 1]]],
  [
    'sessions',
    {},
    [['1', 4, 4, 4, 1, 75], ['2-5', 4, 2, 8, 2, (201 + 86_550 + 220 + 400) / 4], ...noSessions.slice(1)]
  ],
  [
    'sessions',
    { level: 'paid', to: '2018-11-11' },
    [['1', 0, 0, 0, null, null], ['2-5', 1, 1, 2, 2, 220], ...noSessions.slice(1)]
  ],
  [
    'conversions',
    {},
    [
      ['2018-11-13T08:05:00.000Z', 1, 'Ida', 'Lie', 'upgrade', 6],
      ['2018-11-13T08:00:00.000Z', 1, 'Ida', 'Lie', 'downgrade', 5],
      ['2018-11-05T08:00:00.000Z', 1, 'Ida', 'Lie', 'upgrade', 2]
    ]
  ],
  // What happened before the first day still tells what a change is.
  [
    'conversions',
    { from: '2018-11-13', direction: 'downgrade' },
    [['2018-11-13T08:00:00.000Z', 1, 'Ida', 'Lie', 'downgrade', 5]]
  ],
  [
    'retention',
    {},
    [
      ['2018-10-29', 0, 2, 2, 1],
      ['2018-10-29', 1, 2, 2, 1],
      ['2018-10-29', 2, 2, 1, 0.5],
      ['2018-11-05', 0, 1, 1, 1],
      ['2018-11-12', 0, 1, 1, 1]
    ]
  ],
  [
    'retention',
    { to: '2018-11-11', weeks: 0 },
    [
      ['2018-10-29', 0, 2, 2, 1],
      ['2018-11-05', 0, 1, 1, 1]
    ]
  ],
  [
    'song-coverage',
    {},
    [
      [2018, 10, 1, 1, 1, 1],
      [2018, 11, 11, 10, 3, 10 / 11]
    ]
  ]
]

/** What a warehouse without a play answers, where that is not nothing. */
const ofNothing: Record<string, unknown[][]> = {
  'plays-by-hour': hours({}),
  'plays-by-weekday': weekdays(...Array.from({ length: 7 }, () => [0, 0])),
  sessions: [['1', 0, 0, 0, null, null], ...noSessions]
}

const elsewhere = ['top-songs', 'top-artists', 'users-by-level']

t.test('every query is asked', async (t) => {
  const asked = new Set([...elsewhere, ...cases.map(([query]) => query)])
  t.same(
    catalogue.filter(({ query }) => !asked.has(query)),
    []
  )
})

for (const engine of engines) {
  t.test(engine, async (t) => {
    const warehouse = await openWarehouse(t, engine)
    const analytics = createAnalytics({ warehouse, catalogue })
    const ask = async (query: string, params: Values = {}) =>
      (await analytics.run(query, params)).rows.map((row) => Object.values(row))

    for (const { query } of catalogue) t.same(await ask(query), ofNothing[query] ?? [], `${query}: no plays`)
    for (const statement of plays.split(/;\n/)) await warehouse.exec(statement)
    for (const [query, params, rows] of cases) {
      t.strictSame(await ask(query, params), rows, `${query} ${JSON.stringify(params)}`)
    }
  })
}
