/** The quality gate: a load that is unlike those before it is told of, or refused. */
import t, { type Test } from 'tap'
import { parseSql } from '../../src/sql.ts'
import { type EtlFixture, openEtl } from '../etl-fixture.ts'
import { event, type Json, lines, song } from '../records.ts'

let session = 0
const plays = (count: number, changes: (index: number) => Json = () => ({})) =>
  lines(
    ...Array.from({ length: count }, (_, index) =>
      event({
        sessionId: session,
        itemInSession: index,
        ts: 1541106000796 + session * 1000,
        ...changes(index)
      })
    )
  )

/** A warehouse after so many loads of 200 plays, a tenth of them without a location; all but one are in the ledger alone. */
async function afterLoads(t: Test, env: Record<string, string> = {}, loads = 3): Promise<EtlFixture> {
  const etl = await openEtl(t, { env })
  etl.write({ 'song_data/a.json': lines(song()) })
  await add(etl, 200)
  const again = `insert into ops.loads select load_id + :place, job_id || :place, * exclude (load_id, job_id)
    from ops.loads where load_id = 1`
  for (let place = 1; place < loads; place += 1) await etl.warehouse.run(parseSql('test', again), { place })
  return etl
}

const tenth = (index: number) => ({ location: index % 10 === 0 ? '' : 'Oslo' })

async function add(etl: EtlFixture, count: number, changes: (index: number) => Json = tenth) {
  session += 1
  etl.write({ [`log_data/${session}.json`]: plays(count, changes) })
  return etl.load()
}

async function receipt({ rows }: EtlFixture) {
  const [[text] = []] = await rows('select receipt from ops.loads order by load_id desc limit 1')
  const { checks, measures } = JSON.parse(String(text))
  return { measures, warnings: checks.filter(({ status }: { status: string }) => status === 'warning') }
}

t.test('the receipt tells what the rows look like', async (t) => {
  const etl = await afterLoads(t)
  const { measures, warnings } = await receipt(etl)
  t.strictSame(measures, {
    ...{ plays: 200, plays_without_level: 0, plays_without_location: 20, plays_without_user_agent: 0 },
    ...{ plays_without_duration: 0, plays_without_song: 0 },
    ...{ songs: 1, songs_without_year: 0, songs_without_duration: 0, songs_without_artist_location: 1 }
  })
  t.strictSame(warnings, [])
})

t.test('what is far from the loads before is a warning', async (t) => {
  const etl = await afterLoads(t)
  await add(etl, 200, (index) => ({ location: index % 3 === 0 ? '' : 'Oslo' }))
  t.strictSame(
    (await receipt(etl)).warnings,
    [
      {
        ...{ name: 'plays without location', status: 'warning', violations: 1 },
        detail: '33.5 % now, 10 % to 10 % in the loads before'
      }
    ],
    'more than 20 points'
  )
  await add(etl, 200, (index) => ({ location: index % 3 === 0 ? '' : 'Oslo' }))
  t.strictSame((await receipt(etl)).warnings, [], 'what was before is what it is compared with')
  await add(etl, 19)
  t.match((await receipt(etl)).warnings, [
    { name: 'rows of plays', detail: '19 now, 200 to 200 in the loads before' }
  ])
  await add(etl, 200, (index) => ({ ...tenth(index), song: 'Nobody knows' }))
  t.match((await receipt(etl)).warnings, [{ name: 'plays without song' }])
  await add(etl, 2001)
  t.match((await receipt(etl)).warnings, [{ name: 'rows of plays', detail: /^2001 now, 19 to 200/ }])
})

t.test('what tells nothing is no warning', async (t) => {
  const young = await afterLoads(t, {}, 2)
  await add(young, 1)
  t.strictSame((await receipt(young)).warnings, [], 'two loads are no past')
  const etl = await afterLoads(t)
  await etl.load()
  t.strictSame((await receipt(etl)).warnings, [], 'nothing was new')
  await add(etl, 50, () => ({ location: '' }))
  t.strictSame((await receipt(etl)).warnings, [], 'shares of few rows')
  await etl.load({ params: { mode: 'full' } })
  t.strictSame((await receipt(etl)).warnings, [], 'a full load is everything at once')
})

t.test('by setting it fails the load, and nothing is published', async (t) => {
  const etl = await afterLoads(t, { QUALITY_GATE: 'fail', QUALITY_MAX_FACTOR: '2' })
  await t.rejects(add(etl, 401), {
    ...{ code: 'unlike_past_loads', kind: 'data', status: 422 },
    message: /rows of plays: 401 now, 200 to 200 in the loads before\. Repair the objects; or/
  })
  t.strictSame(await etl.rows('select count(*) from ops.loads'), [[3]])
  t.strictSame(await etl.rows('select count(*) from staging.events'), [[200]])
  t.strictSame(await etl.rows('select count(*) from ops.loaded_objects'), [[2]])
})

t.test('the bounds, and the gate itself, are settings', async (t) => {
  const loose = await afterLoads(t, { QUALITY_MAX_DRIFT: '30', QUALITY_MAX_FACTOR: '1000' })
  await add(loose, 200, (index) => ({ location: index % 3 === 0 ? '' : 'Oslo' }))
  await add(loose, 3000)
  t.strictSame((await receipt(loose)).warnings, [])
  const open = await afterLoads(t, { QUALITY_GATE: 'off' })
  await add(open, 3000, () => ({ location: '' }))
  t.strictSame((await receipt(open)).warnings, [])
})
