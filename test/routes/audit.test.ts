import t from 'tap'
import { createAudit } from '../../src/services/audit.ts'
import { parseSql } from '../../src/sql.ts'
import { build, openBothStores } from '../helper.ts'

const service = await build(t)
const { request } = service
const list = async (search = '') => (await request('GET', `/v1/audit-events${search}`)).body

t.test('every change and every denied try is there, and nothing else', async (t) => {
  const created = await request('PUT', '/v1/cluster', { headers: { prefer: 'wait=30' } })
  const started = await request('POST', '/v1/tables')
  const job = started.body.id
  await request('GET', '/v1/jobs')
  await request('POST', '/v1/cluster/plan')
  const denied = await request('POST', '/v1/jobs', { scope: 'read', body: { type: 'etl' } })
  const unknown = await request('GET', '/v1/jobs', {
    scope: null,
    headers: { authorization: 'Bearer spk_x' }
  })
  await request('POST', '/v1/jobs/job_0/cancel')
  await request('POST', '/v1/jobs', { body: { type: 'nothing' } })
  const { items } = await list()
  t.match(
    items.map(({ action, outcome, status, code }: Record<string, unknown>) => [
      action,
      outcome,
      status,
      code
    ]),
    [
      ['startJob', 'failed', 400, 'invalid_request'],
      ['cancelJob', 'failed', 404, 'job_not_found'],
      ['listJobs', 'denied', 401, 'invalid_api_key'],
      ['startJob', 'denied', 403, 'insufficient_scope'],
      ['createTables', 'done', 202, null],
      ['ensureCluster', 'done', Number(created.status), null]
    ]
  )
  const [, cancelled, stranger, reader, tables] = items
  t.match(tables, { job_id: job, key_name: 'test admin', path: '/v1/tables', address: '127.0.0.1' })
  t.equal(tables.request_id, started.headers['x-request-id'])
  t.equal(cancelled.job_id, 'job_0')
  t.match(reader, { key_name: 'test read', request_id: denied.headers['x-request-id'] })
  t.match(stranger, { key_id: null, key_name: null, request_id: unknown.headers['x-request-id'] })
  t.notMatch(JSON.stringify(items), /spk_/)
})

t.test('filtered, in pages', async (t) => {
  const denied = await list('?outcome=denied')
  t.equal(denied.items.length, 2)
  const [{ key_id, job_id, at, request_id }] = (await list('?outcome=done')).items
  t.equal((await list(`?key_id=${key_id}`)).items.length, 4)
  t.equal((await list(`?job_id=${job_id}`)).items.length, 1)
  t.equal((await list(`?request_id=${request_id}`)).items.length, 1)
  t.equal((await list(`?before=${at}`)).items.length, 1)
  const first = await list('?limit=4')
  t.equal((await list(`?limit=4&cursor=${first.next_cursor}`)).items.length, 2)
})

t.test('the chain', async (t) => {
  t.match((await request('POST', '/v1/audit-events/verify')).body, { intact: true, events: 6, head: 6 })
})

for (const store of await openBothStores(t)) {
  t.test(`on ${store.engine} events form one chain that nobody changes unseen`, async (t) => {
    const run = (text: string) => store.query(parseSql('test', text))
    const audit = createAudit(store)
    const replica = createAudit(store)
    const event = {
      ...{ key_id: 'key_1', key_name: 'it\'s "one"', action: 'startJob', path: '/v1/jobs', status: 202 },
      ...{ outcome: 'done' as const, code: null, address: '::1', request_id: 'req_1', job_id: null }
    }
    t.match(await audit.verify(), { intact: true, events: 0, first_broken: null, head: 0 })
    await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? audit : replica).append(event)))
    t.same(await audit.verify(), { intact: true, events: 20, first_broken: null, head: 20 })

    for (const change of [
      'update audit_events set status = 200 where id = 7',
      'delete from audit_events where id = 7',
      'truncate audit_events'
    ]) {
      await t.rejects(run(change), /append-only/, change)
    }
    // Somebody who owns the database goes around that.
    await run('alter table audit_events disable trigger all')
    await run("update audit_events set key_name = 'somebody else' where id = 7")
    t.match(await audit.verify(), { intact: false, first_broken: 7 })
    await run(`update audit_events set key_name = 'it''s "one"' where id = 7`)
    t.match(await audit.verify(), { intact: true })
    await run('delete from audit_events where id = 12')
    t.match(await audit.verify(), { intact: false, first_broken: 13 })
    await run('delete from audit_events where id >= 12')
    t.match(await audit.verify(), { intact: false, first_broken: null, events: 11, head: 20 })
  })
}
