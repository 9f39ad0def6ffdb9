/** Many small objects on Redshift: COPY reads a few, and the ledger tells of the originals. */
import { gunzipSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { event, type Json, lines, song } from '../records.ts'
import { BUCKET, buildOnRedshift, SCRATCH } from '../redshift-fixture.ts'

const service = await buildOnRedshift(t, { COMPACT_OBJECTS: '20' })
const { aws, redshift, request } = service
await service.prepareWarehouse()

/** Objects below the manifest prefix as they were when COPY read them. */
const placed = new Map<string, Buffer>()
aws.inject({
  ...{ service: 's3', operation: 'DeleteObjects', times: 100 },
  fault: {
    kind: 'hook',
    before: () => {
      for (const key of aws.s3.keys(SCRATCH)) placed.set(key, aws.s3.get(SCRATCH, key) ?? Buffer.alloc(0))
    }
  }
})

const load = async (params: Json = {}) =>
  (
    await request('POST', '/v1/jobs', {
      ...{ headers: { prefer: 'wait=60' }, body: { type: 'etl', ...params } }
    })
  ).body
const items = async (url: string) => (await request('GET', url)).body.items
const parts = () => [...placed.keys()].filter((key) => key.endsWith('.json.gz'))
const copies = () => redshift.statements.filter(({ text }) => /^copy load_(events|songs)/.test(text)).length

const songs = Object.fromEntries(
  Array.from({ length: 50 }, (_, index) => [
    `song_data/${String(index).padStart(3, '0')}.json`,
    // As in the real data without an end of the line, and some with it, or with lines in between.
    lines(song({ song_id: `S${index}`, title: `T${index}` })) + '\n'.repeat(index % 4)
  ])
)

t.test('small objects are read in few', async (t) => {
  service.put({ ...songs, 'log_data/a.json': lines(event(), event({ itemInSession: 1 })) })
  t.match(await load(), { status: 'succeeded', attempt: 1, result: { songs: { read: 50, loaded: 50 } } })
  t.equal(parts().length, 4)
  t.equal(copies(), 2, 'one for the songs, one for the log, which is alone')
  const records = parts().flatMap((key) =>
    gunzipSync(placed.get(key) as Buffer)
      .toString()
      .split('\n')
  )
  t.equal(records.filter((line) => line !== '').length, 50)
  const [manifest] = [...placed].filter(([key]) => key.endsWith('songs-gzip.manifest'))
  t.match(
    JSON.parse(String(manifest?.[1])).entries.map(({ url }: { url: string }) => url),
    [/songs-0.json.gz$/]
  )
  t.same(aws.s3.keys(SCRATCH), [], 'nothing is left')
  const objects = await items('/v1/loads/1/objects?limit=200')
  t.equal(objects.length, 51)
  t.match(objects.at(-1), { url: `s3://${BUCKET}/song_data/049.json`, etag: /^[0-9a-f]{32}$/ })
})

t.test('a reject has its place in the original', async (t) => {
  placed.clear()
  const changed = Object.fromEntries(
    Array.from({ length: 25 }, (_, index) => [
      `log_data/many/${String(index).padStart(2, '0')}.json`,
      [
        ...Array.from({ length: index % 3 }, (_, item) =>
          lines(event({ sessionId: 100 + index, itemInSession: item }))
        ),
        ...(index === 11 ? ['{"cut'] : []),
        // COPY accepts it, the contract does not.
        ...(index === 17 ? [lines(event({ sessionId: 300, ts: -1 }))] : []),
        lines(event({ sessionId: 200 + index }))
      ].join('\n')
    ])
  )
  const zipped = gzipSync(lines(event({ sessionId: 400 })))
  service.put({
    ...changed,
    'log_data/zipped.json.gz': zipped,
    'log_data/large.json': `${lines(event({ sessionId: 401 }))}${'\n'.repeat(1_100_000)}`
  })
  const records = 25 + 24 + 2
  t.match(await load({ max_rejects: 2 }), {
    status: 'succeeded',
    result: { events: { read: records + 2, loaded: records, rejected: 2 } }
  })
  t.ok(parts().length > 0 && parts().every((key) => /events-\d\.json\.gz$/.test(key)))
  const rejects = await items('/v1/rejects?load_id=2')
  t.match(
    rejects.map(({ url, line_number, code, raw }: Json) => ({ url, line_number, code, raw })),
    [
      { url: `s3://${BUCKET}/log_data/many/11.json`, line_number: 3, code: 'malformed_json', raw: '{"cut' },
      { url: `s3://${BUCKET}/log_data/many/17.json`, line_number: 3, code: 'out_of_range', raw: /"ts":-1/ }
    ]
  )
})

t.test('an object that changes meanwhile is noticed, and the next attempt lists anew', async (t) => {
  service.put(
    Object.fromEntries(Object.keys(songs).map((key, index) => [key, lines(song({ song_id: `R${index}` }))]))
  )
  const [key] = Object.keys(songs) as [string]
  aws.inject({
    ...{ service: 's3', operation: 'GetObject' },
    fault: {
      kind: 'hook',
      before: () => service.put({ [key]: lines(song({ song_id: 'R0', title: 'New' })) })
    }
  })
  t.match(await load(), { status: 'succeeded', attempt: 2, result: { songs: { read: 50, loaded: 50 } } })
  t.same(aws.s3.keys(SCRATCH), [], 'nothing is left of the first attempt either')
})

t.test('fewer are read as they are', async (t) => {
  placed.clear()
  service.put({
    'song_data/z1.json': lines(song({ song_id: 'Z1' })),
    'song_data/z2.json': lines(song({ song_id: 'Z2' }))
  })
  t.match(await load(), { status: 'succeeded', result: { songs: { loaded: 2 } } })
  t.same(parts(), [])
})
