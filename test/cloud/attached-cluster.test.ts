/** A cluster that somebody else runs is used and never changed. */
import t from 'tap'
import { createAttachedCluster } from '../../src/cloud/attached-cluster.ts'
import { loadConfig } from '../../src/config.ts'
import { ServiceError } from '../../src/errors.ts'
import type { Queryable } from '../../src/warehouse/warehouse.ts'
import { baseEnv, createRun } from './fixture.ts'

const config = loadConfig({
  ...baseEnv,
  REDSHIFT_HOST: 'dwh.example.com',
  REDSHIFT_USER: 'dwhuser',
  REDSHIFT_PASSWORD: 'Passw0rd',
  IAM_ROLE_ARN: 'arn:aws:iam::123456789012:role/dwhRole'
})

const answering: Queryable = {
  async run(statement) {
    const rows = statement.name.includes('isolation') ? [{ isolation_level: 'Serializable' }] : []
    return { columns: [], rows, changed: 0 }
  }
}
const silent: Queryable = {
  async run() {
    throw new ServiceError('warehouse_unavailable', 'away')
  }
}

t.test('it is shown as far as the database tells', async (t) => {
  const provider = createAttachedCluster({ warehouse: answering, config })
  t.same(await provider.describe(), {
    status: 'available',
    ownership: 'attached',
    availability: null,
    endpoint: 'dwh.example.com:5439',
    role_arn: 'arn:aws:iam::123456789012:role/dwhRole',
    ingress_cidrs: [],
    node_type: null,
    number_of_nodes: 0,
    publicly_accessible: null,
    encrypted: null,
    isolation_level: 'Serializable',
    size_bytes: null,
    account_id: null,
    region: 'us-west-2',
    desired: null,
    drift: [],
    resources: [],
    estimated_cost: null
  })
  t.equal(await provider.status(), 'available')
  const run = createRun()
  await provider.provision(run)
  t.same(run.steps, ['connect'])
})

t.test('one that does not answer is unreachable', async (t) => {
  const provider = createAttachedCluster({ warehouse: silent, config })
  t.match(await provider.describe(), { status: 'unreachable', isolation_level: null })
  await t.rejects(provider.provision(createRun()), { code: 'warehouse_unavailable' })
})

t.test('it is never changed', async (t) => {
  const provider = createAttachedCluster({ warehouse: answering, config })
  t.same((await provider.plan()).actions, [])
  provider.allows('provision')
  for (const operation of ['teardown', 'pause', 'resume'] as const) {
    t.throws(() => provider.allows(operation), { code: 'cluster_attached', message: /dwh.example.com:5439/ })
  }
  await t.rejects(provider.teardown(false, createRun()), { code: 'cluster_attached' })
  await t.rejects(provider.pause(createRun()), { code: 'cluster_attached' })
})
