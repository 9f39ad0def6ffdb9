import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client
} from '@aws-sdk/client-s3'
import t, { type Test } from 'tap'
import { createClients, refuses, startAws, type TestAws } from './fixture.ts'

const Bucket = 'dend'
const Key = 'log_data/2018/11/a b+ü&.json'
const etag = (body: string) => `"${createHash('md5').update(body).digest('hex')}"`
const get = ({ s3 }: { s3: S3Client }, input: Partial<GetObjectCommandInput> = {}) =>
  s3.send(new GetObjectCommand({ Bucket, Key, ...input }))
const text = async (reply: ReturnType<typeof get>) => (await reply).Body?.transformToString()
const put = ({ s3 }: TestAws, Body: PutObjectCommandInput['Body'], input = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...input }))

async function startWithBucket(t: Test): Promise<TestAws> {
  const aws = await startAws(t)
  aws.emulator.s3.createBucket(Bucket)
  return aws
}

/** A client that signs nothing. */
const anonymous = (t: Test, { emulator }: TestAws) =>
  createClients(t, emulator, { signer: { sign: async (request: object) => request } })

t.test('an object is put, looked at, read and deleted', async (t) => {
  const aws = await startWithBucket(t)
  const body = '{"page":"NextSong"}\n'
  const stored = await put(aws, body, { ContentType: 'application/json', Metadata: { load: '7' } })
  t.equal(stored.ETag, etag(body))
  const head = await aws.s3.send(new HeadObjectCommand({ Bucket, Key }))
  t.match(head, {
    ContentLength: body.length,
    ETag: etag(body),
    ContentType: 'application/json',
    Metadata: { load: '7' },
    LastModified: new Date('2026-01-02T03:04:05Z')
  })
  t.equal(await text(get(aws)), body)
  t.equal(aws.emulator.s3.get(Bucket, Key)?.toString(), body)
  t.same(aws.emulator.state.objects, { dend: [Key] })
  await aws.s3.send(new DeleteObjectCommand({ Bucket, Key }))
  await aws.s3.send(new DeleteObjectCommand({ Bucket, Key }))
  await refuses(t, get(aws), { name: 'NoSuchKey', status: 404, message: 'The specified key does not exist.' })
  await refuses(t, aws.s3.send(new HeadObjectCommand({ Bucket, Key })), { name: 'NotFound', status: 404 })
})

t.test('bodies of every kind arrive whole', async (t) => {
  const aws = await startWithBucket(t)
  await put(aws, '')
  t.equal((await get(aws)).ContentLength, 0)
  const large = Buffer.alloc(300_000, 'abc')
  await put(aws, large)
  t.ok(large.equals(aws.emulator.s3.get(Bucket, Key) ?? Buffer.alloc(0)))
  // A stream is sent in aws-chunked encoding, with its checksum behind it.
  await put(aws, Readable.from([large.subarray(0, 100_000), large.subarray(100_000)]), {
    ContentLength: large.length
  })
  t.ok(large.equals(aws.emulator.s3.get(Bucket, Key) ?? Buffer.alloc(0)))
  await put(aws, 'x', { ChecksumAlgorithm: 'SHA256' })
  const { ChecksumSHA256 } = await get(aws, { ChecksumMode: 'ENABLED' })
  t.equal(ChecksumSHA256, createHash('sha256').update('x').digest('base64'))
})

t.test('ranges', async (t) => {
  const aws = await startWithBucket(t)
  await put(aws, '0123456789')
  const range = async (Range: string) => {
    const reply = await get(aws, { Range })
    return [reply.$metadata.httpStatusCode, reply.ContentRange, await reply.Body?.transformToString()]
  }
  t.same(await range('bytes=2-4'), [206, 'bytes 2-4/10', '234'])
  t.same(await range('bytes=7-'), [206, 'bytes 7-9/10', '789'])
  t.same(await range('bytes=-3'), [206, 'bytes 7-9/10', '789'])
  t.same(await range('bytes=8-99'), [206, 'bytes 8-9/10', '89'])
  t.same(await range('lines=1-2'), [200, undefined, '0123456789'])
  t.same(await range('bytes=4-2'), [200, undefined, '0123456789'])
  await refuses(t, range('bytes=10-'), { name: 'InvalidRange', status: 416 })
})

