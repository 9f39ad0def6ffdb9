/** The README is true: its commands exist, its tables are complete, its tour runs as printed. */
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import t from 'tap'
import { ConfigSchema, fileSettings } from '../src/config.ts'
import { errorCatalogue } from '../src/errors.ts'
import { temporaryDirectory } from './files.ts'
import { build, copyEmptyPglite } from './helper.ts'

const root = new URL('../', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, root), 'utf8')
const readme = read('README.md')

/** The cells of the table rows between two headings. */
function tableAfter(document: string, heading: string): string[][] {
  const section = document.split(`${heading}\n`)[1]?.split('\n#')[0] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('| ') || line.startsWith('|-'))
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim())
  )
}

t.test('every npm command that the documents name exists', async (t) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const builtIn = ['ci', 'test', 'start']
  for (const name of ['README.md', 'CONTRIBUTING.md', '.ci/run']) {
    const commands = [...read(name).matchAll(/npm (?:run )?([a-z:-]+)/g)].map(([, command]) => command ?? '')
    for (const command of commands.filter((command) => command !== 'audit' && command !== 'scripts')) {
      t.ok(command in scripts || builtIn.includes(command), `${name}: npm ${command}`)
    }
  }
})

t.test('every file that the documents link to exists', async (t) => {
  for (const name of [
    'README.md',
    'CONTRIBUTING.md',
    'client/README.md',
    'docs/production.md',
    'docs/redshift.md'
  ]) {
    for (const [, target = ''] of read(name).matchAll(/\]\(([^)h][^)]*)\)/g)) {
      t.doesNotThrow(() => readFileSync(new URL(target, new URL(name, root))), `${name}: ${target}`)
    }
  }
})

t.test('the settings are all in the README and in .env.example', async (t) => {
  const rows = tableAfter(readme, '## Configuration')
  const example = read('.env.example')
  const settings = Object.entries(ConfigSchema.properties).map(
    ([name, schema]) => [name, schema as { default?: unknown; description?: string }] as const
  )
  t.same(
    rows.map(([name]) => name),
    settings.map(([name]) => name)
  )
  for (const [index, [name, schema]] of settings.entries()) {
    const hasFile = (fileSettings as readonly string[]).includes(name)
    t.equal(rows[index]?.[1], String(schema.default ?? ''), `default of ${name}`)
    t.equal(rows[index]?.[2], schema.description + (hasFile ? ` Also ${name}_FILE.` : ''), `text of ${name}`)
    t.match(example, `#${name}=${schema.default ?? ''}\n`)
  }
})

t.test('the endpoints are all in the README, with their scopes', async (t) => {
  const { app } = await build(t)
  const document = app.swagger() as unknown as {
    paths: Record<string, Record<string, { description?: string; security?: unknown[] }>>
  }
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { description }]) => {
      const scope = /Scope: `(\w+)`/.exec(description ?? '')?.[1] ?? 'none'
      return [`${method.toUpperCase()} ${path}`, scope]
    })
  )
  const rows = tableAfter(readme, '## Endpoints').map(([endpoint, scope]) => [endpoint, scope])
  t.same(rows.map(String).sort(), operations.map(String).sort())
})

t.test('the errors are all in docs/errors.md', async (t) => {
  const rows = tableAfter(read('docs/errors.md'), '# Errors').map(([code, status, title]) => [
    code,
    status,
    title
  ])
  const errors = Object.entries(errorCatalogue).map(([code, { status, title }]) => [
    code,
    String(status),
    title
  ])
  t.same(rows, errors)
})

t.test('the tour runs as printed', { timeout: 60_000 }, async (t) => {
  const [, tour] = /<!-- tour[^>]*-->\n```sh\n([\s\S]*?)```/.exec(readme) ?? []
  t.ok(tour, 'the README has a tour')
  const directory = temporaryDirectory(t)
  await copyEmptyPglite(join(directory, 'var', 'store'))
  const server = spawn(process.execPath, [new URL('src/server.ts', root).pathname], {
    env: {
      ...process.env,
      NODE_V8_COVERAGE: '',
      PORT: '0',
      DATA_DIR: join(directory, 'var'),
      LOG_LEVEL: 'info'
    }
  })
  t.teardown(() => server.kill('SIGKILL'))
  let log = ''
  server.stdout.on('data', (chunk) => {
    log += chunk
  })
  let address: string | undefined
  for (let tries = 0; tries < 300 && address === undefined; tries += 1) {
    address = /http:\/\/127\.0\.0\.1:\d+/.exec(log)?.[0]
    await sleep(100)
  }
  t.ok(address, 'the service listens')
  const script = (tour ?? '').replace('http://127.0.0.1:3000', address ?? '')
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: directory })
  t.match(stdout, /"query":"top-songs".*"rows":\[\{"song_id":/, 'the top songs are answered')
  t.match(
    stdout,
    /"objects":0,"objects_skipped":\d+|"events":\{"read":0/,
    'the second load finds nothing new'
  )
  t.match(stdout, /"type":"cluster.teardown"[\s\S]*"status":"succeeded"/, 'the cluster is deleted')
})
