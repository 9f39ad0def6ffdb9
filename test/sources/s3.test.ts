/** Objects of S3 on their way to the embedded engine: over real sockets, from an emulator that signs, refuses and breaks off. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { createAwsClients } from '../../src/cloud/aws-clients.ts'
import { openS3Source } from '../../src/sources/s3.ts'
import type { SourceObject } from '../../src/sources/source.ts'
import { startAwsEmulator } from '../emulators/aws.ts'
import { temporaryDirectory } from '../files.ts'
import { build } from '../helper.ts'
import { event, lines, song } from '../records.ts'

const BUCKET = 'music'
const { signal } = new AbortController()

async function openSource(t: Test, options: { isPublic?: boolean; anonymous?: boolean } = {}) {
  const aws = await startAwsEmulator()
  t.teardown(() => aws.close())
  aws.s3.createBucket(BUCKET, { isPublic: options.isPublic ?? false, isOurs: !options.isPublic })
  const clients = createAwsClients({
    region: aws.region,
    endpoint: aws.url,
    ...(options.anonymous ? { anonymousSource: true } : { credentials: aws.client.credentials }),
    maxAttempts: 1
  })
  t.teardown(() => clients.close())
  const url = `s3://${BUCKET}/data/`
  const spool = join(temporaryDirectory(t), 'spool')
  mkdirSync(spool)
  const source = openS3Source(clients.s3, url, [url])
  return {
    ...{ aws, source, spool },
    put: (key: string, content: string | Buffer) => aws.s3.put(BUCKET, `data/${key}`, content),
    list: async () => (await source.list(signal)).objects,
    fetch: (object: SourceObject, stop: AbortSignal = signal) => source.fetch(object, spool, stop),
    gets: () => aws.calls.filter(({ operation }) => operation === 'GetObject')
  }
}

const large = Buffer.alloc(3_000_000, 'sparkify ')

t.test('every object comes whole, whatever its name', async (t) => {
  const { put, list, fetch, spool } = await openSource(t)
  const contents = new Map<string, string | Buffer>([
    ['plain.json', lines(event())],
    ['zipped.json.gz', gzipSync(lines(event()))],
    [`${'long/'.repeat(100)}a b%2F#é*?[x].json`, large],
    ['empty.json', '']
  ])
  for (const [key, content] of contents) put(key, content)
  for (const object of await list()) {
    const path = await fetch(object)
    const key = object.url.slice(`s3://${BUCKET}/data/`.length)
    t.ok(readFileSync(path).equals(Buffer.from(contents.get(key) ?? 'none')), key)
    t.equal(path.endsWith('.gz'), key.endsWith('.gz'), 'the name tells how to read it')
  }
  t.equal(readdirSync(spool).length, contents.size)
})

t.test('a download that breaks off goes on where it was', async (t) => {
  const { aws, put, list, fetch, gets } = await openSource(t)
  put('large.json', large)
  aws.inject({ operation: 'GetObject', times: 2, fault: { kind: 'cut-body' } })
  aws.inject({ operation: 'GetObject', after: 1, times: 1, fault: { kind: 'http', status: 503 } })
  const [object] = await list()
  t.ok(readFileSync(await fetch(object as SourceObject)).equals(large))
  t.ok(gets().length >= 3)
  t.match(gets().at(-1)?.headers.range, /^bytes=\d+-$/, 'what is there is not read again')
  t.ok(gets().every(({ headers }) => headers['if-match'] === `"${object?.etag}"`))
})

t.test('an object that changes, or goes, is noticed', async (t) => {
  const { aws, put, list, fetch } = await openSource(t)
  put('a.json', large)
  const [listed] = (await list()) as [SourceObject]
  put('a.json', Buffer.concat([large, large]))
  await t.rejects(fetch(listed), { code: 'object_changed', kind: 'transient' }, 'before')

  const [again] = (await list()) as [SourceObject]
  aws.inject({ operation: 'GetObject', fault: { kind: 'cut-body' } })
  aws.inject({
    ...{ operation: 'GetObject', after: 1 },
    fault: { kind: 'hook', before: () => put('a.json', large) }
  })
  await t.rejects(fetch(again), { code: 'object_changed' }, 'while it is read')

  const [last] = (await list()) as [SourceObject]
  aws.s3.delete(BUCKET, 'data/a.json')
  await t.rejects(fetch(last), { code: 'object_changed' }, 'gone')

  const other = Buffer.alloc(large.length, 'otherwise ')
  for (const content of [large, other]) {
    put('b.json', content)
    const [object] = (await list()) as [SourceObject]
    t.ok(readFileSync(await fetch(object)).equals(content), 'of two versions of one size each is itself')
  }
})

t.test('what stays broken is given up, and what is refused is not tried again', async (t) => {
  const { aws, put, list, fetch, gets } = await openSource(t)
  put('a.json', 'x')
  const [object] = (await list()) as [SourceObject]
  const silence = aws.inject({ operation: 'GetObject', times: 100, fault: { kind: 'refused' } })
  await t.rejects(fetch(object), { code: 'source_unavailable', kind: 'transient' })
  t.equal(silence.hits, 5)
  silence.remove()
  const before = gets().length
  aws.inject({ operation: 'GetObject', fault: { kind: 'access-denied' } })
  await t.rejects(fetch(object), { code: 'source_access_denied' })
  t.equal(gets().length - before, 1)
  await t.rejects(fetch(object, AbortSignal.abort(new Error('stopped'))), { message: 'stopped' })
})

t.test('a public bucket needs no credentials, and gets none', async (t) => {
  const signed = await openSource(t)
  signed.put('a.json', 'x')
  const { put, list, fetch, aws } = await openSource(t, { isPublic: true, anonymous: true })
  put('a.json', 'x')
  const [object] = (await list()) as [SourceObject]
  t.equal(readFileSync(await fetch(object), 'utf8'), 'x')
  t.ok(aws.calls.length > 1)
  for (const { headers } of aws.calls) t.equal(headers.authorization, undefined)
})

t.test('the embedded engine loads from S3, each object once', async (t) => {
  const aws = await startAwsEmulator()
  t.teardown(() => aws.close())
  aws.s3.createBucket(BUCKET)
  for (let day = 1; day <= 40; day += 1) {
    const body = lines(event({ sessionId: day }), event({ sessionId: day, itemInSession: 1 }))
    aws.s3.put(BUCKET, `logs/${day}.json${day % 2 ? '.gz' : ''}`, day % 2 ? gzipSync(body) : body)
    aws.s3.put(BUCKET, `songs/${day}.json`, lines(song({ song_id: `S${day}` })))
  }
  Object.assign(process.env, aws.env)
  const service = await build(t, { SONG_DATA: `s3://${BUCKET}/songs`, LOG_DATA: `s3://${BUCKET}/logs` })
  await service.prepareWarehouse()
  const load = async () =>
    (
      await service.request('POST', '/v1/jobs', {
        ...{ headers: { prefer: 'wait=60' }, body: { type: 'etl' } }
      })
    ).body
  aws.inject({ operation: 'GetObject', times: 7, fault: { kind: 'cut-body' } })
  t.match(await load(), {
    ...{ status: 'succeeded', attempt: 1 },
    result: { events: { read: 80, loaded: 80 }, songs: { read: 40, loaded: 40 } }
  })
  t.same(readdirSync(join(service.config.DATA_DIR, 'spool')), [], 'nothing is left in the spool')
  t.match(await load(), { result: { events: { read: 0 }, songs: { read: 0 } } })
})
