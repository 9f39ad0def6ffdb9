/**
 * The service's settings: one environment variable each. This is the documentation too: the README's table and
 * `.env.example` are tested against it.
 */
import { type Static, Type } from 'typebox'
import { choice, DATABASE, DATABASE_ACCEPTS, flag, REGION, S3_URL, text } from './config-fields.ts'
import { http } from './config-http.ts'
import { cluster, connection } from './config-redshift.ts'

/** Beyond the hours for which an Idempotency-Key, which goes with its job, is remembered. */
const days = (options: object) =>
  Type.Integer({ minimum: 7, maximum: 36_500, accepts: 'a whole number from 7 to 36500', ...options })

const service = {
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
  WEBHOOK_HOSTS: Type.Optional(
    text('host names, with a port where it is not 443, separated by commas', {
      pattern: '^[A-Za-z0-9.:, _\\[\\]-]+$',
      description: 'The only hosts that a `callback_url` may name. Default: none.'
    })
  ),
  WEBHOOK_SECRET: Type.Optional(
    text('16 to 200 characters without blanks', {
      pattern: '^[\\x21-\\x7e]{16,200}$',
      secret: true,
      description: 'Signs what is sent to a `callback_url`; needed with `WEBHOOK_HOSTS`.'
    })
  ),
  WEBHOOK_ALLOW_PRIVATE: flag({ description: 'Lets `WEBHOOK_HOSTS` be private, and takes plain http.' }),
  JOB_LEASE_SECONDS: Type.Integer({
    default: 30,
    minimum: 3,
    maximum: 600,
    accepts: 'a whole number from 3 to 600',
    description: 'Seconds after which a job whose process died, or hangs, is taken over by another one.'
  }),
  JOB_RETENTION_DAYS: days({
    default: 90,
    description: 'Days for which a job that succeeded or was cancelled is kept after its end.'
  }),
  FAILED_JOB_RETENTION_DAYS: days({
    default: 365,
    description: 'Days for which a failed job is kept after its end.'
  }),
  REJECT_RETENTION_DAYS: days({
    default: 365,
    description: 'Days for which rejects are kept in the warehouse; each load deletes those that are older.'
  }),
  QUALITY_GATE: choice(['warn', 'fail', 'off'], {
    default: 'warn',
    description:
      'What happens to a load that is unlike the loads before it: a warning in its receipt, or failure.'
  }),
  QUALITY_MAX_DRIFT: Type.Integer({
    default: 20,
    minimum: 0,
    maximum: 100,
    accepts: 'a whole number from 0 to 100',
    description:
      'Percentage points by which the share of rows without a value may leave what it was in the last 10 loads.'
  }),
  QUALITY_MAX_FACTOR: Type.Integer({
    default: 10,
    minimum: 1,
    maximum: 1_000_000,
    accepts: 'a whole number from 1 to 1000000',
    description: 'How many times more rows, or fewer, than in any of the last 10 loads there may be.'
  }),
  ANALYTICS_DIR: Type.Optional(
    text('a directory', {
      minLength: 1,
      description:
        'Canned queries of your own, one `.sql` file each, beside those that come with the service.'
    })
  ),
  QUERY_TIMEOUT_SECONDS: Type.Integer({
    default: 30,
    minimum: 1,
    maximum: 3600,
    accepts: 'a whole number from 1 to 3600',
    description: 'Seconds after which a canned query is stopped in the engine.'
  }),
  QUERY_CONCURRENCY: Type.Integer({
    default: 4,
    minimum: 1,
    maximum: 100,
    accepts: 'a whole number from 1 to 100',
    description: 'Canned queries that run at once; up to 100 times as many wait for their turn.'
  }),
  RESULT_CACHE_MB: Type.Integer({
    default: 64,
    minimum: 0,
    maximum: 65_536,
    accepts: 'a whole number from 0 to 65536',
    description: 'Memory for answers that are served again while the data is the same. 0: none are kept.'
  }),
  LOG_LEVEL: choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    default: 'info',
    description: 'Least severe level that is logged.'
  })
}

