import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ensureDatabase } from '../../src/store/empty-database.ts'
import { temporaryDirectory } from '../files.ts'

t.test('a database is unpacked once, for its owner alone', async (t) => {
  const directory = join(temporaryDirectory(t), 'store')
  mkdirSync(`${directory}.partial`)
  writeFileSync(join(`${directory}.partial`, 'left by a killed process'), '')
  await ensureDatabase(directory)
  t.equal(statSync(directory).mode & 0o777, 0o700)
  t.notOk(existsSync(`${directory}.partial`))
  t.ok(existsSync(join(directory, 'pg_wal')))
  t.notOk(existsSync(join(directory, 'left by a killed process')))

  writeFileSync(join(directory, 'kept'), '')
  await ensureDatabase(directory)
  t.ok(existsSync(join(directory, 'kept')))
})

t.test('what else the directory holds is left alone, and said', async (t) => {
  const directory = join(temporaryDirectory(t), 'store')
  mkdirSync(directory)
  writeFileSync(join(directory, 'letters.txt'), 'dear')
  await t.rejects(ensureDatabase(directory), { message: /is not empty and holds no database/ })
  t.strictSame(readdirSync(directory), ['letters.txt'])
})

t.test('a file that cannot be written fails the start, and the next one begins anew', async (t) => {
  const directory = join(temporaryDirectory(t), 'store')
  const module = new URL('../../src/store/empty-database.ts', import.meta.url).href
  const program = `
    const { ensureDatabase } = await import(${JSON.stringify(module)})
    await ensureDatabase(process.argv[1]).catch(({ message }) => console.log(message))
  `
  // No file may be larger than 1 MB: the first segment of the log is.
  const script = `trap '' XFSZ; ulimit -f 1000; unset NODE_OPTIONS NODE_V8_COVERAGE; exec "$0" "$@"`
  const node = [process.execPath, '--input-type=module', '--eval', program, directory]
  const { stdout } = spawnSync('bash', ['-c', script, ...node], { encoding: 'utf8' })
  t.match(stdout, /EFBIG/)
  t.notOk(existsSync(directory))
  await ensureDatabase(directory)
  t.ok(existsSync(join(directory, 'PG_VERSION')))
})
