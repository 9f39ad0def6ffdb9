/** The cluster's endpoints over an emulated account: jobs, answers, refusals. */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import type { Job } from '../../src/schemas/jobs.ts'
import { createApiKeys } from '../../src/services/api-keys.ts'
import type { Store } from '../../src/store/store.ts'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'
import { changesIn, type DeploymentOptions, startDeployment, type TestDeployment } from '../cloud/fixture.ts'
import { openTestPostgres } from '../helper.ts'

/** Nothing here gets as far as the warehouse. */
const warehouse: Warehouse = {
  engine: 'redshift',
  run: async () => ({ columns: [], rows: [], changed: 0 }),
  stream: () => {
    throw new Error('not in this test')
  },
  write: () => Promise.reject(new Error('not in this test')),
  skew: async () => new Map(),
  close: async () => {}
}

async function build(t: Test, options: DeploymentOptions = {}) {
  return serve(t, await startDeployment(t, options), await openTestPostgres(t))
}

/** A process of the service, over an account and a store that may have seen others. */
async function serve(t: Test, deployment: TestDeployment, store: Store) {
  const config = { ...deployment.config, LOG_LEVEL: 'silent' as const }
  const parts = {
    store,
    warehouse,
    provider: deployment.provider,
    openSource: () => Promise.reject(new Error())
  }
  const app = await buildApp(config, parts)
  t.teardown(() => app.close())
  await app.ready()
  const keys = createApiKeys(store)
  const { key: admin } = await keys.create({ name: 'admin', scope: 'admin' })
  const { key: operate } = await keys.create({ name: 'operate', scope: 'operate' })

  async function request(method: 'GET' | 'PUT' | 'POST' | 'DELETE', url: string, headers = {}, key = admin) {
    const response = await app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${key}`, ...headers }
    })
    return { status: response.statusCode, headers: response.headers, body: response.json() }
  }
  const wait = { prefer: 'wait=60' }
  return { ...deployment, app, store, request, wait, operate }
}

t.test(
  'PUT does what the plan says, in visible steps; when nothing is missing it answers the cluster',
  async (t) => {
    const { emulator, request, wait } = await build(t)
    const plan = await request('POST', '/v1/cluster/plan')
    t.equal(plan.status, 200)
    t.match(plan.body, {
      identifier: 'sparkify',
      engine: 'redshift',
      account_id: emulator.account,
      region: 'us-west-2',
      estimated_cost: { per_hour: 2.172, per_month: 1585.56, note: /^An estimate/ }
    })
    t.equal(plan.body.actions.length, 6)
    t.same(emulator.costing(), [], 'the plan changes nothing')

    const done = await request('PUT', '/v1/cluster', wait)
    t.equal(done.status, 200)
    const job = done.body as Job
    t.match(job, {
      type: 'cluster.provision',
      status: 'succeeded',
      attempt: 1,
      progress: { step: 'connect', percent: 100 },
      result: {
        cluster: { status: 'available', account_id: emulator.account, region: 'us-west-2', drift: [] }
      }
    })
    t.same(
      job.steps.map(({ name, status }) => `${name} ${status}`),
      ['identity', 'role', 'network', 'cluster', 'available', 'connect'].map((name) => `${name} succeeded`)
    )
    const { body: events } = await request('GET', `/v1/jobs/${job.id}/events`)
    const messages = events.items.map(({ message }: { message: string }) => message)
    t.ok(
      messages.findIndex((message: string) => message.startsWith(`AWS account ${emulator.account}`)) <
        messages.findIndex((message: string) => message.startsWith('create IAM role')),
      'the account is told before anything is created'
    )

    const again = await request('PUT', '/v1/cluster')
    t.equal(again.status, 200)
    t.match(again.body, {
      identifier: 'sparkify',
      engine: 'redshift',
      database: 'sparkify',
      status: 'available'
    })
    t.same(again.body, (await request('GET', '/v1/cluster')).body)
  }
)

t.test('pause, resume and teardown are jobs', async (t) => {
  const { emulator, request, wait } = await build(t)
  await request('PUT', '/v1/cluster', wait)
  const paused = await request('POST', '/v1/cluster/pause', { ...wait, 'idempotency-key': 'p1' })
  t.match(paused.body, {
    type: 'cluster.pause',
    status: 'succeeded',
    result: { cluster: { status: 'paused', estimated_cost: { per_hour: 0 } } }
  })
  const replayed = await request('POST', '/v1/cluster/pause', { 'idempotency-key': 'p1' })
  t.equal(replayed.body.id, paused.body.id)
  t.equal(replayed.headers['idempotency-replayed'], 'true')

  const resumed = await request('POST', '/v1/cluster/resume', wait)
  t.match(resumed.body, {
    type: 'cluster.resume',
    status: 'succeeded',
    result: { cluster: { status: 'available' } }
  })

  const removed = await request('DELETE', '/v1/cluster?confirm=sparkify&final_snapshot=true', wait)
  const name = `sparkify-final-${removed.body.id.replace('_', '')}`
  t.match(removed.body, {
    type: 'cluster.teardown',
    status: 'succeeded',
    result: { final_snapshot: name, snapshots_left: [] }
  })
  t.same(
    emulator.costing().map(({ kind, id }) => `${kind} ${id}`),
    [`snapshot ${name}`]
  )
  t.match(await request('DELETE', '/v1/cluster?confirm=sparkify&final_snapshot=false'), {
    status: 409,
    body: { code: 'cluster_not_found' }
  })
})

t.test('what a cut-off provision left behind can be torn down without a cluster', async (t) => {
  const { emulator, request, wait } = await build(t)
  emulator.inject({ operation: 'CreateCluster', fault: { kind: 'quota-exceeded' } })
  const failed = await request('PUT', '/v1/cluster', wait)
  t.match(failed.body, { status: 'failed', attempt: 1, error: { code: 'quota_exceeded', status: 409 } })
  t.match((await request('GET', '/v1/cluster')).body, {
    status: 'absent',
    resources: [{ type: 'security_group' }, { type: 'iam_role' }]
  })
  const removed = await request('DELETE', '/v1/cluster?confirm=sparkify&final_snapshot=false', wait)
  t.equal(removed.body.status, 'succeeded')
  t.same(emulator.costing(), [])
})

t.test(
  'AWS in trouble: a job tries again, a request gets a problem with a code, and /readyz stays ready',
  async (t) => {
    const { emulator, request, wait } = await build(t, { clients: { maxAttempts: 1 } })
    emulator.inject({ operation: 'CreateRole', fault: { kind: 'throttle' } })
    const { body } = await request('PUT', '/v1/cluster', wait)
    t.match(body, { status: 'succeeded', attempt: 2 })

    emulator.inject({ operation: 'DescribeClusters', fault: { kind: 'access-denied' } })
    t.match(await request('GET', '/v1/cluster'), {
      status: 503,
      body: { code: 'aws_access_denied', detail: /^The service may not perform redshift:DescribeClusters\./ }
    })
    await emulator.goOffline()
    t.match(await request('POST', '/v1/cluster/plan'), { status: 503, body: { code: 'aws_unavailable' } })
    t.match(await request('GET', '/readyz'), {
      status: 200,
      body: { warehouse: 'redshift', cluster: 'unknown' }
    })
  }
)

t.test('refusals come before a job is made', async (t) => {
  const { emulator, request, wait, operate } = await build(t)
  const jobs = async () => (await request('GET', '/v1/jobs')).body.items.length
  for (const path of ['pause', 'resume']) {
    t.match(await request('POST', `/v1/cluster/${path}`), {
      status: 409,
      body: { code: 'cluster_not_found' }
    })
    t.match(await request('POST', `/v1/cluster/${path}`, {}, operate), {
      status: 403,
      body: { code: 'insufficient_scope' }
    })
  }
  t.match(await request('DELETE', '/v1/cluster?confirm=other&final_snapshot=true'), {
    status: 422,
    body: { code: 'confirmation_mismatch' }
  })
  t.match(await request('DELETE', '/v1/cluster?confirm=sparkify'), {
    status: 400,
    body: { code: 'invalid_request' }
  })
  t.equal(await jobs(), 0)

  await request('PUT', '/v1/cluster', wait)
  const before = await jobs()
  emulator.state.clusters[0]?.tags.clear()
  for (const [method, url] of [
    ['PUT', '/v1/cluster'],
    ['POST', '/v1/cluster/plan'],
    ['POST', '/v1/cluster/pause'],
    ['POST', '/v1/cluster/resume']
  ] as const) {
    t.match(
      await request(method, url),
      { status: 409, body: { code: 'foreign_cluster' } },
      `${method} ${url}`
    )
  }
  t.match((await request('GET', '/v1/cluster')).body, { ownership: 'foreign', endpoint: null })
  t.equal(await jobs(), before)
})

t.test('the teardown and the pause wait for jobs', async (t) => {
  const { emulator, request, wait, clock } = await build(t)
  await request('PUT', '/v1/cluster', wait)
  const held = Promise.withResolvers<void>()
  emulator.inject({ operation: 'PauseCluster', fault: { kind: 'hook', before: () => held.promise } })
  const pausing = await request('POST', '/v1/cluster/pause')
  t.equal(pausing.status, 202)
  const busy = { status: 409, body: { code: 'jobs_active', detail: new RegExp(pausing.body.id) } }
  t.match(await request('DELETE', '/v1/cluster?confirm=sparkify&final_snapshot=true'), busy)
  t.equal((await request('POST', '/v1/cluster/pause')).status, 202, 'a second pause is no other work')
  held.resolve()
  clock.pass(600_000)
  t.match(await request('GET', `/v1/jobs/${pausing.body.id}`, wait), { body: { status: 'succeeded' } })
})

t.test('a service that stops in the middle of CreateCluster goes on with it after its restart', async (t) => {
  const deployment = await startDeployment(t, { aws: { delays: { rolePropagation: 0 } } })
  const store = await openTestPostgres(t)
  const first = await serve(t, deployment, store)
  let closed: Promise<unknown> | undefined
  deployment.emulator.inject({
    operation: 'CreateCluster',
    fault: {
      kind: 'hook',
      // The service is told to stop while its request is under way, and AWS carries it out all the same.
      before: async () => {
        closed = first.app.close()
        await sleep(50)
      }
    }
  })
  const started = await first.request('PUT', '/v1/cluster')
  while (closed === undefined) await sleep(5)
  await closed

  const second = await serve(t, deployment.with({}), store)
  const { body: job } = await second.request('GET', `/v1/jobs/${started.body.id}`, second.wait)
  t.match(job, { status: 'succeeded', attempt: 2, result: { cluster: { status: 'available', drift: [] } } })
  const { body: events } = await second.request('GET', `/v1/jobs/${job.id}/events?limit=200`)
  t.ok(events.items.some(({ type }: { type: string }) => type === 'handed_back'))
  t.same(
    changesIn(deployment.emulator).filter((name) => name.startsWith('Create')),
    ['CreateRole', 'CreateSecurityGroup', 'CreateCluster'],
    'each is created once'
  )
})
