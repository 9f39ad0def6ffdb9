import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { openLocalSource } from '../../src/sources/local.ts'
import { isData } from '../../src/sources/source.ts'
import { temporaryDirectory, writeFiles } from '../files.ts'

const { signal } = new AbortController()
const urls = ({ objects }: { objects: { url: string }[] }) => objects.map(({ url }) => url)

t.test('a listing is in the order of names, whatever the directories', async (t) => {
  const directory = temporaryDirectory(t)
  const names = ['A/B/2.json', 'A/B/10.json', 'A/1.json', 'B.json', 'a.JSON', 'z/9.json.gz', 'z/a b#%é.json']
  // A slash stands between a hyphen and a digit.
  names.push('z-1.json', 'z-2/1.json', 'z.json/1.json', 'z0.json', 'z1/1.json')
  writeFiles(directory, Object.fromEntries(names.map((name) => [name, name])))
  const source = await openLocalSource(directory, [directory])
  t.equal(source.url, pathToFileURL(directory).href)
  const listing = await source.list(signal)
  const sorted = names.map((name) => join(directory, name)).sort()
  t.same(
    urls(listing),
    sorted.map((path) => pathToFileURL(path).href)
  )
  t.same(
    listing.objects.map(({ bytes }) => bytes),
    sorted.map((path) => Buffer.byteLength(relative(directory, path)))
  )
  t.same(listing.ignored, [])
  const paths = await Promise.all(listing.objects.map((object) => source.fetch(object, '', signal)))
  t.same(paths, sorted, 'fetch gives the file itself')
})

t.test('more files than are looked at in one go', async (t) => {
  const directory = temporaryDirectory(t)
  const names = Array.from({ length: 600 }, (_, index) => `${index % 7}/${index}.json`)
  writeFiles(directory, Object.fromEntries(names.map((name) => [name, 'x'])))
  const { objects } = await (await openLocalSource(directory, [directory])).list(signal)
  t.equal(objects.length, 600)
  t.same(urls({ objects }), urls({ objects }).sort())
})

t.test('what is no data is told; symbolic links are not followed', async (t) => {
  const directory = temporaryDirectory(t)
  const outside = temporaryDirectory(t)
  writeFiles(outside, { 'secret.json': '{}' })
  writeFiles(directory, { 'a.json': '{}', 'README.md': '', 'sub/b.json.bak': '', 'sub.json/c.json': '{}' })
  symlinkSync(join(outside, 'secret.json'), join(directory, 'link.json'))
  symlinkSync(outside, join(directory, 'link'))
  execFileSync('mkfifo', [join(directory, 'pipe.json')])
  const listing = await (await openLocalSource(directory, [directory])).list(signal)
  t.same(urls(listing), urls({ objects: ['a.json', 'sub.json/c.json'].map((name) => urlOf(name)) }))
  t.same(
    listing.ignored,
    ['README.md', 'link', 'link.json', 'pipe.json', 'sub/b.json.bak'].map((name) => join(directory, name))
  )

  function urlOf(name: string) {
    return { url: pathToFileURL(join(directory, name)).href }
  }
})

t.test('data is JSON, plain or gzip', async (t) => {
  const names = [
    'a.json',
    'a.JSON',
    'a.json.gz',
    'A.Json.GZ',
    '.json',
    'json',
    'a.json.',
    'a.jsonl',
    'a.gz',
    'a.json.gz.tmp'
  ]
  t.same(names.filter(isData), ['a.json', 'a.JSON', 'a.json.gz', 'A.Json.GZ', '.json'])
})

t.test('an empty directory is an empty listing', async (t) => {
  const directory = temporaryDirectory(t)
  t.same(await (await openLocalSource(directory, [directory])).list(signal), { objects: [], ignored: [] })
})

t.test('only what lies in the roots may be opened', async (t) => {
  const directory = temporaryDirectory(t)
  for (const name of ['root/sub', 'root2', 'outside']) mkdirSync(join(directory, name), { recursive: true })
  const root = join(directory, 'root')
  const allows = (path: string, roots = [root]) =>
    t.resolves(openLocalSource(path, roots), `${path} in ${roots}`)
  const refuses = (path: string, roots = [root]) =>
    t.rejects(openLocalSource(path, roots), {
      code: 'source_not_allowed',
      status: 422,
      message: `${path} is not in a directory that jobs may read. SOURCE_ROOTS lists those; the operator can add it there.`
    })

  await allows(root)
  await allows(`${root}/`)
  await allows(join(root, 'sub'))
  await allows(`${root}/sub/../sub`)
  await allows(join(root, 'missing'))
  await allows(join(directory, 'outside'), [root, join(directory, 'outside')])
  await allows(root, ['/'])

  await refuses(directory)
  await refuses(join(directory, 'outside'))
  await refuses(`${root}/../outside`)
  await refuses(`${root}/sub/../../outside`)
  await refuses(`${root}2`)
  await refuses('/')
  await refuses(root, [])
  await refuses(join(directory, 'missing'))

  symlinkSync(join(directory, 'outside'), join(root, 'way-out'))
  await refuses(join(root, 'way-out'))
  symlinkSync(root, join(directory, 'way-in'))
  await allows(join(directory, 'way-in'))
  await allows(join(root, 'sub'), [join(directory, 'way-in')])
  await allows(join(directory, 'way-in', 'sub'), [join(directory, 'way-in')])
  await refuses(join(directory, 'outside'), [join(directory, 'way-in')])
})

t.test('another content is another object', async (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'a.json')
  writeFiles(directory, { 'a.json': '1', 'b.json': '2' })
  const source = await openLocalSource(directory, [directory])
  const etags = async () => (await source.list(signal)).objects.map(({ etag }) => etag)
  const [before, other] = await etags()
  t.same(await etags(), [before, other], 'the same as long as nothing changes')
  appendFileSync(path, '1')
  const [grown, otherThen] = await etags()
  t.not(grown, before)
  t.equal(otherThen, other)
  writeFileSync(path, '33')
  utimesSync(path, 1_700_000_000, 1_700_000_000)
  const [rewritten] = await etags()
  utimesSync(path, 1_700_000_000, 1_700_000_000.001)
  const [touched] = await etags()
  t.equal(new Set([before, grown, rewritten, touched]).size, 4, 'size or time')
})

t.test('a source that cannot be read says why', async (t) => {
  const directory = temporaryDirectory(t)
  writeFiles(directory, { 'file.json': '{}', 'shut/a.json': '{}' })
  const list = async (name: string) =>
    (await openLocalSource(join(directory, name), [directory])).list(signal)
  const unreadable = (name: string, why: string) => ({
    code: 'source_unreadable',
    status: 422,
    message: `${join(directory, name)} cannot be read: ${why}. Check SONG_DATA, LOG_DATA or the job's own sources.`
  })
  await t.rejects(list('missing'), unreadable('missing', 'it does not exist'))
  await t.rejects(list('file.json'), unreadable('file.json', 'it is not a directory'))
  await t.rejects(list('file.json/sub'), unreadable('file.json/sub', 'it is not a directory'))
  if (process.getuid?.() === 0) return t.comment('root may read everything: permissions are not tested')
  chmodSync(join(directory, 'shut'), 0)
  t.teardown(() => chmodSync(join(directory, 'shut'), 0o700))
  await t.rejects(list('.'), unreadable('shut', 'permission is denied'))
})

t.test('listing stops when it is told to', async (t) => {
  const directory = temporaryDirectory(t)
  const source = await openLocalSource(directory, [directory])
  const reason = new Error('enough')
  await t.rejects(source.list(AbortSignal.abort(reason)), reason)
})
