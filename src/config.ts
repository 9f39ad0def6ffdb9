/**
 * The service's settings: one environment variable each, read here and nowhere else.
 * `ConfigSchema` is the documentation too: the README's table and `.env.example` are tested against it.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'

const text = (accepts: string, options: object) => Type.String({ accepts, ...options })

export const ConfigSchema = Type.Object({
  HOST: text('an IP address or host name', {
    default: '127.0.0.1',
    pattern: '^[A-Za-z0-9.:_-]+$',
    description: 'Address to listen on. The default is reachable from this machine only.'
  }),
  PORT: Type.Integer({
    default: 3000,
    minimum: 0,
    maximum: 65535,
    accepts: 'a whole number from 0 to 65535 (0 picks a free port)',
    description: 'Port to listen on.'
  }),
  DATA_DIR: text('a directory that this process may write', {
    default: './var',
    minLength: 1,
    description: 'Embedded store, embedded warehouse, sample data, spool, lock and generated admin key.'
  }),
  ADMIN_API_KEY: Type.Optional(
    text('16 to 200 characters without blanks', {
      pattern: '^[\\x21-\\x7e]{16,200}$',
      secret: true,
      description: 'Bootstrap admin key. Default: generated once, kept in `DATA_DIR/admin.key`.'
    })
  ),
  DATABASE_URL: Type.Optional(
    text('a URL that starts with postgres:// or postgresql://', {
      pattern: '^postgres(ql)?://.+',
      secret: true,
      description: 'PostgreSQL for the control store. Default: PGlite in `DATA_DIR`.'
    })
  ),
  WAREHOUSE: Type.Literal('duckdb', {
    default: 'duckdb',
    accepts: 'duckdb',
    description: 'Warehouse engine.'
  }),
  SONG_DATA: Type.Optional(
    text('a directory', {
      minLength: 1,
      description: 'Where song objects are. Default: the sample data in `DATA_DIR/sample/song_data`.'
    })
  ),
  LOG_DATA: Type.Optional(
    text('a directory', {
      minLength: 1,
      description: 'Where event logs are. Default: the sample data in `DATA_DIR/sample/log_data`.'
    })
  ),
  SOURCE_ROOTS: Type.Optional(
    text('directories, separated by commas', {
      minLength: 1,
      description: 'The only directories that a job may name. Default: `SONG_DATA` and `LOG_DATA`.'
    })
  ),
  CLUSTER_IDENTIFIER: text('1 to 63 lower-case letters, digits and single hyphens, a letter first', {
    default: 'sparkify',
    pattern: '^(?=.{1,63}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$',
    description: 'Name of the cluster; of the DuckDB file when embedded.'
  }),
  DATABASE_NAME: text('1 to 64 lower-case letters, digits and underscores, a letter first', {
    default: 'sparkify',
    pattern: '^[a-z][a-z0-9_]{0,63}$',
    description: 'Name of the database, asked for as confirmation before tables are dropped.'
  }),
  LOG_LEVEL: Type.Union(
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map((level) => Type.Literal(level)),
    {
      default: 'info',
      accepts: 'fatal, error, warn, info, debug, trace or silent',
      description: 'Least severe level that is logged.'
    }
  )
})

/** Settings whose value may also come from the file that `<NAME>_FILE` names: what containers do with secrets. */
export const fileSettings = ['ADMIN_API_KEY', 'DATABASE_URL'] as const

interface Documented {
  type?: string
  default?: unknown
  accepts?: string
  secret?: boolean
}

/** Settings as given, with defaults; paths absolute; the sample data where no source is set. */
export interface Config extends Static<typeof ConfigSchema> {
  SONG_DATA: string
  LOG_DATA: string
  /** True when neither source is set and the generated sample data is used. */
  uses_sample_data: boolean
  source_roots: string[]
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
  for (const [name, schema] of Object.entries(ConfigSchema.properties)) {
    const raw = readSetting(env, name, problems)
    const { default: preset, ...documented } = schema as Documented
    const value = raw === undefined ? preset : fromText(documented, raw)
    if (value === undefined) continue
    given[name] = value
    if (!Value.Check(schema, value)) problems.push(describeProblem(name, documented, raw))
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return resolvePaths(given as Static<typeof ConfigSchema>)
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
  return type === 'integer' && /^\d+$/.test(raw) ? Number(raw) : raw
}

function describeProblem(name: string, schema: Documented, raw: string | undefined): string {
  const got = schema.secret ? 'a value that does not fit (not shown: it is a secret)' : JSON.stringify(raw)
  return `${name} is ${got}; it accepts ${schema.accepts}`
}

function resolvePaths(settings: Static<typeof ConfigSchema>): Config {
  const dataDir = resolve(settings.DATA_DIR)
  const songData = resolve(settings.SONG_DATA ?? `${dataDir}/sample/song_data`)
  const logData = resolve(settings.LOG_DATA ?? `${dataDir}/sample/log_data`)
  const roots = settings.SOURCE_ROOTS?.split(',').map((root) => root.trim()) ?? [songData, logData]
  return {
    ...settings,
    DATA_DIR: dataDir,
    SONG_DATA: songData,
    LOG_DATA: logData,
    uses_sample_data: settings.SONG_DATA === undefined && settings.LOG_DATA === undefined,
    source_roots: roots.filter((root) => root !== '').map((root) => resolve(root))
  }
}
