import { chmodSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { ConfigError, ConfigSchema, fileSettings, loadConfig } from '../src/config.ts'
import { configCases } from './config-cases.ts'
import { temporaryDirectory, writeFiles } from './files.ts'

type Name = keyof typeof ConfigSchema.properties
const names = Object.keys(ConfigSchema.properties) as Name[]

/** The problems of an environment that is not valid. */
function problemsOf(env: Record<string, string>): string[] {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

const defaults = Object.fromEntries(names.map((name) => [name, configCases[name].default]))

t.test('an empty environment gives the defaults', async (t) => {
  t.same(loadConfig({ PATH: '/bin' }), {
    ...Object.fromEntries(Object.entries(defaults).filter(([, value]) => value !== undefined)),
    uses_sample_data: true,
    source_roots: [defaults.SONG_DATA, defaults.LOG_DATA],
    ingress_cidrs: [],
    webhook_hosts: [],
    oidc_scopes: { read: 'read', operate: 'operate', admin: 'admin' },
    cluster_mode: 'embedded'
  })
})

t.test('an empty variable counts as not set', async (t) => {
  const everything = [...names, ...fileSettings.map((name) => `${name}_FILE`)]
  t.same(loadConfig(Object.fromEntries(everything.map((name) => [name, '']))), loadConfig({}))
})

for (const name of names) {
  const { valid, invalid, accepts, beside } = configCases[name]
  t.test(name, async (t) => {
    t.same(loadConfig({})[name], defaults[name], 'its default')
    for (const entry of valid) {
      const [given, expected] = typeof entry === 'string' ? [entry, entry] : entry
      t.equal(loadConfig({ [name]: given, ...beside })[name], expected, `it accepts ${given}`)
    }
    const isSecret = 'secret' in ConfigSchema.properties[name]
    for (const given of invalid) {
      const got = isSecret ? 'a value that does not fit (not shown: it is a secret)' : JSON.stringify(given)
      t.same(problemsOf({ [name]: given }), [`${name} is ${got}; it accepts ${accepts}`])
    }
  })
}

t.test('sources', async (t) => {
  const songs = loadConfig({ SONG_DATA: 'songs' })
  t.match(songs, { SONG_DATA: resolve('songs'), LOG_DATA: defaults.LOG_DATA, uses_sample_data: false })
  t.same(songs.source_roots, [resolve('songs'), defaults.LOG_DATA])
  const moved = loadConfig({ DATA_DIR: '/srv' })
  t.match(moved, {
    SONG_DATA: '/srv/sample/song_data',
    LOG_DATA: '/srv/sample/log_data',
    uses_sample_data: true
  })
  t.same(loadConfig({ SOURCE_ROOTS: ' /a ,b,, /c/' }).source_roots, ['/a', resolve('b'), '/c'])
  t.same(loadConfig({ SOURCE_ROOTS: ',' }).source_roots, [], 'nothing may be read')
})

t.test('a secret may stand in a file', async (t) => {
  const directory = temporaryDirectory(t)
  writeFiles(directory, {
    key: 'a-key-of-at-least-16\n',
    url: 'postgres://localhost/db\r\n',
    wrong: 'secret',
    empty: '\n'
  })
  const file = (name: string) => join(directory, name)
  t.match(loadConfig({ ADMIN_API_KEY_FILE: file('key'), DATABASE_URL_FILE: file('url') }), {
    ADMIN_API_KEY: 'a-key-of-at-least-16',
    DATABASE_URL: 'postgres://localhost/db'
  })
  const notShown = 'a value that does not fit (not shown: it is a secret)'
  for (const name of ['wrong', 'empty']) {
    t.same(problemsOf({ ADMIN_API_KEY_FILE: file(name) }), [
      `ADMIN_API_KEY is ${notShown}; it accepts 16 to 200 characters without blanks`
    ])
  }
  t.same(problemsOf({ ADMIN_API_KEY: 'a-key-of-at-least-16', ADMIN_API_KEY_FILE: file('key') }), [
    'ADMIN_API_KEY and ADMIN_API_KEY_FILE are both set; set one of them'
  ])
  t.same(problemsOf({ DATABASE_URL_FILE: file('none') }), [
    `DATABASE_URL_FILE names ${file('none')}, which cannot be read (ENOENT)`
  ])
  t.same(problemsOf({ DATABASE_URL_FILE: directory }), [
    `DATABASE_URL_FILE names ${directory}, which cannot be read (EISDIR)`
  ])
  // Root may read everything.
  if (process.getuid?.() !== 0) {
    chmodSync(file('key'), 0)
    t.match(problemsOf({ ADMIN_API_KEY_FILE: file('key') }), [/which cannot be read \(EACCES\)$/])
  }
  t.equal(loadConfig({ PORT_FILE: file('none') }).PORT, 3000, 'other settings have no file')
})

t.test('every secret has a file, and a file is for secrets only', async (t) => {
  const secrets = names.filter((name) => 'secret' in ConfigSchema.properties[name])
  t.same([...fileSettings].sort(), secrets.sort())
})

t.test('all problems are told at once, and no secret with them', async (t) => {
  const env = {
    PORT: 'x',
    ADMIN_API_KEY: 'tell nobody',
    LOG_LEVEL: 'loud',
    DATABASE_URL_FILE: '/does/not/exist'
  }
  t.throws(() => loadConfig(env), {
    name: 'ConfigError',
    message: [
      'The configuration is not valid:',
      '  - DATABASE_URL_FILE names /does/not/exist, which cannot be read (ENOENT)',
      '  - PORT is "x"; it accepts a whole number from 0 to 65535 (0 picks a free port)',
      '  - ADMIN_API_KEY is a value that does not fit (not shown: it is a secret); it accepts 16 to 200 characters without blanks',
      '  - LOG_LEVEL is "loud"; it accepts fatal, error, warn, info, debug, trace or silent'
    ].join('\n')
  })
})

t.test('a provider of tokens needs an audience', async (t) => {
  const OIDC_ISSUER = 'https://login.example.com'
  t.same(problemsOf({ OIDC_ISSUER }), [
    'OIDC_ISSUER is set without OIDC_AUDIENCE; the tokens of every other service of the provider would be taken'
  ])
  t.same(problemsOf({ OIDC_AUDIENCE: 'us' }), ['OIDC_AUDIENCE is set without OIDC_ISSUER'])
  const { oidc_scopes } = loadConfig({
    OIDC_ISSUER,
    OIDC_AUDIENCE: 'us',
    OIDC_SCOPES: 'a:b=read, https://x/y=admin'
  })
  t.same(oidc_scopes, { 'a:b': 'read', 'https://x/y': 'admin' })
})

t.test('webhooks need a secret', async (t) => {
  t.same(problemsOf({ WEBHOOK_HOSTS: 'hooks.example.com' }), [
    'WEBHOOK_HOSTS is set without WEBHOOK_SECRET; whoever is told could not know by whom'
  ])
  const { webhook_hosts } = loadConfig({
    WEBHOOK_HOSTS: 'A.example.com, b:8443',
    WEBHOOK_SECRET: 'a'.repeat(16)
  })
  t.same(webhook_hosts, ['a.example.com', 'b:8443'])
})
