/** The layers of the design: who may know whom, and what only one file may touch. */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { filesOfSuite } from './suite-files.ts'

const src = fileURLToPath(new URL('../src/', import.meta.url))

/** What each layer may import beside itself. `type` in front allows `import type` alone. */
const allowed: Record<string, { from: string[]; because: string }> = {
  'server.ts': {
    from: ['serve'],
    because: 'the program: nothing is loaded before it has found the compiled code'
  },
  'serve.ts': {
    from: ['app', 'parts', 'admin-key', 'config', 'errors', 'services', 'store'],
    because: 'the process: it puts everything together, listens and exits'
  },
  'admin-key.ts': {
    from: ['services', 'type config'],
    because: 'makes the first key when the process starts'
  },
  'parts.ts': {
    from: ['aws-parts', 'cloud', 'sources', 'store', 'tracing', 'warehouse', 'type app', 'type config'],
    because: 'opens what the service stands on'
  },
  'tracing.ts': { from: ['version'], because: 'sends traces, loaded only where they are wanted' },
  'aws-parts.ts': {
    from: ['cloud', 'sources', 'warehouse', 'type app', 'type config'],
    because: 'the same for what speaks to AWS, loaded only where it is used'
  },
  'app.ts': {
    from: [
      'plugins',
      'routes',
      'schemas',
      'services',
      'type cloud',
      'type config',
      'type sources',
      'type store',
      'type warehouse'
    ],
    because: 'the table of contents: it wires services to routes'
  },
  plugins: {
    from: ['services', 'schemas', 'errors', 'version', 'type config'],
    because: 'HTTP, beside the routes'
  },
  routes: { from: ['services', 'schemas', 'errors', 'version'], because: 'HTTP: they know services alone' },
  services: {
    from: [
      'warehouse',
      'cloud',
      'store',
      'sources',
      'schemas',
      'errors',
      'shape',
      'sql',
      'version',
      'type config'
    ],
    because: 'they know every engine by its interface, and no HTTP'
  },
  schemas: {
    from: ['errors', 'type warehouse'],
    because: 'shapes alone; rows of analytics are made of the values that a warehouse returns'
  },
  cloud: {
    from: ['config', 'cidr', 'errors', 'shape', 'sql', 'type warehouse'],
    because: 'a cluster is what the settings ask for; the embedded one is the file of the embedded warehouse'
  },
  warehouse: {
    from: ['sources', 'errors', 'shape', 'sql'],
    because: 'the embedded warehouse reads objects itself where the engine cannot: siblings too'
  },
  store: { from: ['errors', 'sql'], because: 'jobs, keys and events are above it' },
  sources: { from: ['errors'], because: 'files and objects, whatever they hold' },
  'config.ts': {
    from: ['config-schema', 'config-checks', 'cidr', 'shape'],
    because: 'read before anything else'
  },
  'config-checks.ts': { from: ['config-schema', 'config-redshift', 'cidr'], because: 'a part of config.ts' },
  'config-schema.ts': {
    from: ['config-http', 'config-redshift', 'config-fields'],
    because: 'a part of config.ts'
  },
  'config-redshift.ts': { from: ['config-fields'], because: 'a part of config.ts' },
  'config-http.ts': { from: ['config-fields'], because: 'a part of config.ts' },
  'config-fields.ts': { from: [], because: 'the lowest layer' },
  'cidr.ts': { from: [], because: 'the lowest layer' },
  'errors.ts': { from: [], because: 'everybody throws them' },
  'shape.ts': { from: [], because: 'the lowest layer' },
  'sql.ts': { from: [], because: 'the lowest layer' },
  'version.ts': { from: [], because: 'the lowest layer' }
}

interface Import {
  file: string
  /** The file it names below src, or the package. */
  target: string
  isType: boolean
}

const files = globSync('**/*.ts', { cwd: src }).sort()
const textOf = new Map(files.map((file) => [file, readFileSync(join(src, file), 'utf8')]))
const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
const imports = files.flatMap((file) => importsOf(file, withoutComments(textOf.get(file) ?? '')))

