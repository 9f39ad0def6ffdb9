/** Records that cannot be loaded: shown with place, text and reason, whether the load passes or not. */
import t from 'tap'
import { build } from '../helper.ts'
import { event, type Json, lines, song } from '../records.ts'
import { blankMegabyte, failsThenPasses, lineWith, placeOf, sourcesOf, text } from '../rejects-fixture.ts'

// [key, its JSON or undefined, code, column]
const wrongEvents: [string, string | undefined, string, string | null][] = [
  ['ts', undefined, 'missing_value', 'ts'],
  ['ts', 'null', 'missing_value', 'ts'],
  ['ts', '""', 'missing_value', 'ts'],
  ['sessionId', undefined, 'missing_value', 'sessionId'],
  ['itemInSession', 'null', 'missing_value', 'itemInSession'],
  ['page', '""', 'missing_value', 'page'],
  ['ts', '"yesterday"', 'invalid_type', 'ts'],
  ['ts', '1541106000796.5', 'invalid_type', 'ts'],
  ['ts', '15e11', 'invalid_type', 'ts'],
  ['ts', 'true', 'invalid_type', 'ts'],
  ['ts', '99999999999999999999', 'invalid_type', 'ts'],
  ['sessionId', '"abc"', 'invalid_type', 'sessionId'],
  ['sessionId', '[1]', 'invalid_type', 'sessionId'],
  ['itemInSession', '1.5', 'invalid_type', 'itemInSession'],
  ['status', '"OK"', 'invalid_type', 'status'],
  ['userId', '"8x"', 'invalid_type', 'userId'],
  ['userId', '" 8"', 'invalid_type', 'userId'],
  ['length', '"long"', 'invalid_type', 'length'],
  ['length', '"inf"', 'invalid_type', 'length'],
  ['registration', '{"a":1}', 'invalid_type', 'registration'],
  ['ts', '-1', 'out_of_range', 'ts'],
  ['ts', '253402300800000', 'out_of_range', 'ts'],
  ['userId', '"-1"', 'out_of_range', 'userId'],
  ['artist', text(4097), 'value_too_long', 'artist'],
  ['song', JSON.stringify('é'.repeat(2049)), 'value_too_long', 'song'],
  ['location', text(4097), 'value_too_long', 'location'],
  ['userAgent', text(4097), 'value_too_long', 'userAgent'],
  ['firstName', text(1025), 'value_too_long', 'firstName'],
  ['lastName', text(1025), 'value_too_long', 'lastName'],
  ['auth', text(257), 'value_too_long', 'auth'],
  ['gender', text(257), 'value_too_long', 'gender'],
  ['level', text(257), 'value_too_long', 'level'],
  ['method', text(257), 'value_too_long', 'method'],
  ['page', text(257), 'value_too_long', 'page'],
  ['song', '"a\\u0000b"', 'invalid_character', null],
  ['userAgent', '"\\u0000"', 'invalid_character', null]
]

const wrongSongs: typeof wrongEvents = [
  ['song_id', undefined, 'missing_value', 'song_id'],
  ['song_id', '""', 'missing_value', 'song_id'],
  ['artist_id', 'null', 'missing_value', 'artist_id'],
  ['title', 'null', 'missing_value', 'title'],
  ['artist_name', undefined, 'missing_value', 'artist_name'],
  ['num_songs', '"one"', 'invalid_type', 'num_songs'],
  ['artist_latitude', '"north"', 'invalid_type', 'artist_latitude'],
  ['artist_longitude', '"nan"', 'invalid_type', 'artist_longitude'],
  ['duration', '"3:20"', 'invalid_type', 'duration'],
  ['year', '"MCM"', 'invalid_type', 'year'],
  ['year', '1999.5', 'invalid_type', 'year'],
  ['title', text(4097), 'value_too_long', 'title'],
  ['artist_name', text(4097), 'value_too_long', 'artist_name'],
  ['artist_location', text(4097), 'value_too_long', 'artist_location'],
  ['song_id', text(257), 'value_too_long', 'song_id'],
  ['artist_id', text(257), 'value_too_long', 'artist_id'],
  ['title', '"\\u0000"', 'invalid_character', null]
]

const blankLines = ' \r\n\n\t\n'

