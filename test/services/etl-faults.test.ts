/** Loads that cannot be done: nothing is changed, the reason is told, and the next load works. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { openEtl } from '../etl-fixture.ts'
import { temporaryDirectory, writeFiles } from '../files.ts'
import { build, type TestService } from '../helper.ts'
import { createStoreDatabase } from '../postgres.ts'
import { event, type Json, lines, song } from '../records.ts'

const startEtl = async (service: TestService, params: Json = {}) =>
  service.request('POST', '/v1/jobs', { headers: { prefer: 'wait=60' }, body: { type: 'etl', ...params } })

/** Row counts of all tables. */
async function countsOf(service: TestService): Promise<Json> {
  const { body } = await service.request('GET', '/v1/tables')
  return Object.fromEntries(
    body.items.map(({ name, schema, row_count }: Json) => [`${schema}.${name}`, row_count])
  )
}

const DATA_DIR = temporaryDirectory(t)
const DATABASE_URL = await createStoreDatabase(t)
const logData = (name: string) => join(DATA_DIR, 'sources', 'log_data', name)
const songData = (name: string) => join(DATA_DIR, 'sources', 'song_data', name)
const good = { song_data: songData('good'), log_data: logData('good') }

t.test('loads that are refused or fail for their sources', async (t) => {
  const service = await build(t, { DATA_DIR, DATABASE_URL })
  const { LOG_DATA } = service.config
  writeFiles(good.song_data, { '1.json': lines(song()) })
  writeFiles(good.log_data, { '1.json': lines(event()) })

  await t.test('without a cluster or tables: told what to call', async (t) => {
    const refused = await startEtl(service, good)
    t.equal(refused.status, 409)
    t.match(refused.body, { code: 'cluster_not_found', detail: /PUT \/v1\/cluster/ })
    await service.request('PUT', '/v1/cluster', { headers: { prefer: 'wait=60' } })
    const without = await startEtl(service, good)
    t.equal(without.status, 409)
    t.match(without.body, { code: 'tables_not_created', detail: /POST \/v1\/tables/ })
    const { body } = await service.request('GET', '/v1/jobs?type=etl')
    t.same(body.items, [], 'no job is made of such a request')
  })

  await service.prepareWarehouse()
  t.equal((await startEtl(service, good)).body.status, 'succeeded')
  const before = await countsOf(service)

  const fails = async (t: Test, params: Json, error: Json) => {
    const { status, body } = await startEtl(service, { ...good, ...params })
    t.equal(status, 200)
    t.match(body, { status: 'failed', attempt: 1, result: null, error: { status: 422, ...error } })
    t.same(await countsOf(service), before, 'nothing is changed')
    t.notOk(existsSync(join(DATA_DIR, 'spool', body.id)))
  }

  await t.test('a directory that is not there', async (t) => {
    const detail = new RegExp(`^${logData('missing')} cannot be read: it does not exist\\.`)
    await fails(t, { log_data: logData('missing') }, { code: 'source_unreadable', detail })
    await fails(t, { song_data: songData('none') }, { code: 'source_unreadable' })
  })

  await t.test('a file instead of a directory', async (t) => {
    writeFiles(LOG_DATA, { 'file.json': '{}' })
    const detail = /file\.json cannot be read: it is not a directory\./
    await fails(t, { log_data: logData('file.json') }, { code: 'source_unreadable', detail })
  })

  await t.test('an empty directory, whatever the mode', async (t) => {
    mkdirSync(logData('empty'))
    writeFiles(LOG_DATA, { 'useless/README.md': '' })
    const detail = /holds no \.json or \.json\.gz object.*nothing was changed/
    for (const mode of ['incremental', 'full']) {
      for (const name of ['empty', 'useless']) {
        await fails(t, { log_data: logData(name), mode }, { code: 'source_empty', detail })
      }
    }
  })

  await t.test('an object that is no gzip', async (t) => {
    writeFiles(LOG_DATA, { 'broken/1.json.gz': 'plain' })
    const detail = /1\.json\.gz: incorrect header check\. Repair or remove the object/
    await fails(t, { log_data: logData('broken') }, { code: 'object_unreadable', detail })
  })

  await t.test('a directory outside of SOURCE_ROOTS is refused before a job is made', async (t) => {
    const jobs = async () => (await service.request('GET', '/v1/jobs?limit=200')).body.items.length
    const count = await jobs()
    for (const outside of ['/etc', DATA_DIR, `${LOG_DATA}/../..`, `${LOG_DATA}-other`]) {
      const { status, body } = await startEtl(service, { ...good, log_data: outside })
      t.equal(status, 422)
      t.match(body, { code: 'source_not_allowed', detail: /SOURCE_ROOTS/ })
    }
    t.equal(await jobs(), count)
  })

  t.match((await startEtl(service, good)).body, { status: 'succeeded', result: { events: { read: 0 } } })
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

// In 1024-byte blocks: an empty warehouse is smaller, and the load writes more than this into it.
const LIMIT = 8 * 1024
const KEY = 'key-of-the-disk-full-test'

/** The real server, no file of which may grow beyond `LIMIT`; `ask` sends it a request. */
async function startLimitedServer(t: Test) {
  // Without what tap and c8 put into every process: it ends at this signal, and writes large files.
  const script = `trap '' XFSZ; ulimit -f ${LIMIT}; unset NODE_OPTIONS NODE_V8_COVERAGE; exec "$0" src/server.ts`
  const child = spawn('bash', ['-c', script, process.execPath], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: {
      ...process.env,
      ...{ DATA_DIR, DATABASE_URL, PORT: '0', ADMIN_API_KEY: KEY, LOG_LEVEL: 'info' },
      ...{ SONG_DATA: songData(''), LOG_DATA: logData('') }
    },
    stdio: ['ignore', 'pipe', 'inherit']
  })
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
  // Random text does not become smaller in the warehouse. Small objects go through the spool, a large one does not.
  const records = Array.from({ length: 4_000 }, (_, itemInSession) =>
    lines(event({ sessionId: 2, itemInSession, userAgent: randomBytes(2250).toString('base64') }))
  )
  writeFiles(logData('large'), { '1.json': records.join('\n') })
  const parts = Array.from({ length: 200 }, (_, part) => [
    `${part}.json`,
    records.slice(part * 20, part * 20 + 20).join('\n')
  ])
  writeFiles(logData('small'), Object.fromEntries(parts))
  const load = (name: string) => ({ type: 'etl', song_data: good.song_data, log_data: logData(name) })

  await t.test('without room the job fails, and the service goes on', async (t) => {
    const server = await startLimitedServer(t)
    const counts = async () => {
      const { items } = await server.ask('GET', '/v1/tables')
      return items.map(({ schema, name, row_count }) => `${schema}.${name} ${row_count}`)
    }
    const before = await counts()
    t.ok(before.includes('analytics.songplays 1'))
    for (const name of ['large', 'small']) {
      t.match(await server.ask('POST', '/v1/jobs', load(name)), {
        ...{ status: 'failed', attempt: 1, result: null },
        error: { code: 'disk_full', status: 507, detail: /DATA_DIR has no room left/ }
      })
      t.same(await counts(), before, `${name}: the warehouse is as before`)
      t.same(readdirSync(join(DATA_DIR, 'spool')), [])
    }
    const again = await server.ask('POST', '/v1/jobs', load('good'))
    t.match(again, { status: 'succeeded', result: { events: { read: 0 } } }, 'what needs little room works')
    t.equal(await server.stop(), 0)
  })

  await t.test('with room again the same load succeeds', async (t) => {
    const service = await build(t, { DATA_DIR, DATABASE_URL })
    for (const [name, loaded] of Object.entries({ large: 4_000, small: 0 })) {
      const { body } = await startEtl(service, load(name))
      const events = { read: 4_000, loaded, duplicates: 4_000 - loaded, rejected: 0 }
      t.match(body, { status: 'succeeded', result: { events } })
    }
    t.equal((await countsOf(service))['analytics.songplays'], 4_001)
  })
})
