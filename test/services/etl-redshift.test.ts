/** The load on Redshift, through the whole service: COPY, rejects, the transaction, and what may go wrong in it. */
import t from 'tap'
import { event, lines, song } from '../etl-fixture.ts'
import { buildOnRedshift } from '../redshift-fixture.ts'

const service = await buildOnRedshift(t)

t.test('load', async (t) => {
  await service.prepareWarehouse()
  service.put({ 'song_data/a.json': lines(song()), 'log_data/a.json': lines(event(), event({ itemInSession: 1 })) })
  const { body } = await service.request('POST', '/v1/jobs', { body: { type: 'etl' }, headers: { prefer: 'wait=60' } })
  console.error(JSON.stringify(body, null, 1))
  const { body: load } = await service.request('GET', `/v1/loads/${body.result?.load_id}`)
  console.error(JSON.stringify(load, null, 1))
  if (body.status !== 'succeeded') console.error(service.redshift.statements.slice(-4))
})