t.test('conditions', async (t) => {
  const aws = await startWithBucket(t)
  await put(aws, 'one')
  const before = new Date('2026-01-02T03:04:04Z')
  const failed = { name: 'PreconditionFailed', status: 412 }
  // An answer without a body: the SDK knows no name for it.
  const notModified = { name: 'Unknown', status: 304 }
  t.equal(await text(get(aws, { IfMatch: etag('one') })), 'one')
  await refuses(t, get(aws, { IfMatch: etag('two') }), failed, 'IfMatch')
  await refuses(t, get(aws, { IfUnmodifiedSince: before }), failed, 'IfUnmodifiedSince')
  await refuses(t, get(aws, { IfNoneMatch: etag('one') }), notModified)
  await refuses(t, get(aws, { IfModifiedSince: new Date('2026-01-02T03:04:05Z') }), notModified)
  t.equal(await text(get(aws, { IfModifiedSince: before, IfNoneMatch: etag('two') })), 'one')
  await refuses(t, put(aws, 'two', { IfNoneMatch: '*' }), failed, 'put IfNoneMatch')
  await refuses(t, put(aws, 'two', { IfMatch: etag('two') }), failed, 'put IfMatch')
  await refuses(t, put(aws, 'two', { Key: 'new', IfMatch: etag('two') }), { name: 'NoSuchKey' })
  t.equal(await text(get(aws)), 'one')
  await put(aws, 'two', { IfMatch: etag('one') })
  t.equal(await text(get(aws)), 'two')
})

t.test('what is damaged or not there is refused', async (t) => {
  const aws = await startWithBucket(t)
  const refused: [title: string, name: string, status: number, call: Promise<unknown>][] = [
    ['bucket', 'NoSuchBucket', 404, get(aws, { Bucket: 'none' })],
    ['MD5', 'BadDigest', 400, put(aws, 'x', { ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' })],
    ['CRC32', 'BadDigest', 400, put(aws, 'x', { ChecksumCRC32: 'AAAAAA==' })],
    ['key', 'KeyTooLongError', 400, put(aws, 'x', { Key: 'k'.repeat(1025) })],
    ['copy', 'NotImplemented', 501, aws.s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: 'a/b' }))]
  ]
  await Promise.all(refused.map(([title, name, status, call]) => refuses(t, call, { name, status }, title)))
  t.same(aws.emulator.s3.keys(Bucket), [])
  const { s3: store } = aws.emulator
  t.same([store.regionOf(Bucket), store.regionOf('none')], ['us-west-2', undefined])
  t.same([store.keys('none'), store.get('none', Key)], [[], undefined])
  const unsigned = await fetch(`${aws.emulator.url}/${Bucket}?delete`, { method: 'POST', body: '' })
  t.equal(unsigned.status, 403)
})

t.test('what the headers say has to be so', async (t) => {
  const aws = await startWithBucket(t)
  /** A client that changes its headers before it signs them. */
  const changing = (change: (headers: Record<string, string>) => void) => {
    const clients = createClients(t, aws.emulator)
    clients.s3.middlewareStack.add(
      (next) => (args) => {
        change((args.request as { headers: Record<string, string> }).headers)
        return next(args)
      },
      { step: 'build', priority: 'low' }
    )
    return { ...aws, ...clients }
  }
  const lying = changing((headers) => {
    headers['x-amz-content-sha256'] = '0'.repeat(64)
  })
  await refuses(t, put(lying, 'x'), { name: 'XAmzContentSHA256Mismatch', status: 400 })
  const silent = changing((headers) => {
    delete headers['x-amz-checksum-crc32']
  })
  const remove = new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } })
  await refuses(t, silent.s3.send(remove), { name: 'InvalidRequest', message: /Content-MD5/ })
  const cut = changing((headers) => {
    headers['x-amz-decoded-content-length'] = '9'
  })
  const body = Readable.from([Buffer.from('x')])
  await refuses(t, put(cut, body, { ContentLength: 1 }), { name: 'IncompleteBody', status: 400 })
})

