import { gzipSync } from 'node:zlib'
import t from 'tap'
import { copyOf, role, startRedshift, type TestClient } from './redshift/fixture.ts'

const { objects, connect } = await startRedshift(t)
const session = await connect()
const { run, fails, notices } = session

/** A COPY of these lines into a new table; its rows, ordered by the first column. */
async function load(columns: string, lines: string[], options = `json 'auto'`, client: TestClient = session) {
  objects.clear()
  objects.set('bucket/data/one.json', lines.join('\n'))
  await client.run('drop table if exists target')
  await client.run(`create table target (${columns})`)
  await client.run(copyOf('target', options))
  return client.run('select * from target order by 1')
}

t.test('a COPY appends, tells how many, and is not deduplicated', async (t) => {
  const rows = await load('id bigint, name varchar(20)', ['{"id": 1, "name": "Ann"}', '{"id": 2}'])
  t.same(rows, [
    { id: '1', name: 'Ann' },
    { id: '2', name: null }
  ])
  t.equal(notices.at(-1), `Load into table 'target' completed, 2 record(s) loaded successfully.`)
  const result = await session.client.query(copyOf('target'))
  t.match(result, { command: 'COPY', rowCount: null, rows: [] })
  t.same(await run('select pg_last_copy_count() as n, count(*) as c from target'), [{ n: '2', c: '4' }])
})

t.test(`'auto' minds the case of keys and says nothing; 'auto ignorecase' does not`, async (t) => {
  const lines = ['{"userId": 7, "user_id": 8, "other": true}']
  t.same(await load('userid bigint', lines), [{ userid: null }])
  t.same(await load('userid bigint', lines, ''.concat('json')), [{ userid: null }], 'the default')
  t.same(await load('userid bigint', lines, `format as json 'auto ignorecase'`), [{ userid: '7' }])
  const exact = await connect()
  await exact.run('set enable_case_sensitive_identifier to true')
  t.same(await load('"userId" bigint', lines, `json 'auto'`, exact), [{ userId: '7' }])
})

t.test('columns left out of the list take their defaults, keys left out of a record are null', async (t) => {
  objects.clear()
  objects.set('bucket/data/a.json', '{"a": 1, "b": 2, "c": 3}')
  await run('create temp table listed (a integer, b integer default 9, c integer default 9, d integer)')
  await run(copyOf('listed (c, a)'))
  await run(copyOf('listed (c, d)'))
  t.same(await run('select * from listed order by a'), [
    { a: 1, b: 9, c: 3, d: null },
    { a: null, b: 9, c: 3, d: null }
  ])
  t.match(await fails(copyOf('listed (e)')), { code: '42703' })
  t.match(await fails(copyOf('nowhere')), { message: 'Cannot COPY into nonexistent table nowhere' })
})

t.test('records may span lines and share them, with nothing but blanks between', async (t) => {
  const rows = await load('n integer, s varchar(20)', [
    '{"n": 1,\n  "s": "a"\n}',
    '  {"n": 2} {"n": 3, "s": "tab\\t\\"q\\" \\u00e9\\ud83c\\udfb5 \\\\"}\r',
    '',
    '{"n": 4, "s": "last"}'
  ])
  t.same(rows, [
    { n: 1, s: 'a' },
    { n: 2, s: null },
    { n: 3, s: 'tab\t"q" é🎵 \\' },
    { n: 4, s: 'last' }
  ])
})

t.test('values become what their columns are', async (t) => {
  const columns = `i integer, b bigint, d double precision, n numeric(6, 2), t boolean, day date, s varchar(30), c char(4)`
  const rows = await load(columns, [
    '{"i": "1", "b": 9007199254740993, "d": 1540919166796.0, "n": 20.259, "t": true, "day": "2018-11-02", "s": 4.60, "c": "ab"}',
    '{"i": 2, "b": "", "d": " ", "n": "", "t": "no", "day": "", "s": {"a": [1, "x"]}, "c": ""}'
  ])
  t.match(rows, [
    { i: 1, b: '9007199254740993', d: 1540919166796, n: '20.25', t: true, s: '4.60', c: 'ab  ' },
    { i: 2, b: null, d: null, n: null, t: false, day: null, s: '{"a": [1, "x"]}', c: '    ' }
  ])
  const [rounded] = await load(
    'n numeric(6, 2), s varchar(9)',
    ['{"n": 20.259, "s": true}'],
    `json 'auto' roundec`
  )
  t.same(rounded, { n: '20.26', s: 'true' })
})

