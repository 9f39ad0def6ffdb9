import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import type { Job } from '../../src/schemas/jobs.ts'
import type { Load, LoadedObject, RejectRecord } from '../../src/schemas/loads.ts'
import { event, type Json, lines, song } from '../etl-fixture.ts'
import { build, type TestService, writeFiles } from '../helper.ts'

type Files = Record<string, string | Buffer>

/** Sources of one test: directories of their own below the service's. */
interface Sources {
  urlOf(name: string): string
  write(files: Files): void
  load(params?: Json): Promise<Outcome>
}

interface Outcome {
  job: Job
  rejects: RejectRecord[]
  /** What was published, if anything was. */
  load?: Load
  objects: LoadedObject[]
}

function sourcesOf(service: TestService, name: string): Sources {
  const song_data = join(service.config.SONG_DATA, name)
  const log_data = join(service.config.LOG_DATA, name)
  for (const directory of [song_data, log_data]) mkdirSync(directory)
  // Where the test is about the other source.
  writeFiles(song_data, { 'one.json': lines(song({ song_id: name })) })
  writeFiles(log_data, { 'none.json': '' })
  const pathOf = (file: string) => join(file.startsWith('song') ? song_data : log_data, file)
  const items = async (url: string) => (await service.request('GET', url)).body.items
  return {
    urlOf: (file) => pathToFileURL(pathOf(file)).href,
    write: (files) => {
      for (const [file, content] of Object.entries(files)) writeFiles('/', { [pathOf(file)]: content })
    },
    async load(params) {
      const { body: job } = await service.request('POST', '/v1/jobs', {
        headers: { prefer: 'wait=60' },
        body: { type: 'etl', song_data, log_data, ...params }
      })
      const rejects = await items(`/v1/rejects?job_id=${job.id}&limit=200`)
      if (job.status !== 'succeeded') return { job, rejects, objects: [] }
      const id = job.result.load_id
      const load = (await service.request('GET', `/v1/loads/${id}`)).body
      return { job, rejects, load, objects: await items(`/v1/loads/${id}/objects?limit=200`) }
    }
  }
}

/** What is published at all: a failed load must not change it. */
async function published(service: TestService): Promise<unknown> {
  const { items } = (await service.request('GET', '/v1/tables')).body
  const counts = items.map((table: { name: string; row_count: number }) => [table.name, table.row_count])
  return counts.filter(([name]: [string]) => name !== 'rejects')
}

/** The load fails with one reject less than there are, leaving nothing but the rejects, and passes with as many. */
async function failsThenPasses(
  t: Test,
  service: TestService,
  sources: Sources,
  count: number
): Promise<Outcome> {
  const before = await published(service)
  const failed = await sources.load({ max_rejects: count - 1 })
  t.equal(failed.job.status, 'failed')
  t.match(failed.job.error, {
    code: 'too_many_rejects',
    status: 422,
    detail: new RegExp(
      `^${count} records were rejected and max_rejects is ${count - 1}, .*job_id=${failed.job.id};`
    )
  })
  t.equal(failed.job.error?.errors?.length, Math.min(20, count))
  t.same(await published(service), before, 'nothing is published')
  t.equal(failed.rejects.length, count)
  t.ok(failed.rejects.every(({ load_id, job_id }) => load_id === null && job_id === failed.job.id))

  const passed = await sources.load({ max_rejects: count })
  t.equal(passed.job.status, 'succeeded')
  const about = ({ id, job_id, load_id, rejected_at, ...reject }: RejectRecord) => reject
  t.same(passed.rejects.map(about), failed.rejects.map(about), 'the same rejects')
  t.ok(passed.rejects.every(({ load_id }) => load_id === passed.load?.id))
  addsUp(t, passed)
  return passed
}

/** read = loaded + duplicates + rejected, for each object and in total; rejects are where they are counted. */
function addsUp(t: Test, { load, objects, rejects }: Outcome) {
  for (const kind of ['events', 'songs'] as const) {
    const sum = { read: 0, loaded: 0, duplicates: 0, rejected: 0 }
    for (const { url, records } of objects.filter((object) => object.kind === kind)) {
      t.equal(records.read, records.loaded + records.duplicates + records.rejected, `${url} adds up`)
      t.equal(records.rejected, rejects.filter((reject) => reject.url === url).length)
      for (const name of ['read', 'loaded', 'duplicates', 'rejected'] as const) sum[name] += records[name]
    }
    t.same(load?.[kind], sum, `${kind} are the sum of their objects`)
  }
}