t.test('many objects are deleted at once', async (t) => {
  const aws = await startWithBucket(t)
  for (const key of ['a&b', 'c', 'd']) aws.emulator.s3.put(Bucket, key, '')
  const remove = (Quiet: boolean, ...keys: string[]) =>
    aws.s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Quiet, Objects: keys.map((one) => ({ Key: one })) } })
    )
  t.same((await remove(false, 'a&b', 'none')).Deleted, [{ Key: 'a&b' }, { Key: 'none' }])
  t.same((await remove(true, 'c')).Deleted ?? [], [])
  t.same(aws.emulator.s3.keys(Bucket), ['d'])
  await refuses(t, remove(false), { name: 'MalformedXML' })
  await refuses(t, remove(false, ...Array(1001).fill('x')), { name: 'MalformedXML' })
})

t.test('who may read and write which bucket', async (t) => {
  const aws = await startWithBucket(t)
  const { s3: store } = aws.emulator
  store.createBucket('udacity-dend', { isPublic: true, isOurs: false })
  store.createBucket('theirs', { isOurs: false })
  for (const bucket of [Bucket, 'udacity-dend', 'theirs']) store.put(bucket, Key, 'x')
  const nobody = anonymous(t, aws)
  const denied = { name: 'AccessDenied', status: 403 }
  await refuses(t, get(nobody), denied, 'anonymous, private')
  await refuses(t, get(aws, { Bucket: 'theirs' }), denied, "signed, another account's")
  t.equal(await text(get(nobody, { Bucket: 'udacity-dend' })), 'x')
  t.equal(await text(get(aws, { Bucket: 'udacity-dend' })), 'x')
  await refuses(t, put(aws, 'y', { Bucket: 'udacity-dend' }), denied, "write to another account's")
  const wrong = createClients(t, aws.emulator, {
    credentials: { ...aws.emulator.client.credentials, secretAccessKey: 'wrong' }
  })
  await refuses(t, get(wrong), { name: 'SignatureDoesNotMatch', status: 403 })
  const unknown = createClients(t, aws.emulator, {
    credentials: { accessKeyId: 'AKIAUNKNOWN', secretAccessKey: 'x' }
  })
  await refuses(t, get(unknown), { name: 'InvalidAccessKeyId', status: 403 })
})

t.test('a bucket answers in its region only', async (t) => {
  const aws = await startWithBucket(t)
  aws.emulator.s3.createBucket('east', { region: 'us-east-1' })
  aws.emulator.s3.put('east', Key, 'x')
  await refuses(t, get(aws, { Bucket: 'east' }), { name: 'PermanentRedirect', status: 301 })
  const east = createClients(t, aws.emulator, { region: 'us-east-1' })
  t.equal(await text(get(east, { Bucket: 'east' })), 'x')
  t.equal((await aws.s3.send(new HeadBucketCommand({ Bucket }))).BucketRegion, 'us-west-2')
  const location = await aws.s3.send(new GetBucketLocationCommand({ Bucket }))
  t.equal(location.LocationConstraint, 'us-west-2')
  await refuses(t, aws.s3.send(new HeadBucketCommand({ Bucket: 'none' })), { name: 'NotFound', status: 404 })
  const following = createClients(t, aws.emulator, { followRegionRedirects: true, maxAttempts: 2 })
  t.equal(await text(get(following, { Bucket: 'east' })), 'x', 'the redirect says where to go')
})