t.test('empty and blank texts become null on demand', async (t) => {
  const lines = ['{"n": 1, "s": ""}', '{"n": 2, "s": "  "}', '{"n": 3, "s": "a  "}']
  const texts = async (options: string) =>
    (await load('n integer, s varchar(9)', lines, `json 'auto' ${options}`)).map(({ s }) => s)
  t.same(await texts(''), ['', '  ', 'a  '])
  t.same(await texts('emptyasnull'), [null, '  ', 'a  '])
  t.same(await texts('blanksasnull'), ['', null, 'a  '])
  t.same(await texts('emptyasnull blanksasnull trimblanks'), [null, null, 'a'])
})

t.test('texts that are too long are cut on demand, in bytes and between characters', async (t) => {
  const lines = ['{"s": "ééé"}', '{"s": "abcd   "}']
  const rows = await load('s varchar(4)', lines, `json 'auto' truncatecolumns`)
  t.same(rows, [{ s: 'abcd' }, { s: 'éé' }])
})

t.test('bytes that are no UTF-8 are replaced on demand', async (t) => {
  objects.clear()
  objects.set('bucket/data/a.json', Buffer.from('{"s": "a\xe9\xf0\x9fb"}', 'latin1'))
  await run('create temp table broken (s varchar(20))')
  t.match(await fails(copyOf('broken')), { message: /^Load into table 'broken' failed/ })
  await run(copyOf('broken', `json 'auto' acceptinvchars`))
  await run(copyOf('broken', `json 'auto' acceptinvchars as '^'`))
  t.same(await run('select s from broken order by s'), [{ s: 'a???b' }, { s: 'a^^^b' }])
})

t.test('times come in several formats', async (t) => {
  const at = async (value: string, options: string) =>
    (await load('at timestamp', [`{"at": ${value}}`], `json 'auto' ${options}`))[0]?.at
  const moment = new Date('2018-11-02T01:25:34')
  t.same(await at('1541121934796', `timeformat 'epochmillisecs'`), new Date('2018-11-02T01:25:34.796'))
  t.same(await at('"1541121934"', `timeformat as 'epochsecs'`), moment)
  t.same(await at('"2018-11-02 01:25:34"', ''), moment)
  t.same(await at('"2018-11-02T01:25:34+05:00"', `timeformat 'auto'`), moment, 'a zone is ignored')
  t.same(await at('"02.11.2018 01h25:34"', `timeformat 'DD.MM.YYYY HHhMI:SS'`), moment)
  await t.rejects(at('"2018-11-02T01:25:34Z"', ''), { message: /^Load into table/ })
  await t.rejects(at('1541121934796', `timeformat 'EPOCHMILLISECS'`), { message: /^Load into table/ })
  t.equal(await at('"soon"', `timeformat 'auto' acceptanydate`), null)
})

