import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { bindParams, fillLiterals, type Literal, parseSql, readSql } from '../src/sql.ts'
import { readMigrations } from '../src/store/migrate.ts'
import { connectToEmptyDatabase } from './postgres.ts'

const sqlFolder = new URL('../src/sql/', import.meta.url)
const sqlFiles = readdirSync(sqlFolder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.sql'))
  .sort()
const isMigration = (file: string) => file.startsWith('store/migrations/')
const statementFiles = sqlFiles.filter((file) => !isMigration(file))

/** Strings as people write them and strings of any character at all, but for NUL, which no engine stores. */
const anyText = fc
  .oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...`'"\\:;-$\n a*/`) })
  )
  .map((text) => text.replaceAll('\0', ''))

/** Fails with the smallest example and the seed that gives it again. */
const holds = <Ts>(t: Test, property: fc.IAsyncProperty<Ts>, numRuns: number) =>
  t.resolves(fc.assert(property, { numRuns }))

const instance = await DuckDBInstance.create(':memory:')
const duckdb = await instance.connect()
t.teardown(() => {
  duckdb.closeSync()
  instance.closeSync()
})
const postgres = await connectToEmptyDatabase(t)

t.test('parameters are numbered in the order in which they first appear', async (t) => {
  const statement = parseSql('test', 'select :b, :a, :b where c = :long_name')
  t.same(statement, {
    name: 'test',
    text: 'select $1, $2, $1 where c = $3',
    params: ['b', 'a', 'long_name'],
    literals: []
  })
  t.same(bindParams(statement, { a: 1, b: null, long_name: 'x' }), [null, 1, 'x'])
  t.same(bindParams(parseSql('test', 'select 1')), [])
})

t.test('a missing and an unknown parameter are errors that name the statement', async (t) => {
  const statement = parseSql('jobs/get.sql', 'select :id')
  t.throws(() => bindParams(statement), { message: 'jobs/get.sql needs the parameter :id' })
  t.throws(() => bindParams(statement, { id: undefined }), {
    message: 'jobs/get.sql needs the parameter :id'
  })
  t.throws(() => bindParams(statement, { id: 1, ids: 2 }), { message: 'jobs/get.sql has no parameter :ids' })
})

t.test('casts, quoted text, quoted names and comments hold no parameters', async (t) => {
  const parse = (source: string) => {
    const { text, params, literals } = parseSql('test', source)
    return { text, params, literals }
  }
  t.same(parse('select :id::text, a::jsonb'), {
    text: 'select $1::text, a::jsonb',
    params: ['id'],
    literals: []
  })
  t.same(parse(`select ':a', 'it''s :b', ":c", ":'d'", 'x:''e'''`), {
    text: `select ':a', 'it''s :b', ":c", ":'d'", 'x:''e'''`,
    params: [],
    literals: []
  })
  t.same(
    fillLiterals(parseSql('test', `select ":'a'", ':' || :'b'`), { b: 'x' }, 'duckdb').text,
    `select ":'a'", ':' || 'x'`
  )
  t.same(parse("-- :a 'b\nselect 1 -- ;:c\n/* :d\n' */, '--', '/* :e */'\n;\n"), {
    text: "select 1\n, '--', '/* :e */'",
    params: [],
    literals: []
  })
  t.throws(() => parse('-- nothing but a comment\n;'), { message: 'test holds no statement' })
})

t.test('a comment line leaves no line behind, quoted text keeps its blank lines', async (t) => {
  t.equal(parseSql('test', '-- a\n\nselect 1,\n  -- b\n\n  2\n').text, 'select 1,\n  2')
  t.equal(parseSql('test', "select 'a\n\n-- b\n  \nc'").text, "select 'a\n\n-- b\n  \nc'")
})

t.test('literals are quoted for their dialect', async (t) => {
  const statement = parseSql(
    'copy.sql',
    "copy t from :'path' with (x :'options') where a = :id and b = :'path'"
  )
  t.same(statement.literals, ['path', 'options'])
  t.same(statement.params, ['id'])
  const fill = (path: Literal, dialect: 'duckdb' | 'redshift' = 'duckdb') =>
    fillLiterals(parseSql('test', ":'path'"), { path }, dialect).text
  t.same(fillLiterals(statement, { path: "it's", options: 5 }, 'duckdb'), {
    name: 'copy.sql',
    text: "copy t from 'it''s' with (x 5) where a = $1 and b = 'it''s'",
    params: ['id'],
    literals: []
  })
  t.equal(fill('\\n\\'), "'\\n\\'")
  t.equal(fill("\\n'\\", 'redshift'), "'\\\\n''\\\\'")
  t.equal(fill('$& $1 :id'), "'$& $1 :id'", 'a value is text, whatever stands in it')
  t.equal(fill(":'path'"), "':''path'''", 'a value is not filled again')
  t.equal(fill(["a'b", 'c\\'], 'duckdb'), "['a''b', 'c\\']")
  t.equal(fill(["a'b", 'c\\'], 'redshift'), "('a''b', 'c\\\\')")
  t.equal(fill([]), '[]')
  t.equal(fill(-1.5), '-1.5')
})

