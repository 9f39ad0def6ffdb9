import { existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import {
  eachRecord,
  MAX_RECORD_BYTES,
  type SiftInput,
  type SiftProgress,
  sift,
  toRaw
} from '../../src/sources/sift.ts'
import { siftInThread } from '../../src/sources/sift-thread.ts'
import { temporaryDirectory, writeFiles } from '../helper.ts'

type Files = Record<string, string | Buffer>

/** Writes the files and says how to sift them in this order; object numbers are from 1. */
function inputOf(t: Test, files: Files, options: Partial<SiftInput> = {}): SiftInput {
  const directory = temporaryDirectory(t)
  writeFiles(directory, files)
  const objects = Object.keys(files).map((name, index) => {
    const path = join(directory, name)
    return { object_no: index + 1, path, bytes: statSync(path).size }
  })
  return { objects, spoolPath: join(directory, 'spool'), rejectLimit: 100, maxRawBytes: 1000, ...options }
}

/** What sifting gives: the spool's lines, the rejects as [object, line, code, raw], and the result's counts. */
async function siftFiles(t: Test, files: Files, options?: Partial<SiftInput>) {
  const input = inputOf(t, files, options)
  const seen: SiftProgress[] = []
  const { rejects, ...counts } = await sift(input, ({ records, bytes }) => seen.push({ records, bytes }))
  const spool = readFileSync(input.spoolPath, 'utf8')
  return {
    spool: spool.split('\n').slice(0, -1),
    rejects: rejects.map(({ object_no, line_number, code, raw }) => [object_no, line_number, code, raw]),
    messages: rejects.map(({ message }) => message),
    counts,
    seen
  }
}

t.test('each record goes to the spool with its object and line', async (t) => {
  const b = '\r\n \n{"b": "\\"}: {", "c": [{"b": 1}]}\r\n\n{"é":"\\ud83d\\ude00 \\\\ud800"}\n'
  const { spool, rejects, counts, seen } = await siftFiles(t, {
    'a.json': '{"a":1}\n{"a":2}',
    'b.json': b,
    'empty.json': '',
    'c.json': '{}'
  })
  t.same(spool, [
    '{"o":1,"l":1,"r":{"a":1}}',
    '{"o":1,"l":2,"r":{"a":2}}',
    '{"o":2,"l":3,"r":{"b": "\\"}: {", "c": [{"b": 1}]}\r}',
    '{"o":2,"l":5,"r":{"é":"\\ud83d\\ude00 \\\\ud800"}}',
    '{"o":4,"l":1,"r":{}}'
  ])
  for (const line of spool) t.ok(JSON.parse(line))
  t.same(rejects, [])
  const size = Buffer.byteLength(b)
  t.same(counts, { records: 5, bytes: 17 + size, rejected: 0 })
  t.same(seen, [
    { records: 2, bytes: 15 },
    { records: 4, bytes: 15 + size },
    { records: 4, bytes: 15 + size },
    { records: 5, bytes: 17 + size }
  ])
})

t.test('what is no record is rejected with its place, its text and the reason', async (t) => {
  const good = '{"good":1}'
  const cases: [string | Buffer, string, RegExp][] = [
    ['{"a":', 'malformed_json', /JSON/],
    ['{"a":1}{"a":2}', 'malformed_json', /JSON/],
    ["{'a':1}", 'malformed_json', /JSON/],
    ['{"a":1,}', 'malformed_json', /JSON/],
    ['{"a":NaN}', 'malformed_json', /JSON/],
    ['{"a":"tab\there"}', 'malformed_json', /JSON/],
    ['{"a":"\\ud800"}', 'malformed_json', /half of a surrogate pair/],
    ['{"a":"\\ude00\\ud83d"}', 'malformed_json', /half of a surrogate pair/],
    ['{"\\uDBFFx":1}', 'malformed_json', /half of a surrogate pair/],
    ['\ufeff{"a":1}', 'malformed_json', /JSON/],
    ['[{"a":1}]', 'not_an_object', /no object/],
    ['null', 'not_an_object', /no object/],
    ['"a"', 'not_an_object', /no object/],
    ['{"a":1,"b":{"a":2},"a":3}', 'duplicate_key', /twice/],
    ['{"a":1,"\\u0061":2}', 'duplicate_key', /twice/],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'invalid_utf8', /not UTF-8/]
  ]
  for (const [bad, code, message] of cases) {
    const content = Buffer.concat([Buffer.from(`${good}\n\n`), Buffer.from(bad), Buffer.from(`\n${good}`)])
    const { spool, rejects, messages, counts } = await siftFiles(t, { 'a.json': good, 'b.json': content })
    const raw = Buffer.from(bad).toString()
    t.same(rejects, [[2, 3, code, raw]], raw)
    t.match(messages, [message])
    t.same(spool.slice(1), [`{"o":2,"l":1,"r":${good}}`, `{"o":2,"l":4,"r":${good}}`])
    t.match(counts, { records: 3, rejected: 1 })
  }
})

