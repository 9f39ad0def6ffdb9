import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  blockLane,
  checkProblem,
  countJobs,
  invalid,
  normalise,
  problem,
  queuedJob,
  rows
} from '../api-fixture.ts'
import { build } from '../helper.ts'

const service = await build(t)
const wait = { prefer: 'wait=60' }

const absent = {
  ...{ identifier: 'sparkify', engine: 'duckdb', database: 'sparkify', status: 'absent', endpoint: null },
  ...{ role_arn: null, ingress_cidrs: [], node_type: null, number_of_nodes: 0, size_bytes: null },
  // What an embedded cluster has nothing of.
  ...{ ownership: 'none', availability: null, publicly_accessible: null, encrypted: null },
  ...{ isolation_level: null, account_id: null, region: null, desired: null, drift: [], resources: [] },
  estimated_cost: null,
  usage: null
}
const available = {
  ...absent,
  ...{ status: 'available', endpoint: 'file://DATA_DIR/warehouse/sparkify.duckdb' },
  ...{ ownership: 'ours', number_of_nodes: 1, size_bytes: 1 },
  resources: [{ type: 'duckdb_file', id: 'DATA_DIR/warehouse/sparkify.duckdb' }]
}
const lastJob = async () => {
  const [row] = await rows(service, 'select type, status, params, result from jobs order by id desc limit 1')
  return normalise(service, row)
}

t.test('before there is a cluster', async (t) => {
  const { status, body } = await service.request('GET', '/v1/cluster', { scope: 'read' })
  t.equal(status, 200)
  t.strictSame(body, absent)

  const plan = await service.request('POST', '/v1/cluster/plan', { scope: 'read' })
  t.equal(plan.status, 200)
  t.strictSame(normalise(service, plan.body), {
    ...{ identifier: 'sparkify', engine: 'duckdb', account_id: null, region: null, estimated_cost: null },
    actions: [
      {
        action: 'create',
        resource: 'sparkify',
        detail: 'a DuckDB file at DATA_DIR/warehouse/sparkify.duckdb'
      }
    ]
  })
  checkProblem(
    t,
    service,
    await service.request('DELETE', '/v1/cluster?confirm=sparkify&final_snapshot=false'),
    problem('cluster_not_found', '/v1/cluster', 'There is no cluster to delete.')
  )
  t.equal(await countJobs(service), 0, 'looking starts no job')
})

t.test('PUT creates it, once', async (t) => {
  const headers = { 'idempotency-key': 'create' }
  const { status, headers: answered, body } = await service.request('PUT', '/v1/cluster', { headers })
  t.equal(status, 202)
  t.equal(answered.location, `/v1/jobs/${body.id}`)
  t.strictSame(normalise(service, body), queuedJob('cluster.provision'))

  const ended = await service.waitForJob(body.id)
  t.strictSame(normalise(service, ended.result), { cluster: available })
  t.strictSame(
    ended.steps.map(({ name, status }) => [name, status]),
    [
      ['create', 'succeeded'],
      ['ready', 'succeeded']
    ]
  )
  t.strictSame(await lastJob(), {
    ...{ type: 'cluster.provision', status: 'succeeded', params: {}, result: { cluster: available } }
  })

  const { body: now } = await service.request('GET', '/v1/cluster', { scope: 'read' })
  t.strictSame(normalise(service, now), available)
  t.strictSame((await service.request('POST', '/v1/cluster/plan')).body.actions, [], 'nothing is missing')

  const again = await service.request('PUT', '/v1/cluster', { headers: wait })
  t.equal(again.status, 200, 'no change answers 200')
  t.equal(again.headers.location, undefined)
  t.strictSame(normalise(service, again.body), available)

  const repeated = await service.request('PUT', '/v1/cluster', { headers })
  t.equal(repeated.status, 202)
  t.equal(repeated.headers['idempotency-replayed'], 'true')
  t.strictSame(repeated.body, ended, 'the same key gives the same job, though nothing is missing any more')
  t.equal(await countJobs(service), 1)
})

t.test('PUT and DELETE refuse parameters that they do not know or cannot take', async (t) => {
  const before = await countJobs(service)
  for (const [method, query, pointer, code, message] of [
    ['PUT', 'nodes=4', 'nodes', 'additionalProperties', 'is an unknown parameter'],
    ['GET', 'verbose=1', 'verbose', 'additionalProperties', 'is an unknown parameter'],
    ['DELETE', 'final_snapshot=false', 'confirm', 'required', 'is required'],
    ['DELETE', 'confirm=sparkify', 'final_snapshot', 'required', 'is required'],
    ['DELETE', 'confirm=sparkify&final_snapshot=no', 'final_snapshot', 'type', 'must be boolean'],
    ['DELETE', 'confirm=sparkify&final_snapshot=1', 'final_snapshot', 'type', 'must be boolean'],
    ['DELETE', 'confirm=sparkify&final_snapshot=', 'final_snapshot', 'type', 'must be boolean'],
    ['DELETE', 'confirm=sparkify&confirm=x&final_snapshot=true', 'confirm', 'type', 'must be string'],
    [
      'DELETE',
      'confirm=a&final_snapshot=true&force=1',
      'force',
      'additionalProperties',
      'is an unknown parameter'
    ]
  ] as const) {
    const response = await service.request(method, `/v1/cluster?${query}`)
    checkProblem(t, service, response, invalid('/v1/cluster', pointer, code, message), `${method} ${query}`)
  }
  t.equal(await countJobs(service), before)
})