const placeOf = ({ url, line_number, code, column, raw }: RejectRecord) => [
  url,
  line_number,
  code,
  column,
  raw
]

/** `base` as text with one value replaced by other JSON, or left out. */
function lineWith(base: Json, key: string, json?: string): string {
  const { [key]: _, ...rest } = base
  const text = JSON.stringify(rest)
  return json === undefined ? text : `${text.slice(0, -1)},"${key}":${json}}`
}

const text = (bytes: number) => JSON.stringify('x'.repeat(bytes))

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
    const padding = size === 'large' ? '\n'.repeat(300_000) : '\n'
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
        'song-a.json': `${badSongs.join('\n')}${padding}\n${lines(song({ song_id: `${size}-good` }))}`
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

  await t.test('an event of the same identity with another content', async (t) => {
    const sources = sourcesOf(service, 'conflicts')
    const at = (itemInSession: number, changes: Json = {}) =>
      event({ sessionId: 200, itemInSession, ...changes })
    const [blank, trailing] = [at(1, { level: null }), at(1, { song: 'Alpha ' })].map((each) =>
      JSON.stringify(each)
    )
    sources.write({
      'log-a.json': [lines(at(1), at(1)), blank, lines(at(2), at(1)), trailing].join('\n'),
      'log-b.json': lines(at(2), at(1, { userId: '2' }), at(1, { ts: 1 }))
    })
    const first = await failsThenPasses(t, service, sources, 2)
    const url = sources.urlOf('log-a.json')
    t.same(first.rejects.map(placeOf), [
      [url, 3, 'conflicting_event', null, blank],
      [url, 6, 'conflicting_event', null, trailing]
    ])
    t.match(first.rejects[0]?.message, /same sessionId, itemInSession, ts and userId/)
    t.match(first.load?.events, { read: 9, loaded: 4, duplicates: 3, rejected: 2 })

    // Another file, and one that grew, against what is loaded.
    const [other, malformed] = [JSON.stringify(at(2, { userAgent: 'other' })), '{']
    sources.write({
      'log-c.json': [lines(at(2)), other, malformed].join('\n'),
      'log-b.json': lines(at(2), at(3))
    })
    const second = await failsThenPasses(t, service, sources, 2)
    t.same(second.rejects.map(placeOf), [
      [sources.urlOf('log-c.json'), 2, 'conflicting_event', null, other],
      [sources.urlOf('log-c.json'), 3, 'malformed_json', null, malformed]
    ])
    t.match(second.load?.events, { read: 5, loaded: 1, duplicates: 2, rejected: 2 })
  })

  await t.test('a conflict in an object that the engine read itself', async (t) => {
    const sources = sourcesOf(service, 'large-conflict')
    const at = (changes: Json = {}) => event({ sessionId: 201, ...changes })
    const other = JSON.stringify(at({ level: 'paid' }))
    sources.write({ 'log-a.json': `${lines(at())}${'\n'.repeat(300_000)}\v\n${other}\n${lines(at())}` })
    const { rejects, load } = await failsThenPasses(t, service, sources, 1)
    t.same(rejects.map(placeOf), [[sources.urlOf('log-a.json'), 300_002, 'conflicting_event', null, other]])
    t.match(load?.events, { read: 3, loaded: 1, duplicates: 1, rejected: 1 })
  })

  await t.test('raw text is cut at its bound and marked', async (t) => {
    const sources = sourcesOf(service, 'long')
    const good = (itemInSession: number) => lines(event({ sessionId: 300, itemInSession }))
    const long = lineWith(event({ sessionId: 300 }), 'song', text(100_000))
    const huge = lineWith(event({ sessionId: 300 }), 'song', text(20 * 1024 * 1024))
    const garbage = 'é'.repeat(40_000)
    sources.write({ 'log-a.json': [good(1), long, huge, good(2), garbage].join('\n') })
    const { rejects, load } = await failsThenPasses(t, service, sources, 3)
    t.same(
      rejects.map(({ line_number, code, column, raw_truncated }) => [
        line_number,
        code,
        column,
        raw_truncated
      ]),
      [
        [2, 'value_too_long', 'song', true],
        [3, 'record_too_large', null, true],
        [5, 'malformed_json', null, true]
      ]
    )
    t.same(
      rejects.map(({ raw }) => raw),
      [long.slice(0, 60_000), huge.slice(0, 60_000), 'é'.repeat(30_000)]
    )
    t.match(load?.events, { read: 5, loaded: 2, duplicates: 0, rejected: 3 })
  })

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