t.test('the reason can be stored whatever the text is', async (t) => {
  const texts = [
    '\0',
    '{"a":\0}',
    ...Array.from({ length: 12 }, (_, index) => `{"${'x'.repeat(index)}😀😀😀😀😀😀😀😀😀😀" 1}`)
  ]
  const { messages } = await siftFiles(t, { 'a.json': texts.join('\n') })
  t.equal(messages.length, texts.length)
  for (const message of messages) t.ok(message.isWellFormed() && !message.includes('\0'), message)
})

t.test('keys that look alike are no duplicates', async (t) => {
  const lines = [
    '{"a":{"b":1},"b":[{"a":1}]}',
    '{"a":":","b":"\\\\","c":"\\":\\""}',
    '{"a":1,"A":2,"":3}',
    '{"__proto__":1}'
  ]
  const { spool, rejects } = await siftFiles(t, { 'a.json': lines.join('\n') })
  t.same(rejects, [])
  t.equal(spool.length, lines.length)
})

t.test('a truncated last line and a file that is no text', async (t) => {
  const { rejects, counts } = await siftFiles(t, {
    'cut.json': '{"a":1}\n{"a":2}\n{"a":',
    'image.json': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x0d])
  })
  t.same(rejects, [
    [1, 3, 'malformed_json', '{"a":'],
    [2, 1, 'invalid_utf8', '\ufffdPNG\r'],
    [2, 2, 'malformed_json', '\u001a'],
    [2, 3, 'malformed_json', '\ufffd\ufffd\r']
  ])
  t.match(counts, { records: 2, rejected: 4 })
})