/** Static imports, re-exports, dynamic imports, and files that are named for a thread. */
function importsOf(file: string, text: string): Import[] {
  const statement = /^(?:import|export)\s+(type\s)?(?:[^'"]*?\sfrom\s+)?'([^']+)'/gm
  const inline = /(?:\bimport\(|\bnew URL\()\s*'([^']+\.ts)'/g
  const found = [
    ...[...text.matchAll(statement)].map(([, type, name]) => ({ name, isType: type !== undefined })),
    ...[...text.matchAll(inline)].map(([, name]) => ({ name, isType: false }))
  ]
  return found.map(({ name = '', isType }) => ({
    ...{ file, isType },
    target: name.startsWith('.') ? normalize(join(dirname(file), name)) : name
  }))
}

const layerOf = (file: string) => file.split('/')[0] ?? file
const isOurs = ({ target }: Import) => textOf.has(target)

t.test('the imports are all found', async (t) => {
  t.ok(imports.length > 150, `${imports.length} imports in ${files.length} files`)
  const named = imports.filter(({ target }) => target.endsWith('.ts'))
  t.strictSame(
    named.filter((each) => !isOurs(each)),
    [],
    'every one of our own leads to a file'
  )
  const withImport = new Set(imports.map(({ file }) => file))
  const mentioning = files.filter((file) => /^import /m.test(textOf.get(file) ?? ''))
  t.strictSame(
    mentioning.filter((file) => !withImport.has(file)),
    []
  )
})

t.test('every layer has its place in the table, with the reason', async (t) => {
  t.strictSame([...new Set(files.map(layerOf))].sort(), Object.keys(allowed).sort())
  for (const [layer, { because }] of Object.entries(allowed)) t.ok(because.length > 10, layer)
})

t.test('dependencies point one way', async (t) => {
  for (const { file, target, isType } of imports.filter(isOurs)) {
    const [from, to] = [layerOf(file), layerOf(target)]
    if (from === to) continue
    const name = to.replace('.ts', '')
    const list = allowed[from]?.from ?? []
    const isAllowed = list.includes(name) || (isType && list.includes(`type ${name}`))
    t.ok(isAllowed, `${file} imports ${isType ? 'the types of ' : ''}${target}`)
  }
})

t.test('the table allows nothing that nobody needs', async (t) => {
  for (const [layer, { from }] of Object.entries(allowed)) {
    const used = imports.filter((each) => isOurs(each) && layerOf(each.file) === layer)
    for (const entry of from) {
      const name = entry.replace('type ', '')
      const isUsed = used.some(({ target }) => layerOf(target).replace('.ts', '') === name)
      t.ok(isUsed, `${layer} may import ${entry}`)
    }
  }
})

t.test('nothing below the routes knows HTTP', async (t) => {
  const http = /^(@?fastify\b|@fastify\/|node:https?$|node:http2$)/
  for (const { file, target } of imports) {
    if (['plugins', 'routes', 'app.ts'].includes(layerOf(file))) continue
    t.notMatch(target, http, `${file} imports ${target}`)
  }
  for (const layer of ['warehouse', 'cloud', 'store', 'sources', 'sql.ts', 'errors.ts', 'schemas']) {
    const above = imports.filter(({ file }) => layerOf(file) === layer).map(({ target }) => layerOf(target))
    for (const name of ['services', 'routes', 'plugins', 'app.ts'])
      t.notOk(above.includes(name), `${layer}: ${name}`)
  }
})

t.test('no file needs itself, whatever the way', async (t) => {
  const targets = Map.groupBy(imports.filter(isOurs), ({ file }) => file)
  const done = new Set<string>()
  const cycles: string[] = []
  function visit(file: string, path: string[]) {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
    if (path.includes(file) || done.has(file)) return
    for (const { target } of targets.get(file) ?? []) visit(target, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  t.strictSame(cycles, [])
})

/** Files of src in which a pattern occurs outside of comments. */
const filesWith = (pattern: RegExp) =>
  files.filter((file) => pattern.test(withoutComments(textOf.get(file) ?? '')))

t.test('only one file each touches the environment, exits and listens', async (t) => {
  const environment = filesWith(/\bprocess\.env\b|\bprocess\[|\benv\b.*from 'node:process'/)
  t.strictSame(
    environment.filter((file) => !['config.ts', 'serve.ts', 'server.ts'].includes(file)),
    []
  )
  t.ok(environment.includes('server.ts'))
  t.strictSame(filesWith(/\bprocess\.(exit|exitCode|abort)\b/), ['serve.ts'])
  t.strictSame(filesWith(/\b(app|server|fastify)\.listen\(/), ['serve.ts'], 'buildApp() never listens')
  t.strictSame(filesWith(/\bprocess\.on\(/), ['serve.ts'], 'signals are for the process')
})

t.test('a file ends before 300 lines', async (t) => {
  for (const [file, text] of textOf)
    t.ok(text.split('\n').length <= 300, `${file}: ${text.split('\n').length} lines`)
})

t.test('every test file runs once, in one suite', async (t) => {
  const tests = fileURLToPath(new URL('./', import.meta.url))
  const suites = globSync('suites/*', { cwd: tests }).map((file) => basename(file))
  const files = globSync('**/*.test.ts', { cwd: tests, exclude: ['suites/**'] })
  t.strictSame(suites.flatMap(filesOfSuite).map(normalize).sort(), files.sort())
})

t.test('an error that nobody catches fails its file, wherever it comes from', async (t) => {
  const file = `
    import { setTimeout as sleep } from 'node:timers/promises'
    import t from 'tap'
    t.test('throws late', async () => {
      setTimeout(() => { throw new Error('thrown late') }, 5)
      await sleep(50)
    })
    t.test('rejects late', async () => {
      sleep(5).then(() => { throw new Error('rejected late') })
      await sleep(50)
    })
  `
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--import', './test/domains.ts', '--input-type=module', '--eval', file],
    { cwd: fileURLToPath(new URL('../', import.meta.url)), encoding: 'utf8' }
  )
  t.equal(status, 1)
  t.match(stdout, 'not ok 3 - thrown late')
  t.match(stdout, 'not ok 4 - rejected late')
})
