/** Loads that cannot be done: nothing is changed, the reason is told, and the next load works. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { event, type Json, lines, openEtl, song } from '../etl-fixture.ts'
import { build, type TestService, temporaryDirectory, writeFiles } from '../helper.ts'

const startEtl = async (service: TestService, params: Json = {}) =>
  service.request('POST', '/v1/jobs', { headers: { prefer: 'wait=60' }, body: { type: 'etl', ...params } })

/** Row counts of all tables. */
async function countsOf(service: TestService): Promise<Json> {
  const { body } = await service.request('GET', '/v1/tables')
  return Object.fromEntries(
    body.items.map(({ name, schema, row_count }: Json) => [`${schema}.${name}`, row_count])
  )
}

t.test('without a cluster or tables a load is refused, and told what to call', async (t) => {
  const service = await build(t)
  const refused = await startEtl(service)
  t.equal(refused.status, 409)
  t.match(refused.body, { code: 'cluster_not_found', detail: /PUT \/v1\/cluster/ })

  await service.request('PUT', '/v1/cluster', { headers: { prefer: 'wait=60' } })
  const without = await startEtl(service)
  t.equal(without.status, 409)
  t.match(without.body, { code: 'tables_not_created', detail: /POST \/v1\/tables/ })
  const { body } = await service.request('GET', '/v1/jobs?type=etl')
  t.same(body.items, [], 'no job is made of such a request')
})

t.test('sources that cannot be loaded', async (t) => {
  const service = await build(t)
  await service.prepareWarehouse()
  const { SONG_DATA, LOG_DATA, DATA_DIR } = service.config
  writeFiles(SONG_DATA, { 'good/1.json': lines(song()) })
  writeFiles(LOG_DATA, { 'good/1.json': lines(event()), 'file.json': '{}', 'useless/README.md': '' })
  mkdirSync(join(LOG_DATA, 'empty'))
  const [song_data, log_data] = [join(SONG_DATA, 'good'), join(LOG_DATA, 'good')]
  t.equal((await startEtl(service, { song_data, log_data })).body.status, 'succeeded')
  const before = await countsOf(service)

  const fails = async (t: Test, params: Json, error: Json) => {
    const { status, body } = await startEtl(service, { song_data, log_data, ...params })
    t.equal(status, 200)
    t.match(body, { status: 'failed', attempt: 1, result: null, error: { status: 422, ...error } })
    t.same(await countsOf(service), before, 'nothing is changed')
    t.notOk(existsSync(join(DATA_DIR, 'spool', body.id)))
  }

  await t.test('a directory that is not there', async (t) => {
    const missing = join(LOG_DATA, 'missing')
    await fails(
      t,
      { log_data: missing },
      { code: 'source_unreadable', detail: new RegExp(`^${missing} cannot be read: it does not exist\\.`) }
    )
    await fails(t, { song_data: join(SONG_DATA, 'none') }, { code: 'source_unreadable' })
  })

  await t.test('a file instead of a directory', async (t) => {
    const detail = /file\.json cannot be read: it is not a directory\./
    await fails(t, { log_data: join(LOG_DATA, 'file.json') }, { code: 'source_unreadable', detail })
  })

  await t.test('an empty directory, whatever the mode', async (t) => {
    for (const mode of ['incremental', 'full']) {
      for (const name of ['empty', 'useless']) {
        await fails(
          t,
          { log_data: join(LOG_DATA, name), mode },
          { code: 'source_empty', detail: /holds no \.json or \.json\.gz object.*nothing was changed/ }
        )
      }
    }
  })

  await t.test('an object that is no gzip', async (t) => {
    writeFiles(LOG_DATA, { 'broken/1.json.gz': 'plain' })
    const detail = /1\.json\.gz: incorrect header check\. Repair or remove the object/
    await fails(t, { log_data: join(LOG_DATA, 'broken') }, { code: 'object_unreadable', detail })
  })

  await t.test('a directory outside of SOURCE_ROOTS is refused before a job is made', async (t) => {
    const jobs = async () => (await service.request('GET', '/v1/jobs?limit=200')).body.items.length
    const count = await jobs()
    for (const outside of ['/etc', DATA_DIR, `${LOG_DATA}/../..`, `${LOG_DATA}-other`]) {
      const { status, body } = await startEtl(service, { song_data, log_data: outside })
      t.equal(status, 422)
      t.match(body, { code: 'source_not_allowed', detail: /SOURCE_ROOTS/ })
    }
    t.equal(await jobs(), count)
  })

  t.equal((await startEtl(service, { song_data, log_data })).body.status, 'succeeded', 'and loads go on')
})

t.test('a load that is stopped leaves nothing, wherever it is', async (t) => {
  const etl = await openEtl(t)
  etl.write({ 'song_data/1.json': lines(song()), 'log_data/1.json': lines(event()) })
  await etl.load()
  etl.write({
    'song_data/2.json': lines(song({ song_id: 'S2', title: 'Beta' }), song({ title: 'Alfa' })),
    'log_data/2.json': lines(event({ itemInSession: 1, level: 'paid' })),
    'log_data/3.json': 'bad'
  })
  const tables = [
    'songplays',
    'users',
    'songs',
    'artists',
    'time',
    'staging.events',
    'staging.songs',
    'ops.loads'
  ]
  const state = async () =>
    Promise.all(
      [...tables, 'ops.loaded_objects', 'ops.rejects'].map((table) =>
        etl.rows(`select * from ${table} order by all`)
      )
    )
  const before = await state()
  const reason = new Error('stopped')
  for (const step of ['discover', 'stage', 'transform', 'check', 'publish']) {
    const stop = new AbortController()
    const onStep = (name: string) => {
      if (name === step) stop.abort(reason)
    }
    await t.rejects(etl.load({ params: { max_rejects: 1 }, signal: stop.signal, onStep }), reason, step)
    t.same(await state(), before)
    t.same(readdirSync(join(etl.directory, 'spool')), [])
  }
  const stopped = AbortSignal.abort(reason)
  await t.rejects(etl.load({ params: { max_rejects: 1 }, signal: stopped }), reason, 'before it begins')
  t.same(readdirSync(join(etl.directory, 'spool')), [])

  await etl.load({ params: { max_rejects: 1 } })
  t.same(await etl.rows('select title from songs order by song_id'), [['Alfa'], ['Beta']])
  t.same(await etl.rows('select count(*) from songplays'), [[2]])
})