const sources = {
  SONG_DATA: Type.Optional(
    text('a directory or s3://bucket/prefix/', {
      minLength: 1,
      description: 'Where song objects are. Default: the sample data in `DATA_DIR/sample/song_data`.'
    })
  ),
  LOG_DATA: Type.Optional(
    text('a directory or s3://bucket/prefix/', {
      minLength: 1,
      description: 'Where event logs are. Default: the sample data in `DATA_DIR/sample/log_data`.'
    })
  ),
  SOURCE_ROOTS: Type.Optional(
    text('directories and S3 prefixes, separated by commas', {
      minLength: 1,
      description:
        'The only directories and S3 prefixes that a job may name. Default: `SONG_DATA` and `LOG_DATA`.'
    })
  ),
  SOURCE_REGION: Type.Optional(
    text('a region such as us-west-2', {
      pattern: REGION,
      description: 'Region of the S3 buckets. Default: `AWS_REGION`.'
    })
  ),
  SOURCE_ANONYMOUS: flag({
    description: 'Reads public buckets without credentials; for the embedded engine.'
  }),
  LOG_JSONPATHS: Type.Optional(
    text('s3://bucket/file.json', {
      pattern: `${S3_URL}/.*[^/]$`,
      description: 'A jsonpaths file for the COPY of event logs. Default: keys are matched by name.'
    })
  ),
  MANIFEST_PREFIX: Type.Optional(
    text('s3://bucket/prefix/, ending in a slash', {
      pattern: `${S3_URL}/(.*/)?$`,
      description:
        'Where the service may write manifests, so that COPY reads exactly the new objects. Default: COPY by prefix.'
    })
  ),
  COMPACT_OBJECTS: Type.Integer({
    default: 1000,
    minimum: 0,
    maximum: 1_000_000,
    accepts: 'a whole number from 0 to 1000000',
    description:
      'With `MANIFEST_PREFIX`: from so many small new objects on, they are put together into few gzip objects before COPY. 0: never.'
  })
}

const warehouse = {
  WAREHOUSE: choice(['duckdb', 'redshift'], { default: 'duckdb', description: 'Warehouse engine.' }),
  CLUSTER_IDENTIFIER: text('1 to 63 lower-case letters, digits and single hyphens, a letter first', {
    default: 'sparkify',
    pattern: '^(?=.{1,63}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$',
    description: 'Name of the cluster; of the DuckDB file when embedded.'
  }),
  DATABASE_NAME: text(DATABASE_ACCEPTS, {
    default: 'sparkify',
    pattern: DATABASE,
    description: 'Name of the database, asked for as confirmation before tables are dropped.'
  }),
  WAREHOUSE_MEMORY_MB: Type.Optional(
    Type.Integer({
      minimum: 256,
      maximum: 1_048_576,
      accepts: 'a whole number from 256 to 1048576',
      description:
        'Memory of the embedded engine; what needs more goes on in `DATA_DIR/tmp`. Default: 2500, or half of a small machine.'
    })
  )
}

export const ConfigSchema = Type.Object({
  ...service,
  ...http,
  ...warehouse,
  ...sources,
  ...cluster,
  ...connection
})

/** Settings whose value may also come from the file that `<NAME>_FILE` names: what containers do with secrets. */
export const fileSettings = ['ADMIN_API_KEY', 'DATABASE_URL', 'REDSHIFT_PASSWORD', 'WEBHOOK_SECRET'] as const

/** Settings as given, with defaults; paths absolute; the sample data where no source is set. */
export interface Config extends Static<typeof ConfigSchema> {
  SONG_DATA: string
  LOG_DATA: string
  /** True when neither source is set and the generated sample data is used. */
  uses_sample_data: boolean
  /** Hosts of WEBHOOK_HOSTS, in lower case. */
  webhook_hosts: string[]
  /** What OIDC_SCOPES says: a scope for each value of the claim. */
  oidc_scopes: Record<string, 'read' | 'operate' | 'admin'>
  /** Absolute directories and S3 prefixes. */
  source_roots: string[]
  /** The ranges of INGRESS_CIDRS in canonical form, each once. */
  ingress_cidrs: string[]
  /** `managed`: the service creates and deletes the cluster. `attached`: it only uses it. */
  cluster_mode: 'embedded' | 'managed' | 'attached'
}