t.test('the embedded cluster is neither paused nor resumed: it costs nothing', async (t) => {
  for (const deed of ['pause', 'resume']) {
    const { status, body } = await service.request('POST', `/v1/cluster/${deed}`)
    t.equal(status, 409)
    t.match(body, { code: 'not_supported', detail: String })
  }
})

t.test('PUT takes a body that says nothing, and no other', async (t) => {
  const before = await countJobs(service)
  t.equal((await service.request('PUT', '/v1/cluster', { body: {} })).status, 200)
  for (const [body, pointer, code, message] of [
    [{ node_type: 'ra3.large' }, '/node_type', 'additionalProperties', 'is an unknown property'],
    ['[]', '', 'type', 'must be object'],
    ['null', '', 'type', 'must be object']
  ] as const) {
    const response = await service.request('PUT', '/v1/cluster', { body })
    checkProblem(t, service, response, invalid('/v1/cluster', pointer, code, message), JSON.stringify(body))
  }
  const forbidden = await service.request('PUT', '/v1/cluster', { body: '{"__proto__": {}}' })
  const notJson = 'The body is not JSON, or it has a key that is forbidden.'
  checkProblem(t, service, forbidden, problem('malformed_json', '/v1/cluster', notJson))
  const text = await service.request('PUT', '/v1/cluster', {
    ...{ body: 'node_type=ra3.large', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
  })
  const media = 'Send the body as JSON, with Content-Type: application/json.'
  checkProblem(t, service, text, problem('unsupported_media_type', '/v1/cluster', media))
  const large = await service.request('PUT', '/v1/cluster', { body: `{"a": "${'x'.repeat(70_000)}"}` })
  checkProblem(t, service, large, problem('body_too_large', '/v1/cluster', 'Request body is too large'))
  t.equal(await countJobs(service), before)
})

t.test('DELETE needs the right name', async (t) => {
  const before = await countJobs(service)
  for (const confirm of ['', 'Sparkify', 'sparkify%20', 'other']) {
    const response = await service.request('DELETE', `/v1/cluster?confirm=${confirm}&final_snapshot=true`)
    const detail = 'confirm must be the identifier of the cluster, sparkify.'
    checkProblem(t, service, response, problem('confirmation_mismatch', '/v1/cluster', detail), confirm)
  }
  t.equal(await countJobs(service), before)
  t.equal((await service.request('GET', '/v1/cluster')).body.status, 'available')
})

t.test('DELETE waits for nobody: it is refused while jobs use the warehouse', async (t) => {
  const unblock = await blockLane(service)
  const tables = await service.request('POST', '/v1/tables')
  const before = await countJobs(service)
  const response = await service.request('DELETE', '/v1/cluster?confirm=sparkify&final_snapshot=false')
  const detail = `Wait for these jobs, then delete the cluster: job_${'0'.repeat(32)} (etl), ${tables.body.id} (tables.create).`
  t.equal(response.body.detail, detail)
  checkProblem(
    t,
    service,
    response,
    problem('jobs_active', '/v1/cluster', String(normalise(service, detail)))
  )
  t.equal(await countJobs(service), before)
  await unblock()
  await service.waitForJob(tables.body.id)
})

t.test('DELETE removes it, with a copy when asked for', async (t) => {
  const url = '/v1/cluster?confirm=sparkify&final_snapshot=true'
  const headers = { 'idempotency-key': 'delete' }
  const { status, headers: answered, body } = await service.request('DELETE', url, { headers })
  t.equal(status, 202)
  t.equal(answered.location, `/v1/jobs/${body.id}`)
  t.strictSame(normalise(service, body), queuedJob('cluster.teardown', { final_snapshot: true }))

  const ended = await service.waitForJob(body.id)
  t.equal(ended.status, 'succeeded')
  const snapshots = readdirSync(join(service.config.DATA_DIR, 'snapshots'))
  t.equal(snapshots.length, 1)
  t.strictSame(ended.result, {
    final_snapshot: join(service.config.DATA_DIR, 'snapshots', snapshots[0] ?? '')
  })
  t.strictSame((await service.request('GET', '/v1/cluster')).body, absent)
  t.strictSame(readdirSync(join(service.config.DATA_DIR, 'warehouse')), [], 'the file is gone')

  const repeated = await service.request('DELETE', url, { headers: { ...headers, ...wait } })
  t.equal(repeated.status, 200)
  t.equal(repeated.headers['idempotency-replayed'], 'true')
  t.strictSame(repeated.body, ended, 'the same key gives the same job, though the cluster is gone')
  const other = await service.request('DELETE', '/v1/cluster?confirm=sparkify&final_snapshot=false', {
    headers
  })
  t.equal(other.status, 422)
  t.equal(other.body.code, 'idempotency_key_reused')
})

t.test('it can be created again, and deleted without a copy', async (t) => {
  const created = await service.request('PUT', '/v1/cluster', { headers: wait })
  t.equal(created.status, 200)
  t.equal(created.headers['preference-applied'], 'wait=60')
  t.strictSame(normalise(service, created.body.result), { cluster: available })
  const url = '/v1/cluster?final_snapshot=false&confirm=sparkify'
  const deleted = await service.request('DELETE', url, { headers: wait })
  t.equal(deleted.status, 200)
  t.strictSame(deleted.body.result, { final_snapshot: null })
  t.equal(readdirSync(join(service.config.DATA_DIR, 'snapshots')).length, 1, 'only the one from before')
  t.strictSame(await lastJob(), {
    ...{ type: 'cluster.teardown', status: 'succeeded' },
    ...{ params: { final_snapshot: false }, result: { final_snapshot: null } }
  })
})
