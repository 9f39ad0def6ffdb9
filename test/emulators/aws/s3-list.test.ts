import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  paginateListObjectsV2,
  type S3Client
} from '@aws-sdk/client-s3'
import t from 'tap'
import { createClients, refuses, startAws, type TestAws } from './fixture.ts'

const Bucket = 'dend'
const list = ({ s3 }: { s3: S3Client }, input: Partial<ListObjectsV2CommandInput> = {}) =>
  s3.send(new ListObjectsV2Command({ Bucket, ...input }))
const keys = async (aws: { s3: S3Client }, input: Partial<ListObjectsV2CommandInput> = {}) =>
  (await list(aws, input)).Contents?.map(({ Key }) => Key) ?? []

async function allKeys({ s3 }: TestAws, input: Partial<ListObjectsV2CommandInput>) {
  const pages: string[][] = []
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket, ...input })) {
    const prefixes = page.CommonPrefixes?.map(({ Prefix }) => Prefix ?? '') ?? []
    pages.push([...(page.Contents?.map(({ Key }) => Key ?? '') ?? []), ...prefixes])
  }
  return pages
}

t.test('objects are listed by prefix, in the order of their bytes', async (t) => {
  const aws = await startAws(t)
  const { s3: store } = aws.emulator
  // U+1D11E sorts before U+FF5E by UTF-16, after it by UTF-8.
  for (const key of ['b', 'a/2', 'a/10', 'a', 'Z', 'a/\u{1D11E}', 'a/\uFF5E']) store.put(Bucket, key, key)
  t.same(await keys(aws), ['Z', 'a', 'a/10', 'a/2', 'a/\uFF5E', 'a/\u{1D11E}', 'b'])
  t.same(await keys(aws, { Prefix: 'a/1' }), ['a/10'])
  t.same(await keys(aws, { StartAfter: 'a/2' }), ['a/\uFF5E', 'a/\u{1D11E}', 'b'])
  const none = await list(aws, { Prefix: 'none/' })
  t.match(none, { KeyCount: 0, IsTruncated: false, Prefix: 'none/', Name: Bucket, MaxKeys: 1000 })
  const { Contents } = await list(aws, { Prefix: 'b' })
  t.same(Contents, [
    {
      Key: 'b',
      ETag: '"92eb5ffee6ae2fec3ad71c777531578f"',
      Size: 1,
      LastModified: new Date('2026-01-02T03:04:05Z'),
      StorageClass: 'STANDARD'
    }
  ])
})

t.test('long lists come in pages', async (t) => {
  const aws = await startAws(t)
  const expected = Array.from({ length: 1001 }, (_, index) => `k/${String(index).padStart(4, '0')}`)
  for (const key of expected) aws.emulator.s3.put(Bucket, key, '')
  const pages = await allKeys(aws, {})
  t.same(
    pages.map(({ length }) => length),
    [1000, 1]
  )
  t.same(pages.flat(), expected)
  const small = await allKeys(aws, { MaxKeys: 2, Prefix: 'k/000' })
  t.same(
    small.map(({ length }) => length),
    [2, 2, 2, 2, 2]
  )
  t.equal((await list(aws, { MaxKeys: 5000 })).KeyCount, 1000, 'never more than 1000')
  t.match(await list(aws, { MaxKeys: 0 }), { KeyCount: 0, IsTruncated: false })
  await refuses(t, list(aws, { ContinuationToken: 'mine' }), { name: 'InvalidArgument', status: 400 })
  await refuses(t, list(aws, { MaxKeys: -1 }), { name: 'InvalidArgument' })
  await refuses(t, list(aws, { Bucket: 'none' }), { name: 'NoSuchBucket', status: 404 })
})

t.test('what shares a prefix up to the delimiter is one entry, across pages too', async (t) => {
  const aws = await startAws(t)
  for (const key of ['a/1', 'a/2', 'b', 'c/1', 'c/2', 'd/e/1']) aws.emulator.s3.put(Bucket, key, '')
  const { Contents, CommonPrefixes, KeyCount } = await list(aws, { Delimiter: '/' })
  t.same(
    Contents?.map(({ Key }) => Key),
    ['b']
  )
  t.same(
    CommonPrefixes?.map(({ Prefix }) => Prefix),
    ['a/', 'c/', 'd/']
  )
  t.equal(KeyCount, 4)
  t.same(await allKeys(aws, { Delimiter: '/', MaxKeys: 1 }), [['a/'], ['b'], ['c/'], ['d/']])
  t.same(await allKeys(aws, { Delimiter: '/', Prefix: 'd/' }), [['d/e/']])
  const later = await list(aws, { Delimiter: '/', StartAfter: 'c/1' })
  t.same(later.CommonPrefixes, [{ Prefix: 'c/' }, { Prefix: 'd/' }], 'c/2 comes after c/1')
})