t.test('a jsonpaths file says which value is whose, in the order of the columns', async (t) => {
  const paths = (content: unknown) => objects.set('bucket/paths.json', JSON.stringify(content))
  const columns = 'id integer, city varchar(20), label varchar(20)'
  const options = `json 's3://bucket/paths.json'`
  const record = '{"userId": 1, "geo": {"a.b": "Paris"}, "tags": ["x", "y"]}'
  const attempt = (content: unknown, lines = [record]) => {
    objects.clear()
    objects.set('bucket/data/one.json', lines.join('\n'))
    paths(content)
    return run(copyOf('paths', options))
  }
  await run(`create temp table paths (${columns})`)
  await attempt({ jsonpaths: ["$['userId']", "$['geo']['a.b']", "$['tags'][1]"] })
  await attempt({ jsonpaths: ['$.userId', '$.geo', '$.tags[0]'] })
  await attempt({ jsonpaths: ['$[0]', '$[1]', '$[2]'] }, ['[2, "Rome", null]'])
  await attempt({ jsonpaths: ['$.nothing', '$.nothing', '$.nothing'] })
  t.same(await run('select * from paths order by id, city nulls last'), [
    { id: 1, city: 'Paris', label: 'y' },
    { id: 1, city: '{"a.b": "Paris"}', label: 'x' },
    { id: 2, city: 'Rome', label: null },
    { id: null, city: null, label: null }
  ])
  await attempt({ jsonPaths: ["$['userId']"] }, ['{"id": 3, "userId": 4}'])
  t.same(await run(`select id from paths where id > 2`), [{ id: 3 }], 'with another key the file is ignored')
  t.match(await attempt({ jsonpaths: ['$.a', '$.b'] }).catch((error) => error), {
    message:
      'Number of jsonpaths and the number of columns should match. JSONPath size: 2, Number of columns in table or column list: 3'
  })
  for (const path of ['$.a.*', "$.a['b']", '$..a', 'a', '$.a[?(@.b)]']) {
    const error = await attempt({ jsonpaths: [path, '$.a', '$.a'] }).catch((reason) => reason)
    t.match(error, { code: 'XX000', message: /^Invalid JSONPath format/ }, path)
  }
  objects.delete('bucket/paths.json')
  t.match(await fails(copyOf('paths', options)), {
    message: /^S3ServiceException:The specified key does not exist/
  })
})

t.test('FROM is a prefix, whatever follows it', async (t) => {
  objects.clear()
  for (const name of ['log.json', 'log.json.bak', 'log.json_old/1', 'log.json_old/', 'lag.json']) {
    objects.set(`bucket/${name}`, '{"n": 1}')
  }
  await run('create temp table prefixed (n integer)')
  await run(copyOf('prefixed', undefined, 's3://bucket/log.json'))
  t.same(await run('select pg_last_copy_count() as n'), [{ n: '3' }])
  const error = await fails(copyOf('prefixed', undefined, 's3://bucket/2017/02/18'))
  t.match(error, { code: 'XX000', message: `The specified S3 prefix '2017/02/18' does not exist` })
  t.match(error.detail, /code: {6}8001\n[\s\S]*query: {5}\d+\n[\s\S]*location: {2}s3_utility\.cpp/)
})

t.test('a manifest names exactly the objects', async (t) => {
  objects.clear()
  for (const n of [1, 2, 3]) objects.set(`bucket/data/${n}.json`, `{"n": ${n}}`)
  await run('create temp table named (n integer)')
  const attempt = (entries: unknown[], options = 'manifest') => {
    objects.set('bucket/manifest', JSON.stringify({ entries }))
    return run(copyOf('named', `json 'auto' ${options}`, 's3://bucket/manifest')).then(
      () => 'loaded',
      (error) => error
    )
  }
  const url = (name: string, mandatory?: boolean) => ({ url: `s3://bucket/data/${name}`, mandatory })
  t.equal(
    await attempt([url('1.json', true), url('3.json'), url('3.json'), url('9.json'), url('8.json', false)]),
    'loaded'
  )
  t.same(
    await run('select n from named order by n'),
    [{ n: 1 }, { n: 3 }, { n: 3 }],
    'listed twice is loaded twice'
  )
  t.match(await attempt([url('1.json', true), url('9.json', true)]), {
    code: 'XX000',
    message: /^S3ServiceException:The specified key does not exist\.,Status 404,Error NoSuchKey,/,
    detail: /context: {3}S3 key being read : s3:\/\/bucket\/data\/9\.json/
  })
  t.match(await attempt([url('9.json')]), { code: 'XX000' }, 'no object at all')
  t.match(await attempt([url('')]), {
    message: 'COPY with MANIFEST parameter requires full path of an S3 object.'
  })
  t.match(await attempt([]), { message: /^Problem reading manifest file - / })
  t.equal(
    await attempt([url('1.json')], ''),
    'loaded',
    'without the word it is data: a record with no key of ours'
  )
  t.match(await fails(copyOf('named', `json 'auto' manifest`, 's3://bucket/none')), {
    message: /^Problem reading manifest file - S3ServiceException:The specified key does not exist\./
  })
  t.same(await run('select count(*) as n, count(n) as known from named'), [{ n: '4', known: '3' }])
})

