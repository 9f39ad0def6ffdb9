/** Readers while a load publishes: the old state or the new one, never a mix, never an empty table. */
import t from 'tap'
import { parseSql } from '../../src/sql.ts'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'
import { openEtl } from '../etl-fixture.ts'
import { event, type Json, lines, song } from '../records.ts'
import { buildOnRedshift } from '../redshift-fixture.ts'
import type { Files } from '../trap-data.ts'

interface Side {
  warehouse: Warehouse
  put(files: Files): void
  load(params?: Json): Promise<unknown>
}

const look = parseSql(
  'test',
  `select
    (select count(*) from staging.events) as events,
    (select count(*) from analytics.songplays) as plays,
    (select count(song_id) from analytics.songplays) as matched,
    (select count(*) from analytics.users) as users,
    (select count(*) from analytics.time) as moments,
    (select max(data_version) from ops.loads) as data_version`
)

async function openSides(): Promise<Record<string, Side>> {
  const etl = await openEtl(t)
  const onRedshift = await buildOnRedshift(t)
  await onRedshift.prepareWarehouse()
  return {
    duckdb: { warehouse: etl.warehouse, put: etl.write, load: (params = {}) => etl.load({ params }) },
    redshift: {
      warehouse: onRedshift.parts.warehouse,
      put: onRedshift.put,
      async load(params = {}) {
        const { body } = await onRedshift.request('POST', '/v1/jobs', {
          ...{ headers: { prefer: 'wait=60' }, body: { type: 'etl', ...params } }
        })
        if (body.status !== 'succeeded') throw new Error(JSON.stringify(body.error))
      }
    }
  }
}

const plays = (session: number, count: number) =>
  lines(
    ...Array.from({ length: count }, (_, index) =>
      event({
        ...{ sessionId: session, itemInSession: index, userId: String(1 + (index % 90)) },
        ...{ ts: 1541106000796 + session * 1_000_000 + index, song: index % 2 ? 'Alpha' : 'Late' }
      })
    )
  )

/** What readers see until the load has ended, each state once. */
async function watch(side: Side, load: () => Promise<unknown>): Promise<{ states: string[]; looks: number }> {
  const see = async () => JSON.stringify((await side.warehouse.run(look)).rows[0])
  const states = [await see()]
  let looks = 0
  let isLoading = true
  const loading = load().finally(() => {
    isLoading = false
  })
  while (isLoading) {
    looks += 1
    const state = await see()
    if (state !== states.at(-1)) states.push(state)
  }
  await loading
  const last = await see()
  if (last !== states.at(-1)) states.push(last)
  return { states, looks }
}

for (const [name, side] of Object.entries(await openSides())) {
  t.test(name, async (t) => {
    side.put({ 'song_data/a.json': lines(song()), 'log_data/1.json': plays(1, 800) })
    await side.load()
    for (const [what, params, files] of [
      // Late songs are matched to plays that are there: rows are deleted and inserted again.
      [
        'an incremental load',
        {},
        {
          'song_data/b.json': lines(song({ song_id: 'S2', title: 'Late' })),
          'log_data/2.json': plays(2, 800)
        }
      ],
      ['a full load, which deletes everything first', { mode: 'full' }, { 'log_data/3.json': plays(3, 500) }]
    ] as [string, Json, Files][]) {
      side.put(files)
      const { states, looks } = await watch(side, () => side.load(params))
      t.equal(states.length, 2, `${what}: ${states.join(' then ')}`)
      t.ok(looks > 3, `${looks} looks`)
      t.comment(`${name}, ${what}: ${looks} looks`)
    }
  })
}
