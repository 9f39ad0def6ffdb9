/** Reads the environment, here and nowhere else, and checks it against `ConfigSchema` and against itself. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Static } from 'typebox'
import { canonicalCidr } from './cidr.ts'
import { checkTogether, splitList } from './config-checks.ts'
import { type Config, ConfigSchema, fileSettings } from './config-schema.ts'
import { misfits } from './shape.ts'

export { type Config, ConfigSchema, fileSettings }

interface Documented {
  type?: string
  default?: unknown
  accepts?: string
  secret?: boolean
}

export class ConfigError extends Error {
  readonly problems: string[]

  constructor(problems: string[]) {
    super(`The configuration is not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/**
 * Reads and checks the settings. An empty variable counts as not set.
 * Throws a `ConfigError` that lists every wrong variable with what it got and what it accepts.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = []
  const given: Record<string, unknown> = {}
  const texts = new Map<string, string | undefined>()
  for (const [name, schema] of Object.entries(ConfigSchema.properties)) {
    const raw = readSetting(env, name, problems)
    const { default: preset, ...documented } = schema as Documented
    const value = raw === undefined ? preset : fromText(documented, raw)
    if (value === undefined) continue
    given[name] = value
    texts.set(name, raw)
  }
  const wrong = new Set(misfits(ConfigSchema, given).map(({ instancePath }) => instancePath.slice(1)))
  for (const [name, schema] of Object.entries(ConfigSchema.properties)) {
    if (wrong.has(name)) problems.push(describeProblem(name, schema as Documented, texts.get(name)))
  }
  if (problems.length > 0) throw new ConfigError(problems)
  const config = resolveSettings(given as Static<typeof ConfigSchema>)
  const isGiven = (name: string) => Boolean(env[name] || env[`${name}_FILE`])
  const conflicts = checkTogether({ config, isGiven })
  if (conflicts.length > 0) throw new ConfigError(conflicts)
  return config
}

function readSetting(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  problems: string[]
): string | undefined {
  const value = env[name] || undefined
  const file = (fileSettings as readonly string[]).includes(name)
    ? env[`${name}_FILE`] || undefined
    : undefined
  if (file === undefined) return value
  if (value !== undefined) {
    problems.push(`${name} and ${name}_FILE are both set; set one of them`)
    return undefined
  }
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    problems.push(
      `${name}_FILE names ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code})`
    )
    return undefined
  }
}

/** A number must be written in digits: a general conversion would take `80.5`, `0x50` and `true` for ports. */
function fromText({ type }: Documented, raw: string): unknown {
  if (type === 'integer' && /^\d+$/.test(raw)) return Number(raw)
  if (type === 'boolean' && /^(true|false)$/.test(raw)) return raw === 'true'
  return raw
}

function describeProblem(name: string, schema: Documented, raw: string | undefined): string {
  const got = schema.secret ? 'a value that does not fit (not shown: it is a secret)' : JSON.stringify(raw)
  return `${name} is ${got}; it accepts ${schema.accepts}`
}

function resolveSettings(settings: Static<typeof ConfigSchema>): Config {
  const dataDir = resolve(settings.DATA_DIR)
  const songData = resolveSource(settings.SONG_DATA ?? `${dataDir}/sample/song_data`)
  const logData = resolveSource(settings.LOG_DATA ?? `${dataDir}/sample/log_data`)
  const roots = settings.SOURCE_ROOTS === undefined ? [songData, logData] : splitList(settings.SOURCE_ROOTS)
  const mode = clusterMode(settings)
  const cidrs = splitList(settings.INGRESS_CIDRS).map((range) => canonicalCidr(range) ?? range)
  return {
    ...settings,
    DATA_DIR: dataDir,
    SONG_DATA: songData,
    LOG_DATA: logData,
    // What is asked for as confirmation has to be the database that loses its tables.
    DATABASE_NAME: (mode === 'attached' && settings.REDSHIFT_DATABASE) || settings.DATABASE_NAME,
    uses_sample_data: settings.SONG_DATA === undefined && settings.LOG_DATA === undefined,
    webhook_hosts: splitList(settings.WEBHOOK_HOSTS).map((host) => host.toLowerCase()),
    oidc_scopes: Object.fromEntries(splitList(settings.OIDC_SCOPES).map((pair) => pair.split('='))),
    source_roots: roots.map(resolveSource),
    ingress_cidrs: [...new Set(cidrs)],
    cluster_mode: mode
  }
}

function clusterMode({ WAREHOUSE, CLUSTER_MODE, REDSHIFT_HOST }: Static<typeof ConfigSchema>) {
  if (WAREHOUSE === 'duckdb') return 'embedded'
  return CLUSTER_MODE ?? (REDSHIFT_HOST === undefined ? 'managed' : 'attached')
}

const resolveSource = (location: string): string =>
  location.startsWith('s3://') ? location : resolve(location)
