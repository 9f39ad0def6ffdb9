import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import t from 'tap'
import { ensureSample, generateSample } from '../../src/sources/sample.ts'
import { temporaryDirectory, writeFiles } from '../files.ts'

/** The bytes of every file below a directory, by path. */
function readAll(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
  const files = names.filter((name) => statSync(join(directory, name)).isFile())
  return new Map(files.map((name) => [name, readFileSync(join(directory, name), 'latin1')]))
}

t.test('equal seeds give equal bytes, other seeds do not', async (t) => {
  const root = temporaryDirectory(t)
  const sample = async (name: string, seed: number) => {
    const directory = join(root, name)
    return { summary: await generateSample({ directory, seed }), files: readAll(directory) }
  }
  const first = await sample('first', 1)
  t.equal(first.files.size, 1_530)
  const second = await sample('second', 1)
  t.same(second.summary, first.summary)
  t.same(
    [...second.files].filter(([name, content]) => first.files.get(name) !== content),
    []
  )
  const other = await sample('other', 2)
  t.same(
    [...other.files].filter(([name, content]) => first.files.get(name) === content),
    []
  )
})

t.test('sizes can be chosen', async (t) => {
  const root = temporaryDirectory(t)
  const small = await generateSample({ directory: join(root, 'small'), days: 2, users: 5, songs: 40 })
  t.match(small, { songs: 40, users: 5, files: 42 })
  const large = await generateSample({ directory: join(root, 'large'), events: 30_000, songs: 200, days: 35 })
  t.ok(Math.abs(large.events - 30_000) < 1_500, `${large.events} events`)
  t.ok(existsSync(join(root, 'large/log_data/2018/12/2018-12-05-events.json')))
})

t.test('sizes out of bounds are refused', async (t) => {
  const root = temporaryDirectory(t)
  const attempt = (options: object) => generateSample({ directory: join(root, 'never'), ...options })
  await t.rejects(attempt({ songs: 39 }), {
    name: 'RangeError',
    message: /^songs must be .* from 40 to 1000000, not 39$/
  })
  await t.rejects(attempt({ days: 0 }), { name: 'RangeError', message: /^days must be/ })
  await t.rejects(attempt({ users: 1.5 }), { name: 'RangeError', message: /^users must be/ })
  await t.rejects(attempt({ seed: -1 }), { name: 'RangeError', message: /^seed must be/ })
  await t.rejects(attempt({ users: 2, events: 90_000 }), {
    name: 'RangeError',
    message: /2 users do not listen/
  })
  t.notOk(existsSync(join(root, 'never')))
})

t.test('nothing of others is overwritten', async (t) => {
  const taken = join(temporaryDirectory(t), 'taken')
  writeFiles(taken, { 'notes.txt': 'mine' })
  mkdirSync(join(dirname(taken), 'empty'))
  await t.rejects(generateSample({ directory: taken, songs: 40 }), { message: /is not empty/ })
  await t.rejects(generateSample({ directory: taken, songs: 40, replace: true }), {
    message: /holds more than a sample \(notes\.txt\)/
  })
  t.equal(readFileSync(join(taken, 'notes.txt'), 'utf8'), 'mine')
  const empty = join(dirname(taken), 'empty')
  await generateSample({ directory: empty, songs: 40 })
  await t.rejects(generateSample({ directory: empty, songs: 40 }), { message: /is not empty/ })
  t.match(await generateSample({ directory: empty, songs: 41, replace: true }), { songs: 41 })
  t.same(readdirSync(dirname(taken)).sort(), ['empty', 'taken'])
})

t.test('what a killed process left is removed, what a live one writes is not', async (t) => {
  const parent = temporaryDirectory(t)
  const target = join(parent, 'sample')
  const gone = spawnSync(process.execPath, ['--version']).pid
  const leave = (name: string) => {
    mkdirSync(join(parent, name, 'song_data'), { recursive: true })
    writeFileSync(join(parent, name, 'song_data/half.json'), '{')
  }
  leave(`sample.partial-${gone}`)
  leave(`sample.partial-${process.pid}`)
  leave(`sample.partial-${process.ppid}`)
  await generateSample({ directory: target, songs: 40, days: 1 })
  t.same(readdirSync(parent).sort(), ['sample', `sample.partial-${process.ppid}`])
  t.notOk(existsSync(join(target, 'song_data/half.json')))
})

t.test('a failure leaves nothing behind', async (t) => {
  const parent = temporaryDirectory(t)
  writeFiles(parent, { file: 'not a directory' })
  await t.rejects(generateSample({ directory: join(parent, 'file/sample'), songs: 40 }), { code: 'ENOTDIR' })
  t.same(readdirSync(parent), ['file'])
})

t.test('ensureSample generates once', async (t) => {
  const target = join(temporaryDirectory(t), 'var/sample')
  t.match(await ensureSample(target), { songs: 1_500, users: 96 })
  const before = statSync(target).mtimeMs
  t.equal(await ensureSample(target), null)
  t.equal(statSync(target).mtimeMs, before)
  t.same(readdirSync(dirname(target)), [basename(target)])
})
