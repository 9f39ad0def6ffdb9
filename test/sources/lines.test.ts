import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import t from 'tap'
import { createLineSplitter, isBlank, isGzip, type Line, readLines } from '../../src/sources/lines.ts'
import { temporaryDirectory } from '../files.ts'

/** The lines of `content`, read all at once: what the splitter is held to. */
function expectedLines(content: Buffer, maxBytes: number): Line[] {
  const texts = content.toString('latin1').split('\n')
  if (texts.at(-1) === '') texts.pop()
  return texts.map((text, index) => ({
    number: index + 1,
    bytes: Buffer.from(text.slice(0, maxBytes), 'latin1'),
    length: text.length
  }))
}

function split(chunks: Buffer[], maxBytes: number): Line[] {
  const lines: Line[] = []
  const splitter = createLineSplitter(maxBytes, (line) => lines.push(line))
  for (const chunk of chunks) splitter.push(chunk)
  splitter.finish()
  return lines
}

/** Any bytes, line ends and blanks among them more often than chance would have it. */
const byte = fc.oneof(fc.constantFrom(10, 13, 32, 34, 123), fc.integer({ min: 0, max: 255 }))
const anyChunks = fc.array(
  fc.array(byte, { maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  { maxLength: 12 }
)

t.test('any bytes in any chunks give the same lines', async (t) => {
  fc.assert(
    fc.property(anyChunks, fc.integer({ min: 1, max: 25 }), (chunks, maxBytes) => {
      const expected = expectedLines(Buffer.concat(chunks), maxBytes)
      const found = split(chunks, maxBytes)
      if (!Buffer.from(JSON.stringify(found)).equals(Buffer.from(JSON.stringify(expected)))) {
        throw new Error(`${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`)
      }
    }),
    { numRuns: 1000 }
  )
  t.pass('a thousand examples')
})

t.test('ends, blank lines and the lack of a last end', async (t) => {
  const texts = (content: string, maxBytes = 100) =>
    split([Buffer.from(content)], maxBytes).map(({ number, bytes, length }) => [
      number,
      String(bytes),
      length
    ])
  t.same(texts(''), [])
  t.same(texts('\n'), [[1, '', 0]])
  t.same(texts('a'), [[1, 'a', 1]])
  t.same(texts('a\nb'), [
    [1, 'a', 1],
    [2, 'b', 1]
  ])
  t.same(texts('a\r\n\n \nb\n'), [
    [1, 'a\r', 2],
    [2, '', 0],
    [3, ' ', 1],
    [4, 'b', 1]
  ])
  t.same(texts('abcdef\ng', 3), [
    [1, 'abc', 6],
    [2, 'g', 1]
  ])
})

t.test('a line without end costs no memory beyond the bound', async (t) => {
  const lines: Line[] = []
  const splitter = createLineSplitter(1000, (line) => lines.push(line))
  for (let count = 0; count < 100; count += 1) splitter.push(Buffer.alloc(10_000, 'x'))
  splitter.finish()
  t.equal(lines.length, 1)
  t.equal(lines[0]?.length, 1_000_000)
  t.equal(lines[0]?.bytes.length, 1000)
})

t.test('a file is read as it is, or gunzipped when its name says so', async (t) => {
  const directory = temporaryDirectory(t)
  const read = async (name: string, content: Buffer, signal?: AbortSignal) => {
    const path = join(directory, name)
    writeFileSync(path, content)
    const lines: string[] = []
    await readLines(path, 1000, ({ number, bytes }) => lines.push(`${number} ${bytes}`), signal)
    return lines
  }
  const content = Buffer.from('one\n\nthree')
  const expected = ['1 one', '2 ', '3 three']
  t.same(await read('a.json', content), expected)
  t.same(await read('a.json.gz', gzipSync(content)), expected)
  t.same(await read('A.JSON.GZ', gzipSync(content)), expected)
  t.same(
    await read('two.json.gz', Buffer.concat([gzipSync('one\n\nth'), gzipSync('ree')])),
    expected,
    'joined files'
  )
  t.same(
    await read('many.json', Buffer.from('x\n'.repeat(1_500_000))).then((lines) => lines.length),
    1_500_000
  )

  await t.rejects(read('plain.json.gz', content), { code: 'Z_DATA_ERROR' })
  await t.rejects(read('cut.json.gz', gzipSync(content).subarray(0, 20)), { code: 'Z_BUF_ERROR' })
  for (const name of ['none.json', 'none.json.gz']) {
    await t.rejects(
      readLines(join(directory, name), 1000, () => {}),
      { code: 'ENOENT' }
    )
  }
  for (const name of ['b.json', 'b.json.gz']) {
    await t.rejects(read(name, content, AbortSignal.abort(new Error('enough'))), { name: 'AbortError' })
  }
  t.same(['a.gz', 'a.GZ', 'a.gz.json', 'gz'].map(isGzip), [true, true, false, false])
})

t.test('a blank line is white space only', async (t) => {
  for (const text of ['', ' ', '\r', ' \t\v\f\r ']) t.ok(isBlank(Buffer.from(text)), JSON.stringify(text))
  for (const text of ['0', ' {', '\0', '\u00a0', '\ufeff'])
    t.notOk(isBlank(Buffer.from(text)), JSON.stringify(text))
})
