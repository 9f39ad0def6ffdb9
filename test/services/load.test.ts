/** What a load refuses to publish. */
import { join } from 'node:path'
import t from 'tap'
import { openLocalSource } from '../../src/sources/local.ts'
import { parseSql } from '../../src/sql.ts'
import { openEtl } from '../etl-fixture.ts'
import { event, lines, song } from '../records.ts'

const files = { 'song_data/a.json': lines(song()), 'log_data/a.json': lines(event()) }
const countLoads = 'select count(*) from ops.loads'
const countPlays = 'select count(*) from analytics.songplays'

t.test('objects that another service published meanwhile are not loaded again', async (t) => {
  const { write, load, rows, warehouse, directory } = await openEtl(t)
  write(files)
  const source = await openLocalSource(join(directory, 'log_data'), [directory])
  const { objects } = await source.list(new AbortController().signal)
  const insert = parseSql(
    'test',
    "insert into ops.loaded_objects (load_id, kind, url, etag, bytes) values (1, 'events', :url, :etag, 1)"
  )
  // After this load has seen that they are new, and before it takes the lock.
  const onStep = async (name: string) => {
    if (name === 'transform') await warehouse.run(insert, { url: objects[0]?.url, etag: objects[0]?.etag })
  }
  await t.rejects(load({ onStep }), {
    ...{ code: 'ledger_moved', kind: 'transient', status: 409 },
    message: '1 objects were published by another load meanwhile.'
  })
  t.strictSame(await rows(countLoads), [[0]])
  t.strictSame(await rows(countPlays), [[0]])
})

t.test('a load that does not add up publishes nothing', async (t) => {
  const { write, load, rows, warehouse } = await openEtl(t)
  write(files)
  await load()
  // Redshift enforces no keys: what must never happen can.
  await warehouse.run(parseSql('test', 'insert into analytics.songs select * from analytics.songs'))
  write({ 'log_data/b.json': lines(event({ itemInSession: 1 })) })
  await t.rejects(load(), {
    ...{ code: 'receipt_mismatch', kind: 'internal', status: 500 },
    message: 'Nothing was published, because this does not hold: song_id is unique (1 violations)'
  })
  t.strictSame(await rows(countLoads), [[1]])
  t.strictSame(await rows(countPlays), [[1]], 'the new play is not there')
})
