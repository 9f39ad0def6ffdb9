import t from 'tap'
import { copyOf, role, startRedshift } from './redshift/fixture.ts'

const roles: string[] = [role]
const { emulator, objects, connect } = await startRedshift(t, {
  roles: () => roles,
  defaultRole: () => roles[0],
  bucketRegion: (bucket) => (bucket === 'far' ? 'eu-west-1' : 'us-west-2')
})
const session = await connect()
const { run, fails, notices } = session

const failed = (table: string) => ({
  code: 'XX000',
  message: `Load into table '${table}' failed.  Check 'stl_load_errors' system table for details.`,
  detail: undefined
})

const errors = `select trim(file_name) as file, line_number as line, trim(column_name) as name, trim(column_type) as type,
  trim(column_length) as length, position, error_code as code, trim(error_message) as reason
  from sys_load_error_detail where query_id = pg_last_copy_id() order by file_name, line_number`

t.test('every kind of bad value has its code, column and reason', async (t) => {
  await run(`create table typed (i integer, s smallint, b bigint, d double precision, n numeric(4, 2), t boolean,
    day date, at timestamp, v varchar(3), c char(2), needed integer not null)`)
  for (const [value, code, column, reason] of [
    ['"i": "7a"', 1207, 'i', `Invalid digit, Value 'a', Pos 1, Type: Integer`],
    ['"i": 1.0', 1207, 'i', `Invalid digit, Value '.', Pos 1, Type: Integer`],
    ['"b": 1540919166796.0', 1207, 'b', `Invalid digit, Value '.', Pos 13, Type: Long`],
    ['"s": true', 1207, 's', `Invalid digit, Value 't', Pos 0, Type: Short`],
    ['"i": 2147483648', 1222, 'i', 'Overflow (Integer valid range -2147483648 to 2147483647)'],
    ['"d": "fast"', 1208, 'd', `Invalid digit, Value 'f', Pos 0, Type: Double`],
    ['"d": 1e999', 1204, 'd', 'Value out of range for floating point type'],
    ['"n": "x"', 1209, 'n', `Invalid digit, Value 'x', Pos 0, Type: Decimal`],
    ['"n": 123.4', 1204, 'n', 'Overflow for NUMERIC(4,2)'],
    ['"t": "maybe"', 1210, 't', 'Unknown boolean format'],
    ['"day": "2018-02-30"', 1205, 'day', 'Invalid Date Format - length must be 10 or more'],
    ['"at": "now"', 1206, 'at', 'Invalid timestamp format or value [YYYY-MM-DD HH:MI:SS]'],
    ['"v": "éé"', 1204, 'v', 'String length exceeds DDL length'],
    [
      '"v": "\\u0000"',
      1220,
      'v',
      'String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: 00 (error 3)'
    ],
    [
      '"v": "\\ud83c"',
      1220,
      'v',
      'String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: ed (error 3)'
    ],
    ['"c": "abc"', 1204, 'c', 'Char length exceeds DDL length'],
    [
      '"c": "é"',
      1220,
      'c',
      'Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: c3 a9'
    ],
    ['"needed": null', 1213, 'needed', 'Missing data for not-null field'],
    ['"needed": ""', 1213, 'needed', 'Missing data for not-null field']
  ] as const) {
    objects.clear()
    objects.set('bucket/data/a.json', `{"needed": 1}\n{"needed": 1,\n ${value}}\n`)
    t.match(await fails(copyOf('typed')), failed('typed'), value)
    const file = 's3://bucket/data/a.json'
    t.match(await run(errors), [{ file, line: '3', name: column, code, reason }], value)
  }
  t.same(await run('select count(*) as n from typed'), [{ n: '0' }], 'a COPY is atomic')
})

t.test('what is no record has a code as well', async (t) => {
  await run('create table records (n integer)')
  for (const [content, line, reason] of [
    ['{"n": 1}\n{"n": 2', '2', 'Invalid value.'],
    ['{"n": 1}, {"n": 2}', '1', 'Invalid value.'],
    ["{'n': 1}", '1', 'Invalid value.'],
    ['17', '1', 'Invalid value.'],
    ['[{"n": 1}]', '1', 'Invalid JSONPath format: Member is not an object.']
  ] as const) {
    objects.clear()
    objects.set('bucket/data/a.json', content)
    t.match(await fails(copyOf('records')), failed('records'), content)
    t.match(await run(errors), [{ line, name: '', code: 1216, reason }], content)
  }
  objects.set('bucket/paths.json', JSON.stringify({ jsonpaths: ['$.a[3]'] }))
  objects.set('bucket/data/a.json', '{"a": [1]}')
  await fails(copyOf('records', `json 's3://bucket/paths.json'`))
  t.match(await run(errors), [{ reason: 'Invalid JSONPath format: Not an array or index out of range.' }])
})

