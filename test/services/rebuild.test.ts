/** The star derived anew: what loads have made of it, whatever anybody has done to it since. */
import t from 'tap'
import { createRebuild } from '../../src/services/rebuild.ts'
import { parseSql } from '../../src/sql.ts'
import { type EtlFixture, fakeContext, openEtl } from '../etl-fixture.ts'
import { event, lines } from '../records.ts'
import { trapLoads } from '../trap-data.ts'

const star = async ({ rows }: EtlFixture) => ({
  songplays: await rows('select * from analytics.songplays order by all'),
  users: await rows('select * from analytics.users order by all'),
  songs: await rows('select * from analytics.songs order by all'),
  artists: await rows('select * from analytics.artists order by all'),
  time: await rows('select * from analytics.time order by all')
})

const etl = await openEtl(t)
for (const { files, params } of trapLoads) {
  etl.write(files)
  await etl.load({ params })
}
const { handler } = createRebuild(etl.warehouse)
const rebuild = (id: string, onStep?: (name: string) => void) =>
  handler.run(fakeContext({ id, ...(onStep && { onStep }) }, []))
const change = (sql: string) => etl.warehouse.run(parseSql('test', sql))
const before = await star(etl)

t.test('every row comes out as the loads have made it', async (t) => {
  t.match(await rebuild('job_a'), { load_id: '4', data_version: 4 })
  t.strictSame(await star(etl), before)
  const [row] = await etl.rows("select mode, objects, receipt from ops.loads where job_id = 'job_a'")
  t.strictSame(row?.slice(0, 2), ['rebuild', 0])
  const { tables, checks } = JSON.parse(String(row?.[2]))
  t.strictSame(tables['analytics.users'], {
    ...{ inserted: 0, updated: before.users.length, row_count: before.users.length }
  })
  t.ok(checks.length > 5)
})

t.test('what was changed by hand is as it should be again', async (t) => {
  await change('delete from analytics.users')
  await change("update analytics.songplays set song_id = 'S1'")
  await change('insert into analytics.songs select * from analytics.songs')
  await change('delete from analytics.time where hour > 12')
  await change("update analytics.artists set name = 'x'")
  await rebuild('job_b')
  t.strictSame(await star(etl), before)
})

t.test('an attempt after the one that was published finds it', async (t) => {
  const again = await rebuild('job_b')
  t.match(again, { load_id: '5', data_version: 5 })
  t.strictSame(await etl.rows("select count(*) from ops.loads where mode = 'rebuild'"), [[2]])
  t.strictSame(await handler.published?.('job_b', new AbortController().signal), again)
  t.equal(await handler.published?.('job_none', new AbortController().signal), undefined)
})

t.test('readers see the old rows until the new ones are there', async (t) => {
  const counts: unknown[] = []
  await rebuild('job_c', (step) => {
    if (step !== 'transform') counts.push(etl.rows('select count(*) from analytics.songplays'))
  })
  t.strictSame(await Promise.all(counts), Array(2).fill([[before.songplays.length]]))
})

t.test('loads go on from there', async (t) => {
  etl.write({ 'log_data/later.json': lines(event({ sessionId: 900, userId: '90' })) })
  t.match((await etl.load({ params: { max_rejects: 20 } })).result, { load_id: '7', events: { loaded: 1 } })
  t.equal((await star(etl)).songplays.length, before.songplays.length + 1)
})

t.test('what staging cannot give is not published', async (t) => {
  const now = await star(etl)
  await change('insert into staging.songs select * from staging.songs limit 1')
  await t.rejects(rebuild('job_d'), { code: 'receipt_mismatch', message: /song_id is unique/ })
  t.strictSame(await star(etl), now)
})