t.test('a record beyond the limit is rejected, one at the limit is not', async (t) => {
  const record = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`
  const { spool, rejects, messages } = await siftFiles(
    t,
    {
      'a.json': [record(MAX_RECORD_BYTES), record(MAX_RECORD_BYTES + 1), record(20 * 1024 * 1024), '{}'].join(
        '\n'
      )
    },
    { maxRawBytes: 10 }
  )
  t.same(
    spool.map((line) => line.length),
    [MAX_RECORD_BYTES, 2].map((bytes) => bytes + '{"o":1,"l":1,"r":}'.length)
  )
  t.same(rejects, [
    [1, 2, 'record_too_large', '{"a":"xxxx'],
    [1, 3, 'record_too_large', '{"a":"xxxx']
  ])
  t.equal(messages[1], '20971520 bytes; at most 4194304 are allowed')
})

t.test('one object written over several lines is one record', async (t) => {
  const pretty = (value: object) => JSON.stringify(value, null, 2)
  const { spool, rejects } = await siftFiles(t, {
    'a.json': `${pretty({ a: 'b\nc', d: [1] })}\n`,
    'b.json': `\r\n\n\n${pretty({ a: 1 }).replaceAll('\n', '\r\n')}`,
    'c.json': '\n\n{"a":1}\n\n',
    'list.json': `\n${JSON.stringify([1, 2], null, 2)}`,
    'twice.json': '{\n"a": 1,\n"a": 2}'
  })
  t.same(spool, [
    '{"o":1,"l":1,"r":{   "a": "b\\nc",   "d": [     1   ] }}',
    '{"o":2,"l":4,"r":{   "a": 1 }}',
    '{"o":3,"l":3,"r":{"a":1}}'
  ])
  t.same(rejects, [
    [4, 2, 'not_an_object', '[   1,   2 ]'],
    [5, 1, 'duplicate_key', '{ "a": 1, "a": 2}']
  ])
})

t.test('records are found again by the same rule', async (t) => {
  const files = {
    'lines.json': '\n{"a":1}\nbad\n',
    'one.json': '\n{\n"a": 1}',
    'packed.json.gz': gzipSync('\n{}')
  }
  const { objects } = inputOf(t, files)
  const found: [number, string][] = []
  for (const object of objects)
    await eachRecord(object, ({ number, bytes }) => found.push([number, String(bytes)]))
  t.same(found, [
    [2, '{"a":1}'],
    [3, 'bad'],
    [2, '{ "a": 1}'],
    [2, '{}']
  ])
})

t.test('gzip objects, small and large', async (t) => {
  // Random text, so that more than a MiB is left after compression and the file is read as a stream.
  const random = Array.from({ length: 60_000 }, () => `{"a":"${Math.random().toString(36)}${Math.random()}"}`)
  const large = gzipSync(random.join('\n'))
  t.ok(large.length > 1024 * 1024)
  const { spool, rejects, counts } = await siftFiles(t, {
    'small.json.gz': gzipSync('{"a":1}\nbad\n{"a":2}'),
    'SMALL.JSON.GZ': gzipSync('{"a":3}'),
    'large.json.gz': Buffer.concat([large, gzipSync('\nbad\n')]),
    'large.json': `${'{"a":"plain"}\n'.repeat(80_000)}\nbad`
  })
  t.equal(spool.length, 3 + 60_000 + 80_000)
  t.same(spool.slice(0, 4), [
    '{"o":1,"l":1,"r":{"a":1}}',
    '{"o":1,"l":3,"r":{"a":2}}',
    '{"o":2,"l":1,"r":{"a":3}}',
    `{"o":3,"l":1,"r":${random[0]}}`
  ])
  t.same(rejects, [
    [1, 2, 'malformed_json', 'bad'],
    [3, 60_001, 'malformed_json', 'bad'],
    [4, 80_002, 'malformed_json', 'bad']
  ])
  t.match(counts, { records: 140_003, rejected: 3 })
})

t.test('rejects beyond the limit are only counted', async (t) => {
  const { spool, rejects, counts } = await siftFiles(
    t,
    { 'a.json': 'bad\n'.repeat(5), 'b.json': 'bad\n{}' },
    { rejectLimit: 2 }
  )
  t.equal(rejects.length, 2)
  t.match(counts, { records: 1, rejected: 6 })
  t.same(spool, ['{"o":2,"l":2,"r":{}}'])
})

t.test('raw text is what can be stored: bounded, marked, without NUL', async (t) => {
  const raw = (bytes: string | Buffer, maxBytes: number, length?: number) => {
    const content = Buffer.from(bytes)
    return toRaw({ number: 1, bytes: content, length: length ?? content.length }, maxBytes)
  }
  t.same(raw('abc', 3), { raw: 'abc', raw_truncated: false })
  t.same(raw('abcd', 3), { raw: 'abc', raw_truncated: true })
  t.same(raw('abc', 10, 99), { raw: 'abc', raw_truncated: true }, 'cut when it was read')
  t.same(raw('a\0b', 10), { raw: 'a\ufffdb', raw_truncated: false })
  t.same(raw('\ufeffa', 10), { raw: '\ufeffa', raw_truncated: false }, 'a byte order mark shows')
  t.same(raw(Buffer.from([0x61, 0xff]), 10), { raw: 'a\ufffd', raw_truncated: false })
  for (const text of [
    'é'.repeat(100),
    '€'.repeat(100),
    '😀'.repeat(100),
    '\0'.repeat(100),
    'x'.repeat(100)
  ]) {
    for (const maxBytes of [50, 51, 52, 53]) {
      const cut = raw(text, maxBytes)
      const size = Buffer.byteLength(cut.raw)
      t.ok(size <= maxBytes && size > maxBytes * 0.8, `${size} of ${maxBytes} bytes`)
      t.ok(cut.raw_truncated)
    }
  }
})

t.test('an object that cannot be read is named', async (t) => {
  const { signal } = new AbortController()
  const siftOne = (name: string, content: string | Buffer, bytes?: number) => {
    const input = inputOf(t, { [name]: content })
    const [object] = input.objects
    if (object !== undefined && bytes !== undefined) object.bytes = bytes
    return { input, path: object?.path ?? '' }
  }
  const refuses = async ({ input, path }: ReturnType<typeof siftOne>, why: string) => {
    await t.rejects(
      sift(input, () => {}),
      { path, message: `${path}: ${why}` }
    )
    await t.rejects(
      siftInThread(input, () => {}, signal),
      {
        code: 'object_unreadable',
        status: 422,
        message: `${path}: ${why}. Repair or remove the object and start the job again.`
      }
    )
  }
  const cut = gzipSync('{"a":1}\n'.repeat(1000)).subarray(0, 30)
  await refuses(siftOne('plain.json.gz', '{"a":1}'), 'incorrect header check')
  await refuses(siftOne('cut.json.gz', cut), 'unexpected end of file')
  await refuses(siftOne('large.json.gz', cut, 2_000_000), 'unexpected end of file')
  const gone = siftOne('gone.json', '')
  unlinkSync(gone.path)
  await refuses(gone, `ENOENT: no such file or directory, open '${gone.path}'`)
})

t.test('in a thread', async (t) => {
  const { signal } = new AbortController()

  await t.test('the result is the same', async (t) => {
    const input = inputOf(t, { 'a.json': '{"a":1}\nbad' })
    const result = await siftInThread(input, () => {}, signal)
    t.match(result, { records: 1, rejected: 1, rejects: [{ object_no: 1, line_number: 2, raw: 'bad' }] })
    t.equal(readFileSync(input.spoolPath, 'utf8'), '{"o":1,"l":1,"r":{"a":1}}\n')
  })

  /** The same object again and again: work for seconds. */
  const longInput = (t: Test) => {
    const input = inputOf(t, { 'a.json': '{"a":1}\n'.repeat(40_000) })
    return { ...input, objects: Array.from({ length: 200 }, () => input.objects).flat() }
  }

  await t.test('progress is told, and aborting ends the thread', async (t) => {
    const stop = new AbortController()
    const reason = new Error('enough')
    const seen: SiftProgress[] = []
    const onProgress = (progress: SiftProgress) => {
      seen.push(progress)
      if (seen.length === 2) stop.abort(reason)
    }
    const input = longInput(t)
    await t.rejects(siftInThread(input, onProgress, stop.signal), reason)
    t.equal(seen.length, 2, 'nothing is told after the end')
    const [first, second] = seen
    t.ok(first && first.records > 0 && first.bytes === first.records * 8)
    t.ok(first && second && second.records > first.records)
    const size = statSync(input.spoolPath).size
    await new Promise((resolve) => setTimeout(resolve, 50))
    t.equal(statSync(input.spoolPath).size, size, 'nothing is written after the end')
  })

  await t.test('an aborted signal ends it before it begins', async (t) => {
    const reason = new Error('enough')
    await t.rejects(
      siftInThread(longInput(t), () => {}, AbortSignal.abort(reason)),
      reason
    )
  })

  await t.test('a spool without room is a full disk, not an unreadable object', async (t) => {
    if (!existsSync('/dev/full')) return t.plan(0, '/dev/full is not on this machine')
    const full = { code: 'disk_full', status: 507, message: /DATA_DIR has no room left/ }
    const small = inputOf(t, { 'a.json': '{"a":1}' }, { spoolPath: '/dev/full' })
    await t.rejects(
      siftInThread(small, () => {}, signal),
      full
    )
    await t.rejects(
      siftInThread({ ...longInput(t), spoolPath: '/dev/full' }, () => {}, signal),
      full
    )
  })

  await t.test('any other failure is told as it is', async (t) => {
    const input = inputOf(t, { 'a.json': '{"a":1}' })
    writeFileSync(`${input.spoolPath}-file`, '')
    await t.rejects(
      siftInThread({ ...input, spoolPath: `${input.spoolPath}-file/spool` }, () => {}, signal),
      { message: /^the sifting thread failed: ENOTDIR/ }
    )
  })
})