t.test('MAXERROR skips records, and fails from that many on', async (t) => {
  await run('create table skipping (n integer)')
  objects.clear()
  objects.set('bucket/data/a.json', '{"n": 1}\n{"n": "x"}\n{"n": 3}\n')
  objects.set('bucket/data/b.json', '{"n": 4}\n{"n" 5}\n{"n": 6}')
  for (const limit of ['', 'maxerror 0', 'maxerror 1', 'maxerror 2']) {
    t.match(await fails(copyOf('skipping', `json 'auto' ${limit}`)), failed('skipping'), limit)
  }
  await run(copyOf('skipping', `json 'auto' maxerror 3`))
  t.same(await run('select n from skipping order by n'), [{ n: 1 }, { n: 3 }, { n: 4 }, { n: 6 }])
  t.same(await run('select pg_last_copy_count() as n'), [{ n: '4' }])
  t.match(await run(errors), [
    { file: 's3://bucket/data/a.json', line: '2', code: 1207 },
    { file: 's3://bucket/data/b.json', line: '2', code: 1216 }
  ])
  t.equal(
    notices.at(-2),
    `Load into table 'skipping' completed, 2 record(s) could not be loaded.  Check 'stl_load_errors' system table for details.`
  )
  await run(copyOf('skipping', `json 'auto' ignoreallerrors`))
})

t.test('a record of more than 4 MB fails the load, whatever MAXERROR says', async (t) => {
  await run('create table large (n integer, s varchar(max))')
  objects.clear()
  objects.set('bucket/data/a.json', `{"n": 1}\n{"n": 2, "x": "${'x'.repeat(4 * 1024 * 1024)}"}`)
  t.match(await fails(copyOf('large', `json 'auto' maxerror 100`)), failed('large'))
  t.match(await run(errors), [{ line: '2', reason: 'String value exceeds the max size of 4194304 bytes' }])
  objects.set('bucket/data/a.json', `{"n": 2, "x": "${'x'.repeat(4 * 1024 * 1024 - 100)}"}`)
  await run(copyOf('large'))
})