t.test('keys can be had URL-encoded', async (t) => {
  const aws = await startAws(t)
  aws.emulator.s3.put(Bucket, 'log data/a+b\u0001ü.json', '')
  const found = await list(aws, { EncodingType: 'url', Prefix: 'log data/' })
  t.match(found, {
    EncodingType: 'url',
    Prefix: 'log%20data/',
    Contents: [{ Key: 'log%20data/a%2Bb%01%C3%BC.json' }]
  })
  const input = { EncodingType: 'base64' } as unknown as ListObjectsV2CommandInput
  await refuses(t, list(aws, input), { name: 'InvalidArgument' })
})

t.test('a bucket can be a directory', async (t) => {
  const aws = await startAws(t)
  const { s3: store } = aws.emulator
  const directory = join(t.testdir({ song_data: { A: { 'one.json': '1', 'two.json': '22' } } }))
  store.createBucket('songs', { directory, isPublic: true, isOurs: true })
  const at = { Bucket: 'songs' }
  t.same(await keys(aws, { ...at, Prefix: 'song_data/' }), ['song_data/A/one.json', 'song_data/A/two.json'])
  const read = async (Key: string) => {
    const { Body, ETag } = await aws.s3.send(new GetObjectCommand({ ...at, Key }))
    return [await Body?.transformToString(), ETag]
  }
  t.same(await read('song_data/A/one.json'), ['1', '"c4ca4238a0b923820dcc509a6f75849b"'])
  mkdirSync(join(directory, 'new'))
  writeFileSync(join(directory, 'new', 'three.json'), '3')
  writeFileSync(join(directory, 'song_data', 'A', 'one.json'), 'changed')
  t.same(await keys(aws, { ...at, Prefix: 'new/' }), ['new/three.json'])
  t.equal((await read('song_data/A/one.json'))[0], 'changed')
  store.put('songs', 'new/three.json', 'in memory')
  t.equal((await read('new/three.json'))[0], 'in memory')
  await aws.s3.send(new DeleteObjectCommand({ ...at, Key: 'song_data/A/two.json' }))
  t.same(await keys(aws, at), ['new/three.json', 'song_data/A/one.json'])
  for (const Key of ['../secret', 'song_data/../song_data/A/one.json', 'song_data', 'song_data/A/two.json']) {
    const head = aws.s3.send(new HeadObjectCommand({ ...at, Key }))
    await refuses(t, head, { name: 'NotFound', status: 404 }, Key)
  }
})

t.test('public buckets are listed without a signature', async (t) => {
  const aws = await startAws(t)
  aws.emulator.s3.createBucket(Bucket, { isPublic: true, isOurs: false })
  aws.emulator.s3.put(Bucket, 'a', '')
  const { s3 } = createClients(t, aws.emulator, { signer: { sign: async (request: object) => request } })
  t.same(await keys({ s3 }), ['a'])
  aws.emulator.s3.createBucket('private')
  await refuses(t, list({ s3 }, { Bucket: 'private' }), { name: 'AccessDenied', status: 403 })
})

t.test('an object can change between list and get', async (t) => {
  const aws = await startAws(t)
  aws.emulator.s3.put(Bucket, 'a', 'old')
  aws.emulator.inject({
    service: 's3',
    operation: 'ListObjectsV2',
    fault: { kind: 'hook', after: () => aws.emulator.s3.put(Bucket, 'a', 'new') }
  })
  const { Contents } = await list(aws)
  const get = new GetObjectCommand({ Bucket, Key: 'a', IfMatch: Contents?.[0]?.ETag })
  await refuses(t, aws.s3.send(get), { name: 'PreconditionFailed', status: 412 })
})

t.test('memory is bounded', async (t) => {
  const aws = await startAws(t, { maxObjectBytes: 10 })
  aws.emulator.s3.put(Bucket, 'a', '0123456789')
  t.throws(() => aws.emulator.s3.put(Bucket, 'b', '0'), /more than 10 bytes/)
  aws.emulator.s3.put(Bucket, 'a', '01234')
  aws.emulator.s3.put(Bucket, 'b', '01234')
  aws.emulator.s3.delete(Bucket, 'a')
  aws.emulator.s3.put(Bucket, 'c', '01234')
  t.same(aws.emulator.s3.keys(Bucket), ['b', 'c'])
})
