import { once } from 'node:events'
import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { ServiceError, toProblem } from '../../src/errors.ts'
import { buildSerializer } from '../../src/plugins/serialization.ts'
import { analyticsRoutes } from '../../src/routes/analytics.ts'
import { namedSchemas } from '../../src/schemas/named.ts'
import { createAnalytics } from '../../src/services/analytics.ts'
import { readBuiltinCatalogue } from '../../src/services/analytics-catalogue.ts'
import { createAnswers } from '../../src/services/answers.ts'
import { createQueryGate } from '../../src/services/query-gate.ts'
import type { Value, Warehouse } from '../../src/warehouse/warehouse.ts'
import { addExamples, openWarehouse, queryable } from '../analytics-fixture.ts'

const catalogue = readBuiltinCatalogue()
const names = catalogue.map(({ query }) => query)

/** The routes alone, with what buildApp() gives every route: strict validation and problem details. */
async function build(t: Test, warehouse: Pick<Warehouse, 'run' | 'stream'>) {
  const app = Fastify({
    ajv: { customOptions: { removeAdditional: false, strict: false } },
    schemaController: { compilersFactory: { buildSerializer } }
  })
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: { openapi: '3.1.0' } })
  app.setErrorHandler((error, _, reply) => {
    const invalid = error instanceof Error && 'validation' in error
    const problem = toProblem(invalid ? new ServiceError('invalid_request', error.message) : error)
    return reply.code(problem.status).send(problem)
  })
  for (const schema of namedSchemas) app.addSchema(schema)
  const analytics = createAnalytics({ warehouse, catalogue })
  const state = {
    current: async () => undefined,
    known: () => undefined,
    changing: <Result>(commit: () => Promise<Result>) => commit()
  }
  const gate = createQueryGate({ concurrency: 4, waiting: 100, timeout: 30_000 })
  const answers = createAnswers({ analytics, state, gate, cacheBytes: 0 })
  await app.register(analyticsRoutes(analytics, answers), { prefix: '/v1/analytics' })
  return app
}

async function buildExample(t: Test) {
  const warehouse = await openWarehouse(t, 'duckdb')
  await addExamples(warehouse)
  return build(t, warehouse)
}

t.test('GET /v1/analytics lists the catalogue without SQL', async (t) => {
  const app = await buildExample(t)
  const response = await app.inject('/v1/analytics')
  t.equal(response.statusCode, 200)
  const { items, next_cursor } = response.json()
  t.equal(next_cursor, null)
  t.same(
    items.map(({ query }: { query: string }) => query),
    names
  )
  const hourly = items.find(({ query }: { query: string }) => query === 'plays-by-hour')
  t.same(
    { ...hourly, parameters: hourly.parameters.slice(0, 1) },
    {
      query: 'plays-by-hour',
      title: 'Plays by hour',
      question: 'At which hours of the day do people listen?',
      description:
        'Counts every play, matched to a song or not. All 24 hours are there, with 0 where nobody listened.',
      parameters: [
        {
          name: 'year',
          type: 'integer',
          minimum: 1970,
          maximum: 9999,
          description: 'Only plays of this year, UTC. Without it, plays of all years.',
          example: 2018,
          default: null
        }
      ],
      columns: [
        { name: 'hour', type: 'integer', description: 'Hour of the day, from 0 to 23, UTC.', example: 17 },
        { name: 'plays', type: 'integer', unit: 'plays', example: 250 }
      ],
      chart: { type: 'columns', x: ['hour'], y: ['plays'] }
    }
  )
  t.same(
    hourly.parameters.map(({ name }: { name: string }) => name),
    ['year', 'from', 'to', 'level', 'location']
  )
})

t.test('GET /v1/analytics/{query} shows one query with its SQL', async (t) => {
  const app = await buildExample(t)
  const response = await app.inject('/v1/analytics/users-by-level')
  t.equal(response.statusCode, 200)
  t.same(response.json(), {
    query: 'users-by-level',
    title: 'Users by level',
    question: 'How many users are free and how many pay?',
    description:
      "Counts each user who has played at least once, under the level of the user's latest play. Levels with equal users are ordered by name.",
    parameters: [],
    columns: [
      { name: 'level', type: 'string', example: 'free' },
      { name: 'users', type: 'integer', unit: 'users', example: 120 }
    ],
    chart: { type: 'columns', x: ['level'], y: ['users'] },
    sql: 'select level, count(user_id) as users\nfrom analytics.users\ngroup by level\norder by users desc, level;'
  })
})

t.test('GET /v1/analytics/{query}/results runs it', async (t) => {
  const app = await buildExample(t)
  const response = await app.inject('/v1/analytics/top-artists/results?year=2019&limit=1')
  t.equal(response.statusCode, 200)
  const { elapsed_ms, ...body } = response.json()
  t.type(elapsed_ms, 'number')
  t.same(body, {
    query: 'top-artists',
    params: { year: 2019, from: null, to: null, level: null, location: null, limit: 1 },
    columns: [
      { name: 'artist_id', type: 'string' },
      { name: 'name', type: 'string' },
      { name: 'plays', type: 'integer', unit: 'plays' }
    ],
    rows: [{ artist_id: 'A1', name: 'Ann', plays: 1 }],
    row_count: 1,
    truncated: false,
    data_version: 2,
    as_of: '2026-01-03T03:04:05.678Z'
  })
})

