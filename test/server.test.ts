import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { temporaryDirectory } from './files.ts'
import { build } from './helper.ts'
import { until } from './jobs-fixture.ts'
import { spawnServer, startServer } from './server-fixture.ts'

const directory = join(temporaryDirectory(t), 'var')
const DATA_DIR = directory
const keyFile = join(directory, 'admin.key')
const readKey = () => readFileSync(keyFile, 'utf8').trim()

/** What was written for people, and what was written for the log. */
function split(stdout: string) {
  const lines = stdout.split('\n')
  return {
    told: lines.filter((line) => !line.startsWith('{')).join('\n'),
    log: lines.filter((line) => line.startsWith('{')).join('\n')
  }
}

/** Whether anybody takes a connection there. */
const answers = (host: string, port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ host, port, timeout: 2000 })
    const end = (answer: boolean) => () => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('connect', end(true)).on('error', end(false)).on('timeout', end(false))
  })

t.test('the first start, with no configuration but where its data is', async (t) => {
  const server = await startServer(t, { DATA_DIR, LOG_LEVEL: 'trace' })
  t.comment(`first start: listening after ${Math.round(server.startup)} ms`)
  const key = readKey()

  t.test('prints the admin key once, and keeps it for its owner alone', async (t) => {
    await until(() => server.output.stdout.includes(key))
    t.match(key, /^spk_\S{43}$/)
    t.equal(statSync(keyFile).mode & 0o777, 0o600)
    t.equal(statSync(directory).mode & 0o777, 0o700)
    t.equal(server.output.stdout.split(key).length - 1, 1)
    t.match(split(server.output.stdout).told, `kept in ${keyFile}`)
    t.equal(server.output.stderr, '')
  })

  t.test('serves with that key', async (t) => {
    t.same(await server.request('GET', '/v1/whoami', key), {
      status: 200,
      body: { key_id: 'key_bootstrap', name: 'bootstrap admin key', scope: 'admin' }
    })
    t.match(await server.request('GET', '/v1/whoami', `${key}x`), { status: 401 })
    t.match(await server.request('GET', '/readyz', key), {
      status: 200,
      body: { status: 'ready', store: 'pglite', warehouse: 'duckdb', cluster: 'absent' }
    })
  })

  t.test('is reachable from this machine only', async (t) => {
    const { hostname, port } = new URL(server.url)
    t.equal(hostname, '127.0.0.1')
    t.equal(await answers('127.0.0.1', Number(port)), true)
    const others = Object.values(networkInterfaces())
      .flat()
      .filter((face) => face !== undefined && !face.internal && face.family === 'IPv4')
    for (const face of others) t.equal(await answers(face?.address ?? '', Number(port)), false)
  })

  t.test('keeps its data for itself: a second process is refused', async (t) => {
    const second = spawnServer(t, { DATA_DIR, PORT: '0' })
    t.same(await second.ended, { code: 1, signal: null })
    t.equal(
      second.output.stderr,
      `${directory} is in use by the process ${server.child.pid}. Stop it first, or give this one another DATA_DIR. ` +
        'Never delete the lock: two processes would corrupt the data.\n'
    )
    t.equal(second.output.stdout, '')
    t.match(await server.request('GET', '/readyz', key), { status: 200 }, 'the first one goes on')
  })

  t.test('refuses a port that is taken', async (t) => {
    const { port } = new URL(server.url)
    const service = await build(t)
    await service.app.close()
    await service.parts.close()
    const { DATA_DIR, DATABASE_URL = '', SONG_DATA, LOG_DATA } = service.config
    const env = { DATA_DIR, DATABASE_URL, SONG_DATA, LOG_DATA, PORT: port }
    const second = spawnServer(t, env)
    t.same(await second.ended, { code: 1, signal: null })
    t.equal(second.output.stderr, `listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`)
  })

  t.test('ends cleanly, and soon, when it is told to', async (t) => {
    const began = performance.now()
    t.same(await server.stop('SIGTERM'), { code: 0, signal: null })
    t.ok(performance.now() - began < 10_000)
    t.match(server.output.stdout, /"signal":"SIGTERM","msg":"shutting down"/)
    t.equal(server.output.stderr, '')
    t.notOk(existsSync(join(directory, 'lock.pid')))
  })

  t.test('wrote no key to the log, at any level', async (t) => {
    const { log } = split(server.output.stdout)
    t.match(log, '/v1/whoami', 'it has the requests')
    t.notMatch(log, key)
    t.notMatch(log, /spk_/)
  })
})

t.test('the second start finds everything, and shows no key', async (t) => {
  const key = readKey()
  const server = await startServer(t, { DATA_DIR })
  t.comment(`second start: listening after ${Math.round(server.startup)} ms`)
  t.equal(split(server.output.stdout).told, '')
  t.notMatch(server.output.stdout, key)
  t.equal(readKey(), key)
  t.match(await server.request('GET', '/v1/whoami', key), { status: 200, body: { scope: 'admin' } })
  t.same(await server.stop('SIGINT'), { code: 0, signal: null })
})

t.test('a configured admin key takes the place of the generated one', async (t) => {
  const directory = temporaryDirectory(t)
  const file = join(directory, 'secret')
  writeFileSync(file, 'an-admin-key-of-my-own\n')
  const generated = readKey()
  const server = await startServer(t, { DATA_DIR, ADMIN_API_KEY_FILE: file, LOG_LEVEL: 'trace' })
  t.match(await server.request('GET', '/v1/whoami', 'an-admin-key-of-my-own'), {
    status: 200,
    body: { scope: 'admin' }
  })
  t.match(await server.request('GET', '/v1/whoami', generated), { status: 401 })
  t.notMatch(server.output.stdout, 'an-admin-key-of-my-own')
  await server.stop('SIGTERM')
  t.equal(readKey(), generated)
})

t.test('a wrong configuration is refused before anything is opened', async (t) => {
  const DATA_DIR = join(temporaryDirectory(t), 'var')
  const server = spawnServer(t, { DATA_DIR, PORT: 'http', LOG_LEVEL: 'loud', ADMIN_API_KEY: 'hunter2' })
  t.same(await server.ended, { code: 1, signal: null })
  t.equal(
    server.output.stderr,
    [
      'The configuration is not valid:',
      '  - PORT is "http"; it accepts a whole number from 0 to 65535 (0 picks a free port)',
      '  - ADMIN_API_KEY is a value that does not fit (not shown: it is a secret); it accepts 16 to 200 characters without blanks',
      '  - LOG_LEVEL is "loud"; it accepts fatal, error, warn, info, debug, trace or silent',
      ''
    ].join('\n')
  )
  t.equal(server.output.stdout, '')
  t.notOk(existsSync(DATA_DIR))
})

t.test('a store that cannot be reached is one message, without its password', async (t) => {
  const unused = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => unused.once('listening', resolve))
  const { port } = unused.address() as { port: number }
  await new Promise((resolve) => unused.close(resolve))
  const DATABASE_URL = `postgres://sparkify:hunter2@127.0.0.1:${port}/sparkify`
  const DATA_DIR = temporaryDirectory(t)
  const server = spawnServer(t, { DATA_DIR, DATABASE_URL, SONG_DATA: DATA_DIR, LOG_DATA: DATA_DIR })
  t.same(await server.ended, { code: 1, signal: null })
  t.equal(
    server.output.stderr,
    'PostgreSQL cannot be reached (ECONNREFUSED). Check DATABASE_URL and the server.\n'
  )
  t.notOk(existsSync(join(DATA_DIR, 'lock.pid')), 'what was opened is closed again')
})