t.test('compression is said, never inferred', async (t) => {
  objects.clear()
  objects.set('bucket/data/a.json.gz', gzipSync('{"n": 1}\n{"n": 2}'))
  await run('create temp table zipped (n integer)')
  t.match(await fails(copyOf('zipped')), { message: /^Load into table/ })
  await run(copyOf('zipped', `json 'auto' gzip`))
  t.same(await run('select n from zipped order by n'), [{ n: 1 }, { n: 2 }])
  objects.set('bucket/data/b.json', '{"n": 3}')
  t.match(await fails(copyOf('zipped', `json 'auto' gzip`)), { message: /^failed to inflate with zlib/ })
})

t.test('NOLOAD only tries', async (t) => {
  objects.clear()
  objects.set('bucket/data/a.json', '{"n": 1}')
  await run('create temp table tried (n integer)')
  await run(copyOf('tried', `json 'auto' noload`))
  t.same(await run('select count(*) as n, pg_last_copy_count() as c from tried'), [{ n: '0', c: '0' }])
  objects.set('bucket/data/b.json', '{"n": "x"}')
  t.match(await fails(copyOf('tried', `json 'auto' noload`)), { message: /^Load into table 'tried' failed/ })
})

t.test('all options together, in any order', async (t) => {
  objects.clear()
  objects.set('bucket/data/a.json', gzipSync('{"N": 1, "s": ""}'))
  await run('create temp table everything (n integer, s varchar(9))')
  await run(
    copyOf(
      'everything (n, s)',
      `maxerror as 10 compupdate off statupdate on gzip region as 'us-west-2' format json as 'auto ignorecase'
       truncatecolumns blanksasnull emptyasnull acceptinvchars timeformat 'auto' dateformat 'auto' encoding utf8
       comprows 1000`
    )
  )
  t.same(await run('select * from everything'), [{ n: 1, s: null }])
})

t.test('what COPY does not take', async (t) => {
  for (const [options, message] of [
    [`json 'auto' frobnicate`, /^syntax error at or near "frobnicate"$/],
    [`json 'auto' json 'auto'`, /^conflicting or redundant options$/],
    [`json 'auto' delimiter ','`, /^DELIMITER option with JSON is not supported$/],
    [`json 'auto' escape`, /^ESCAPE option with JSON is not supported$/],
    [`json 'auto' null as 'x'`, /^NULL option with JSON is not supported$/],
    [`json 'auto' csv`, /^CSV option with JSON is not supported$/],
    [`json 'auto' maxerror 100001`, /^MAXERROR must be between/],
    [`json 'auto' region`, /^syntax error/],
    [`json 'sideways'`, /^LOAD source is not supported/],
    [`json 'noshred'`, /emulator does not run/],
    [`json 'auto' zstd`, /emulator does not run/],
    [`json 'auto' job create nightly`, /emulator does not run/],
    ['csv', /emulator does not run/],
    ['', /emulator does not run/]
  ] as const) {
    t.match(await fails(copyOf('plays', options)), { message }, options)
  }
  t.match(await fails(`copy plays from 's3://b/k' json 'auto'`), { message: /must be specified$/ })
  t.match(await fails(`copy plays from '/etc/passwd' iam_role '${role}' json 'auto'`), {
    message: /^LOAD source/
  })
})