t.test('defaults are filled in and shown', async (t) => {
  const app = await buildExample(t)
  t.same((await app.inject('/v1/analytics/top-artists/results')).json().params, {
    ...{ year: 2018, from: null, to: null, level: null, location: null, limit: 5 }
  })
  t.same((await app.inject('/v1/analytics/plays-by-hour/results')).json().params, {
    ...{ year: null, from: null, to: null, level: null, location: null }
  })
})

t.test('parameters that are not as declared are refused', async (t) => {
  const app = await buildExample(t)
  for (const [query, detail] of [
    ['top-songs/results?yaer=2018', 'querystring must NOT have additional properties'],
    ['top-songs/results?year=1969', 'querystring/year must be >= 1970'],
    ['top-songs/results?limit=0', 'querystring/limit must be >= 1'],
    ['top-songs/results?limit=1001', 'querystring/limit must be <= 1000'],
    ['top-songs/results?limit=', 'querystring/limit must be integer'],
    ['top-songs/results?limit=five', 'querystring/limit must be integer'],
    ['top-songs/results?limit=1.5', 'querystring/limit must be integer'],
    ['top-songs/results?limit=1&limit=2', 'querystring/limit must be integer'],
    ['users-by-level/results?year=2018', 'querystring must NOT have additional properties'],
    ['users-by-level?verbose=1', 'querystring must NOT have additional properties'],
    ['?limit=1', 'querystring must NOT have additional properties']
  ] as const) {
    const response = await app.inject(`/v1/analytics${query.startsWith('?') ? '' : '/'}${query}`)
    t.equal(response.statusCode, 400, query)
    t.same(response.json(), {
      type: 'urn:sparkify-warehouse:error:invalid_request',
      title: 'The request does not match the schema',
      status: 400,
      detail,
      code: 'invalid_request'
    })
  }
})

t.test('an unknown query is not found, whatever is asked of it', async (t) => {
  const app = await buildExample(t)
  for (const path of ['flops', 'flops/results', 'flops/results?year=2018', 'TOP-SONGS/results']) {
    const response = await app.inject(`/v1/analytics/${path}`)
    t.equal(response.statusCode, 404, path)
    t.same(response.json(), {
      type: 'urn:sparkify-warehouse:error:query_not_found',
      title: 'There is no such canned query',
      status: 404,
      detail: `No canned query is called ${path.split('/')[0]}. There are: ${names.join(', ')}.`,
      code: 'query_not_found'
    })
  }
})

t.test('tables that are not there answer 409', async (t) => {
  const app = await build(
    t,
    queryable(async () => {
      throw new ServiceError('tables_not_created', 'Create them with POST /v1/tables.')
    })
  )
  const response = await app.inject('/v1/analytics/top-songs/results')
  t.equal(response.statusCode, 409)
  t.same(response.json(), {
    type: 'urn:sparkify-warehouse:error:tables_not_created',
    title: 'The tables have not been created',
    status: 409,
    detail: 'Create them with POST /v1/tables.',
    code: 'tables_not_created'
  })
})

t.test('a value of another type than declared fails, rather than being changed', async (t) => {
  const app = await build(t, answering([{ level: 'free', users: '9007199254740993' }]))
  t.equal((await app.inject('/v1/analytics/users-by-level/results')).statusCode, 500)
})

t.test('a client that hangs up stops its query', async (t) => {
  const { promise: started, resolve: start } = Promise.withResolvers<AbortSignal>()
  const app = await build(
    t,
    queryable(async (statement, _, { signal } = {}) => {
      if (signal && statement.name.startsWith('analytics/')) {
        start(signal)
        await once(signal, 'abort')
        throw signal.reason
      }
      return { columns: [], rows: [], changed: 0 }
    })
  )
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const request = get(`http://127.0.0.1:${port}/v1/analytics/users-by-level/results`).on('error', () => {})
  const signal = await started
  t.equal(signal.aborted, false)
  request.destroy()
  await once(signal, 'abort')
  t.match(signal.reason, { name: 'ServiceError', code: 'cancelled' })
})

t.test('OpenAPI comes from the headers', async (t) => {
  const app = await build(t, answering([]))
  await app.ready()
  const { paths = {} } = app.swagger() as { paths?: Record<string, { get?: Record<string, unknown> }> }
  t.same(Object.keys(paths), [
    '/v1/analytics',
    '/v1/analytics/{query}',
    ...names.map((name) => `/v1/analytics/${name}/results`),
    '/v1/analytics/{query}/chart',
    '/v1/analytics/{query}/verify'
  ])
  t.equal(paths['/v1/analytics/plays-by-hour/results']?.get?.operationId, 'getPlaysByHourResults')
  const operation = paths['/v1/analytics/top-songs/results']?.get
  t.equal(operation?.summary, 'Which songs were played most in a year?')
  const parameters = operation?.parameters as { name: string }[]
  t.match(
    parameters.filter(({ name }) => ['year', 'limit'].includes(name)),
    [
      {
        name: 'year',
        in: 'query',
        required: false,
        schema: { type: 'integer', minimum: 1970, default: 2018 }
      },
      { name: 'limit', in: 'query', required: false, schema: { type: 'integer', maximum: 1000, default: 5 } }
    ]
  )
})

/** A warehouse that answers everything with these rows. */
const answering = (rows: Record<string, Value>[]) =>
  queryable(async () => ({ columns: ['level', 'users'], rows, changed: 0 }))
