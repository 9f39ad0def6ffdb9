/** Receipts counted again: what holds, what a later load explains, what should never be. */
import { join } from 'node:path'
import t from 'tap'
import type { LoadVerification } from '../../src/schemas/loads.ts'
import { parseSql } from '../../src/sql.ts'
import { checkProblem, normalise, problem } from '../api-fixture.ts'
import { writeFiles } from '../files.ts'
import { build } from '../helper.ts'
import { event, lines, song } from '../records.ts'

const service = await build(t)
await service.prepareWarehouse()
const write = (files: Record<string, string>) => writeFiles(join(service.config.DATA_DIR, 'sources'), files)
const load = async (params = {}) => {
  const body = { type: 'etl', ...params }
  const { body: job } = await service.request('POST', '/v1/jobs', { body, headers: { prefer: 'wait=60' } })
  if (job.status !== 'succeeded') throw new Error(JSON.stringify(job.error))
}
const verify = async (id: string) => {
  const { status, body } = await service.request('POST', `/v1/loads/${id}/verify`, { scope: 'operate' })
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body as LoadVerification
}
const change = (sql: string) => service.parts.warehouse.run(parseSql('test', sql))
const unequal = ({ claims }: LoadVerification) =>
  claims
    .filter(({ status }) => status !== 'holds')
    .map(({ claim, claimed, found, status }) => `${claim}: ${claimed}, ${found}, ${status}`)

write({
  'song_data/a.json': lines(song(), song({ song_id: 'S2', title: 'Beta' })),
  'log_data/a.json': `${lines(event(), event({ itemInSession: 1, ts: 1541106100796 }), event({ page: 'Home', sessionId: 9 }))}\n{`
})
await load({ max_rejects: 1 })

t.test('a receipt holds', async (t) => {
  const { claims, ...verified } = await verify('1')
  t.strictSame(normalise(service, verified), {
    ...{ load_id: '1', verified_at: 'TIME', holds: true, replaced_by: null, links: { load: '/v1/loads/1' } }
  })
  for (const [claim, claimed] of [
    ['events loaded', 3],
    ['plays of its events', 2],
    ['songs loaded', 2],
    ['objects', 2],
    ['rejects kept', 1],
    ['rows of analytics.songplays', 2],
    ['songplay_id is unique', 0]
  ] as const) {
    t.strictSame(
      claims.find((each) => each.claim === claim),
      { claim, claimed, found: claimed, status: 'holds' }
    )
  }
  t.equal(new Set(claims.map(({ claim }) => claim)).size, claims.length)
})

t.test('a later load explains what it has replaced', async (t) => {
  write({
    'song_data/b.json': lines(song({ title: 'Alpha II' })),
    'log_data/b.json': lines(event({ sessionId: 3 }))
  })
  await load()
  const first = await verify('1')
  t.strictSame(unequal(first), ['songs loaded: 2, 1, superseded'])
  t.equal(first.holds, true)
  t.notOk(
    first.claims.some(({ claim }) => claim.startsWith('rows of')),
    'only the latest knows the rows'
  )
  t.strictSame(unequal(await verify('2')), [])
})

t.test('what somebody has changed is found', async (t) => {
  await change('delete from staging.events where sessionid = 1 and iteminsession = 1')
  await change('delete from ops.rejects')
  const first = await verify('1')
  t.equal(first.holds, false)
  t.strictSame(unequal(first), [
    ...['events loaded: 3, 2, violated', 'songs loaded: 2, 1, superseded', 'rejects kept: 1, 0, violated'],
    'plays equal the events that are plays: 0, 1, violated'
  ])
  await change('insert into analytics.songplays select * from analytics.songplays where session_id = 3')
  t.match(
    unequal(await verify('2')).join(),
    /plays of its events: 1, 2, violated.*rows of analytics.songplays: 3, 4/
  )
})

t.test('after a full load nothing of the loads before is there to count', async (t) => {
  await load({ mode: 'full', max_rejects: 1 })
  t.match(await verify('1'), { holds: true, replaced_by: '3', claims: [] })
  t.strictSame(unequal(await verify('3')), [])
})

t.test('a load that is not there', async (t) => {
  const path = '/v1/loads/99/verify'
  const detail = 'No load has the id 99. GET /v1/loads lists the loads.'
  checkProblem(t, service, await service.request('POST', path), problem('load_not_found', path, detail))
})