t.test('the error rows are padded, cut, and stay when the transaction is rolled back', async (t) => {
  await run('create table logged (n integer)')
  objects.clear()
  const name = `${'long/'.repeat(60)}é.json`
  objects.set(`bucket/data/${name}`, `{"n": "é${'x'.repeat(2000)}"}`)
  await run('begin')
  await run('insert into logged values (1)')
  const before = await run('select pg_last_copy_id() as id')
  t.match(await fails(copyOf('logged')), failed('logged'))
  t.match(await fails('select 1'), { code: '25P02' })
  await run('rollback')
  t.same(await run('select pg_last_copy_id() as id'), before, 'the number of the load is rolled back')
  const [row] = await run(
    `select * from stl_load_errors where session = pg_backend_pid() order by starttime desc limit 1`
  )
  t.match(row, { line_number: '1', err_code: 1207, slice: 0, copy_job_id: '0', type: 'int4      ' })
  t.equal(String(row?.filename).length, 256)
  t.match(row?.raw_line, /^\{"n": "\.x+$/)
  t.equal(String(row?.raw_line).length, 1024)
  t.equal(String(row?.err_reason).length, 100)
  t.match(await run('select count(*) as n from logged'), [{ n: '0' }])
})

t.test('the history of loads says how each ended', async (t) => {
  await run('create table remembered (n integer)')
  objects.clear()
  objects.set('bucket/data/a.json', '{"n": 1}')
  objects.set('bucket/data/b.json', '{"n": 2}\n{"n": 3}')
  await run(copyOf('remembered'))
  const history = `select status, table_name, loaded_rows, source_file_count, source_file_bytes, error_count, data_source,
    file_format, session_id = pg_backend_pid() as mine, end_time >= start_time as ended, duration >= 0 as took
    from sys_load_history where query_id = pg_last_copy_id()`
  const completed = {
    ...{ status: 'completed', table_name: 'remembered', loaded_rows: '3', source_file_count: 2 },
    ...{ source_file_bytes: '25', error_count: '0', data_source: 's3://bucket/data/', file_format: 'json' },
    ...{ mine: true, ended: true, took: true }
  }
  t.same(await run(history), [completed])
  const files = [
    { file: 's3://bucket/data/a.json', lines: 1 },
    { file: 's3://bucket/data/b.json', lines: 2 }
  ]
  t.match(
    await run(
      `select trim(file_name) as file, lines_scanned as lines, trim(file_etag) as etag from sys_load_detail
       where query_id = pg_last_copy_id() order by file_name`
    ),
    files.map((file) => ({ ...file, etag: /^[0-9a-f]{32}$/ }))
  )
  const commits = `select trim(filename) as file, lines_scanned as lines from stl_load_commits
    where query = pg_last_copy_id() order by filename`
  t.match(
    await run(commits),
    files.map(({ file, lines }) => ({ file, lines: String(lines) })).map(({ file }) => ({ file }))
  )
  objects.set('bucket/data/b.json', '{"n": "x"}')
  await fails(copyOf('remembered'))
  t.match(await run(history), [{ status: 'aborted', loaded_rows: '0', error_count: '1' }])
  t.same(await run('select pg_last_copy_count() as n'), [{ n: '0' }])
  t.match(
    await run(commits),
    [{ file: 's3://bucket/data/a.json' }],
    'a row does not mean that the load has committed'
  )
})

t.test('a user who is no superuser sees his own loads only', async (t) => {
  const reader = await connect({ user: 'IAM:reader' })
  t.same(await reader.run('select query_id from sys_load_history'), [])
  t.same(await reader.run('select query from stl_load_errors'), [])
  t.match(await reader.fails('select * from svv_table_info'), { code: '42501' })
  await reader.run('create temp table own (n integer)')
  await reader.run(copyOf('own', `json 'auto' maxerror 9`))
  t.equal((await reader.run('select query_id from sys_load_history')).length, 1)
  t.match(await reader.fails(copyOf('remembered')), { code: '42501' })
})

t.test('the role must be attached, and S3 must let it', async (t) => {
  objects.clear()
  objects.set('bucket/data/a.json', '{"n": 1}')
  objects.set('far/data/a.json', '{"n": 1}')
  await run('create table rights (n integer)')
  const before = await run('select pg_last_copy_id() as id')
  t.match(await fails(copyOf('rights').replace('/dwh', '/other')), {
    code: 'XX000',
    message:
      'User arn:aws:redshift:us-west-2:123456789012:dbuser:sparkify/awsuser is not authorized to assume IAM Role arn:aws:iam::123456789012:role/other',
    detail: /code: {6}8001/
  })
  t.same(await run('select pg_last_copy_id() as id'), before, 'such a load has not begun')
  await run(copyOf('rights').replace(`'${role}'`, 'default'))
  roles.pop()
  t.match(await fails(copyOf('rights').replace(`'${role}'`, 'default')), { message: /no default IAM role/ })
  t.match(await fails(copyOf('rights')), { message: /^User .* is not authorized to assume IAM Role/ })
  roles.push(role)
  t.match(await fails(copyOf('rights', `json 'auto'`, 's3://far/data/')), {
    message:
      /^S3ServiceException:The bucket you are attempting to access .*,Status 301,Error PermanentRedirect/
  })
  await run(copyOf('rights', `json 'auto' region 'eu-west-1'`, 's3://far/data/'))
  t.match(await fails(copyOf('rights').replace(role, 'dwh')), { message: /^Invalid IAM role ARN/ })
})

t.test('S3 may refuse the list, an object or the role', async (t) => {
  const refuse = (name: string) => Object.assign(new Error(name), { name })
  let problem = { list: '', get: '' }
  const other = await startRedshift(t, {
    objects: {
      async list() {
        if (problem.list !== '') throw refuse(problem.list)
        return ['data/a.json']
      },
      async get() {
        if (problem.get !== '') throw refuse(problem.get)
        return Buffer.from('{"n": 1}')
      }
    },
    loadErrorView: 'sys_load_error_detail'
  })
  const client = await other.connect()
  await client.run('create table rights (n integer)')
  for (const side of ['list', 'get'] as const) {
    problem = { list: '', get: '', [side]: 'AccessDenied' }
    t.match(await client.fails(copyOf('rights')), {
      message: /^S3ServiceException:Access Denied,Status 403,Error AccessDenied/
    })
    problem = { list: '', get: '', [side]: 'RoleNotAssumable' }
    t.match(await client.fails(copyOf('rights')), { message: /is not authorized to assume IAM Role/ })
  }
  problem = { list: '', get: '' }
  await client.run(copyOf('rights'))
  await client.run('create table wrong (n integer, needed integer not null)')
  t.match(await client.fails(copyOf('wrong')), {
    message: `Load into table 'wrong' failed.  Check 'sys_load_error_detail' system table for details.`
  })
  t.ok(emulator)
})