t.test('rejects', async (t) => {
  const service = await build(t)
  await service.prepareWarehouse()

  // A large object is read by the engine itself: its lines are counted afterwards.
  for (const size of ['small', 'large'] as const) {
    const padding = size === 'large' ? blankMegabyte : '\n'
    const session = size === 'large' ? 101 : 100

    await t.test(`values that cannot be loaded, in ${size} objects`, async (t) => {
      const sources = sourcesOf(service, `values-${size}`)
      const bad = wrongEvents.map(([key, json]) =>
        lineWith(event({ sessionId: session, itemInSession: 7 }), key, json)
      )
      const good = [1, 2, 3].map((itemInSession) => event({ sessionId: session, itemInSession }))
      const [first, second, third] = good.map((each) => JSON.stringify(each)) as [string, string, string]
      const badSongs = wrongSongs.map(([key, json]) => lineWith(song({ song_id: `${size}-bad` }), key, json))
      sources.write({
        'log-a.json': [blankLines + first, padding + bad.join('\n'), second].join('\n'),
        'log-b.json': `${padding}${third}\n${bad[0]}`,
        'song-a.json': `${badSongs.join('\n')}\n${padding}${lines(song({ song_id: `${size}-good` }))}`
      })
      const { rejects, load, objects } = await failsThenPasses(
        t,
        service,
        sources,
        bad.length + 1 + badSongs.length
      )
      const start = blankLines.split('\n').length + padding.split('\n').length
      t.same(rejects.map(placeOf), [
        ...wrongSongs.map(([, , code, column], index) => [
          ...[sources.urlOf('song-a.json'), index + 1, code, column, badSongs[index]]
        ]),
        ...wrongEvents.map(([, , code, column], index) => [
          ...[sources.urlOf('log-a.json'), start + index, code, column, bad[index]]
        ]),
        [sources.urlOf('log-b.json'), padding.split('\n').length + 1, 'missing_value', 'ts', bad[0]]
      ])
      t.ok(rejects.every(({ raw_truncated }) => !raw_truncated))
      t.match(
        rejects.map(({ message }) => message),
        [...wrongSongs, ...wrongEvents].map(([, , , column]) =>
          column === null ? /NUL/ : new RegExp(`^${column} is `)
        )
      )
      t.match(load?.events, { read: bad.length + 4, loaded: 3, duplicates: 0, rejected: bad.length + 1 })
      t.match(load?.songs, { read: badSongs.length + 2, loaded: 2, duplicates: 0 })
      t.equal(objects.length, 5)
    })

    await t.test(`lines that are no records, in ${size} objects`, async (t) => {
      const sources = sourcesOf(service, `lines-${size}`)
      const good = (itemInSession: number) =>
        JSON.stringify(event({ sessionId: session, itemInSession: 10 + itemInSession }))
      const typed = lineWith(event({ sessionId: session }), 'ts')
      const cut = good(3).slice(0, 100)
      sources.write({
        'log-a.json': [
          good(1),
          '',
          `${good(2)}${good(3)}`,
          typed,
          '[]',
          '{"ts":1,"ts":2}',
          padding,
          cut
        ].join('\n'),
        'log-b.json': padding + good(4),
        'log-c.json': Buffer.concat([
          Buffer.from(`${good(5)}\n`),
          Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x0d]),
          Buffer.from(`\n${padding}`)
        ])
      })
      const { rejects, load } = await failsThenPasses(t, service, sources, 8)
      const [a, c] = [sources.urlOf('log-a.json'), sources.urlOf('log-c.json')]
      t.same(rejects.map(placeOf), [
        [a, 3, 'malformed_json', null, `${good(2)}${good(3)}`],
        [a, 4, 'missing_value', 'ts', typed],
        [a, 5, 'not_an_object', null, '[]'],
        [a, 6, 'duplicate_key', null, '{"ts":1,"ts":2}'],
        [a, 7 + padding.split('\n').length, 'malformed_json', null, cut],
        [c, 2, 'invalid_utf8', null, '\ufffdPNG\r'],
        [c, 3, 'malformed_json', null, '\u001a'],
        [c, 4, 'malformed_json', null, '\ufffd\r']
      ])
      t.match(load?.events, { read: 11, loaded: 3, duplicates: 0, rejected: 8 })
    })
  }

  await t.test('values at their bounds are loaded', async (t) => {
    const sources = sourcesOf(service, 'bounds')
    const at = (changes: Json) => event({ sessionId: 400, ...changes })
    sources.write({
      'log-a.json': [
        lines(
          at({
            artist: 'é'.repeat(2048),
            song: 'x'.repeat(4096),
            firstName: 'x'.repeat(1024),
            level: 'x'.repeat(256)
          })
        ),
        lines(
          at({ ts: 0 }),
          at({ ts: 253402300799999 }),
          at({ ts: 2147483648000 }),
          at({ ts: '1541106000797' })
        ),
        lines(
          at({ userId: 0 }),
          at({ userId: '9223372036854775807' }),
          at({ itemInSession: 9007199254740991 })
        ),
        lines({ ts: 5, sessionId: 400, itemInSession: 1, page: 'Home' })
      ].join('\n'),
      'song-a.json': lines(
        song({ song_id: 'x'.repeat(256), title: 'x'.repeat(4096), year: null, duration: null })
      )
    })
    const { job, load } = await sources.load()
    t.equal(job.status, 'succeeded')
    t.match(load?.events, { read: 9, loaded: 9 })
    t.match(load?.songs, { read: 2, loaded: 2 })
  })

  await t.test('more rejects than are kept', async (t) => {
    const sources = sourcesOf(service, 'many')
    sources.write({ 'log-a.json': 'bad\n'.repeat(1200), 'log-b.json': '{}\n'.repeat(1200) })
    const { job } = await sources.load({ max_rejects: 5 })
    t.equal(job.error?.code, 'too_many_rejects')
    t.match(job.error?.detail, /^2400 records were rejected and max_rejects is 5/)
    const { body } = await service.request(
      'GET',
      `/v1/rejects?job_id=${job.id}&code=malformed_json&limit=200`
    )
    t.equal(body.items.length, 200)
    t.type(body.next_cursor, 'string')
    const all = await sources.load({ max_rejects: 2400 })
    t.match(all.load?.events, { read: 2400, loaded: 0, rejected: 2400 }, 'all are kept where the load passes')
  })
})