t.test('a literal that is missing, unknown or unsafe is refused', async (t) => {
  const statement = parseSql('copy.sql', "copy :'path'")
  t.throws(() => fillLiterals(statement, {}, 'redshift'), { message: "copy.sql needs the literal :'path'" })
  t.throws(() => fillLiterals(statement, { path: 'a', paths: 'b' }, 'redshift'), {
    message: "copy.sql has no literal :'paths'"
  })
  t.throws(() => bindParams(statement), { message: 'copy.sql: literals not filled: path' })
  for (const path of ['a\0b', ['a', 'b\0']]) {
    for (const dialect of ['duckdb', 'redshift'] as const) {
      t.throws(() => fillLiterals(statement, { path }, dialect), {
        message: 'a literal must not hold a NUL character'
      })
    }
  }
  for (const path of [Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => fillLiterals(statement, { path }, 'duckdb'), {
      message: 'a literal must be a finite number'
    })
  }
})

t.test('DuckDB reads back every quoted value', async (t) => {
  const one = parseSql('test', "select :'value' as value")
  const many = parseSql('test', "select unnest(:'values') as value")
  const read = async (text: string) => (await duckdb.runAndReadAll(text)).getColumns()[0]
  await holds(
    t,
    fc.asyncProperty(anyText, async (value) => {
      assert.deepEqual(await read(fillLiterals(one, { value }, 'duckdb').text), [value])
      // The same text written by hand: nothing in it is taken for a comment, a parameter or a blank line.
      assert.deepEqual(await read(parseSql('test', `select '${value.replaceAll("'", "''")}'`).text), [value])
    }),
    300
  )
  await holds(
    t,
    fc.asyncProperty(fc.array(anyText, { minLength: 1, maxLength: 5 }), async (values) => {
      assert.deepEqual(await read(fillLiterals(many, { values }, 'duckdb').text), values)
    }),
    50
  )
})

t.test(
  'a server that reads backslashes as escapes, as Redshift does, reads back every quoted value',
  async (t) => {
    await postgres.query('set standard_conforming_strings = off; set escape_string_warning = off')
    t.teardown(() => postgres.query('reset all'))
    const statement = parseSql('test', "select :'value' as value")
    await holds(
      t,
      fc.asyncProperty(anyText, async (value) => {
        const { rows } = await postgres.query(fillLiterals(statement, { value }, 'redshift').text)
        assert.deepEqual(rows, [{ value }])
      }),
      300
    )
  }
)

t.test('every file holds one statement, and its comment names the parameters', async (t) => {
  for (const file of statementFiles) {
    const { text, params, literals } = readSql(file)
    const bare = text.replace(/'(?:[^']|'')*'|"[^"]*"/g, "''")
    t.notMatch(bare, ';', `${file} holds one statement`)
    t.notMatch(bare, /(?<!:):[A-Za-z]/, `${file} writes its parameters in lower case`)
    if (file.startsWith('analytics/')) continue // Their headers are checked by the catalogue.
    const source = readFileSync(new URL(file, sqlFolder), 'utf8')
    const comment = (source.match(/^--.*$/gm) ?? []).join('\n')
    const named = [...params.map((name) => `:${name}`), ...literals.map((name) => `:'${name}'`)]
    t.same(
      // Where a receipt's eight counts are parameters, the comment says just that.
      named.filter((name) => !comment.includes(name) && !/_(read|loaded|duplicates|rejected)$/.test(name)),
      [],
      `${file} names its parameters`
    )
  }
})

t.test("DuckDB's parser takes every statement of the warehouse", async (t) => {
  const values: Record<string, Literal> = { paths: ['a.json'], first_object: 1, limit: 1, offset: 0 }
  for (const file of statementFiles.filter((file) => !/^(store|warehouse\/redshift)\//.test(file))) {
    const statement = readSql(file)
    const ofFile = Object.fromEntries(statement.literals.map((name) => [name, values[name] ?? 'text']))
    const { text } = fillLiterals(statement, ofFile, 'duckdb')
    const parsed = await duckdb.extractStatements(text).catch((error: Error) => error)
    t.match(parsed, { count: 1 }, file)
  }
})

t.test('PostgreSQL prepares every statement of the store', async (t) => {
  for (const { script } of readMigrations()) await postgres.query(script)
  const files = statementFiles.filter((file) => file.startsWith('store/'))
  for (const [index, file] of files.entries()) {
    await t.resolves(postgres.query(`prepare statement_${index} as ${readSql(file).text}`), file)
  }
})

t.test('every file is read by the program', async (t) => {
  // Files are read at import, once in a process.
  const program = fork(fileURLToPath(new URL('sql-reads.ts', import.meta.url)), { execArgv: [] })
  const [read] = (await once(program, 'message')) as [string[]]
  program.kill()
  const unread = sqlFiles.filter((file) => !read.includes(fileURLToPath(new URL(file, sqlFolder))))
  t.same(unread, [], 'a file that nothing reads is removed, or its reader is missing')
})