// In 1024-byte blocks: the control store has files of 16 MiB, and the load writes more than this into one.
const LIMIT = 20 * 1024
const KEY = 'key-of-the-disk-full-test'

/** The real server, no file of which may grow beyond `LIMIT`; `ask` sends it a request. */
async function startLimitedServer(t: Test, dataDir: string) {
  const sources = join(dataDir, 'sources')
  const child = spawn(
    'bash',
    ['-c', `trap '' XFSZ; ulimit -f ${LIMIT}; exec "$0" src/server.ts`, process.execPath],
    {
      cwd: resolve(import.meta.dirname, '../..'),
      env: {
        ...process.env,
        ...{ DATA_DIR: dataDir, PORT: '0', ADMIN_API_KEY: KEY, LOG_LEVEL: 'info' },
        ...{ SONG_DATA: join(sources, 'song_data'), LOG_DATA: join(sources, 'log_data') }
      },
      stdio: ['ignore', 'pipe', 'inherit']
    }
  )
  t.teardown(() => child.kill('SIGKILL'))
  const { promise, resolve: found, reject } = Promise.withResolvers<string>()
  let output = ''
  child.stdout.on('data', (data) => {
    output += data
    const [, url] = /listening at (http:[^"]+)/.exec(output) ?? []
    if (url !== undefined) found(url)
  })
  child.once('exit', () => reject(new Error(`the server did not start: ${output}`)))
  const url = await promise
  return {
    async ask(method: string, path: string, body?: Json) {
      const response = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${KEY}`,
          prefer: 'wait=60',
          ...(body && { 'content-type': 'application/json' })
        },
        ...(body && { body: JSON.stringify(body) })
      })
      return (await response.json()) as Json & { items: Json[] }
    },
    async stop() {
      child.kill('SIGTERM')
      const [code] = await once(child, 'exit')
      return code
    }
  }
}

t.test('a disk that is full while loading', async (t) => {
  if (process.platform !== 'linux') return t.plan(0, 'file size limits are tested on Linux')
  const DATA_DIR = temporaryDirectory(t)
  const log_data = (name: string) => join(DATA_DIR, 'sources', 'log_data', name)
  let before: Json = {}

  await t.test('a load while there is room', async (t) => {
    const service = await build(t, { DATA_DIR })
    await service.prepareWarehouse()
    writeFiles(service.config.SONG_DATA, { '1.json': lines(song()) })
    writeFiles(log_data('first'), { '1.json': lines(event()) })
    t.equal((await startEtl(service, { log_data: log_data('first') })).body.status, 'succeeded')
    before = await countsOf(service)
  })

  // Random text does not become smaller in the warehouse. Small objects go through the spool, a large one does not.
  const records = Array.from({ length: 10_000 }, (_, itemInSession) =>
    lines(event({ sessionId: 2, itemInSession, userAgent: randomBytes(2250).toString('base64') }))
  )
  writeFiles(log_data('large'), { '1.json': records.join('\n') })
  const parts = Array.from({ length: 200 }, (_, part) => [
    `${part}.json`,
    records.slice(part * 50, part * 50 + 50).join('\n')
  ])
  writeFiles(log_data('small'), Object.fromEntries(parts))

  await t.test('without room the job fails, and the service goes on', async (t) => {
    const server = await startLimitedServer(t, DATA_DIR)
    for (const name of ['large', 'small']) {
      const job = await server.ask('POST', '/v1/jobs', { type: 'etl', log_data: log_data(name) })
      t.match(job, {
        ...{ status: 'failed', attempt: 1, result: null },
        error: { code: 'disk_full', status: 507, detail: /DATA_DIR has no room left/ }
      })
      const { items } = await server.ask('GET', '/v1/tables')
      const counts = items.map(({ schema, name, row_count }: Json) => [`${schema}.${name}`, row_count])
      t.same(Object.fromEntries(counts), before, `${name}: the warehouse is as before`)
      t.same(readdirSync(join(DATA_DIR, 'spool')), [])
    }
    const again = await server.ask('POST', '/v1/jobs', { type: 'etl', log_data: log_data('first') })
    t.match(
      again,
      { status: 'succeeded', result: { events: { read: 0 } } },
      'what needs little room still works'
    )
    t.equal(await server.stop(), 0)
  })

  await t.test('with room again the same load succeeds', async (t) => {
    const service = await build(t, { DATA_DIR })
    for (const [name, loaded] of Object.entries({ large: 10_000, small: 0 })) {
      const { body } = await startEtl(service, { log_data: log_data(name) })
      t.match(body, {
        status: 'succeeded',
        result: { events: { read: 10_000, loaded, duplicates: 10_000 - loaded } }
      })
    }
    t.equal((await countsOf(service))['analytics.songplays'], 10_001)
  })
})
