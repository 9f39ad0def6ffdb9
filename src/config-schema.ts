/**
 * The service's settings: one environment variable each. This is the documentation too: the README's table and
 * `.env.example` are tested against it.
 */
import { type Static, Type } from 'typebox'

const text = (accepts: string, options: object) => Type.String({ accepts, ...options })

const choice = <const Value extends string>(values: readonly Value[], options: object) =>
  Type.Unsafe<Value>(
    Type.Union(
      values.map((value) => Type.Literal(value)),
      { accepts: `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`, ...options }
    )
  )

const flag = (options: object) => Type.Boolean({ accepts: 'true or false', default: false, ...options })

/** Beyond the hours for which an Idempotency-Key, which goes with its job, is remembered. */
const days = (options: object) =>
  Type.Integer({ minimum: 7, maximum: 36_500, accepts: 'a whole number from 7 to 36500', ...options })

const S3_URL = '^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]'
const REGION = '^[a-z]{2}(-[a-z]+)+-\\d$'
const DATABASE = '^[a-z][a-z0-9_]{0,63}$'
const DATABASE_ACCEPTS = '1 to 64 lower-case letters, digits and underscores, a letter first'

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
  JOB_RETENTION_DAYS: days({
    default: 90,
    description: 'Days for which a job that succeeded or was cancelled is kept after its end.'
  }),
  FAILED_JOB_RETENTION_DAYS: days({
    default: 365,
    description: 'Days for which a failed job is kept after its end.'
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
  )
}

/** Node types that can still be created, with the fewest nodes that a cluster of them has. */
export const nodeTypes = {
  'ra3.large': 1,
  'ra3.xlplus': 1,
  'ra3.4xlarge': 2,
  'ra3.16xlarge': 2,
  'rg.large': 1,
  'rg.xlarge': 2,
  'rg.4xlarge': 2,
  'rg.12xlarge': 2
} as const
export type NodeType = keyof typeof nodeTypes
const nodeTypeNames = Object.keys(nodeTypes) as NodeType[]

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
  })
}

const cluster = {
  AWS_REGION: Type.Optional(
    text('a region such as us-west-2', {
      pattern: REGION,
      description:
        'Region of the cluster. Credentials come from where the AWS SDK finds them: environment, profile or role.'
    })
  ),
  NODE_TYPE: choice(nodeTypeNames, {
    default: 'ra3.large',
    accepts: `${nodeTypeNames.join(', ')} (dc2 nodes can no longer be created)`,
    description: 'Node type of a new cluster.'
  }),
  NUMBER_OF_NODES: Type.Integer({
    default: 4,
    minimum: 1,
    maximum: 100,
    accepts: 'a whole number from 1 to 100',
    description: 'Nodes of a new cluster.'
  }),
  DATABASE_PORT: Type.Integer({
    default: 5439,
    accepts: 'a port from 5431 to 5455 or from 8191 to 8215',
    anyOf: [
      { minimum: 5431, maximum: 5455 },
      { minimum: 8191, maximum: 8215 }
    ],
    description: 'Port of a new cluster.'
  }),
  MASTER_USERNAME: text(DATABASE_ACCEPTS, {
    default: 'sparkify_admin',
    pattern: DATABASE,
    description:
      'Database user of a new cluster. The service logs in as this user with temporary credentials.'
  }),
  IAM_ROLE_NAME: text('1 to 64 letters, digits and any of +=,.@_-', {
    default: 'sparkify-redshift',
    pattern: '^[A-Za-z0-9+=,.@_-]{1,64}$',
    description: 'IAM role to create, which reads the sources for the cluster.'
  }),
  IAM_ROLE_ARN: Type.Optional(
    text('the ARN of an IAM role', {
      pattern: '^arn:aws[a-z-]*:iam::\\d{12}:role/[\\x21-\\x7e]{1,512}$',
      description: 'An existing role to use as it is, in place of `IAM_ROLE_NAME`.'
    })
  ),
  IAM_MANAGED_POLICY_ARN: Type.Optional(
    text('the ARN of an IAM policy', {
      pattern: '^arn:aws[a-z-]*:iam::(aws|\\d{12}):policy/[\\x21-\\x7e]{1,512}$',
      description:
        'A managed policy for the created role, such as AmazonS3ReadOnlyAccess. Default: an inline policy for exactly the configured prefixes.'
    })
  ),
  INGRESS_CIDRS: Type.Optional(
    text('address ranges such as 203.0.113.7/32, separated by commas', {
      minLength: 1,
      description: 'Who may connect to the cluster, the service included. Default: nobody.'
    })
  ),
  ALLOW_OPEN_INGRESS: flag({ description: 'Allows `INGRESS_CIDRS` to hold 0.0.0.0/0 or ::/0.' }),
  PUBLICLY_ACCESSIBLE: flag({ description: 'Gives the cluster a public address.' }),
  SUBNET_GROUP_NAME: Type.Optional(
    text('the name of a cluster subnet group', {
      pattern: '^[A-Za-z0-9._@ -]{1,255}$',
      description: "Subnet group of a new cluster. Default: the region's default VPC."
    })
  ),
  PRICE_TABLE_FILE: Type.Optional(
    text('a JSON file like src/cloud/price-table.json', {
      minLength: 1,
      description: 'Prices for the cost estimates. Default: the dated table that comes with the service.'
    })
  )
}

const connection = {
  CLUSTER_MODE: Type.Optional(
    choice(['managed', 'attached'], {
      description:
        'Whether the service creates and deletes the cluster, or only uses it. Default: `attached` when `REDSHIFT_HOST` is set, else `managed`.'
    })
  ),
  REDSHIFT_HOST: Type.Optional(
    text('an IP address or host name', {
      pattern: '^[A-Za-z0-9.:_-]+$',
      description: 'An existing cluster to attach; with `CLUSTER_MODE=managed`, a tunnel to ours.'
    })
  ),
  REDSHIFT_PORT: Type.Integer({
    default: 5439,
    minimum: 1,
    maximum: 65535,
    accepts: 'a whole number from 1 to 65535',
    description: 'Port at `REDSHIFT_HOST`.'
  }),
  REDSHIFT_DATABASE: Type.Optional(
    text('1 to 127 characters', {
      pattern: '^[^\\x00-\\x1f\\x7f]{1,127}$',
      description: 'Database of an attached cluster. Default: `DATABASE_NAME`.'
    })
  ),
  REDSHIFT_USER: Type.Optional(
    text('1 to 127 characters', {
      pattern: '^[^\\x00-\\x1f\\x7f]{1,127}$',
      description: 'Database user of an attached cluster.'
    })
  ),
  REDSHIFT_PASSWORD: Type.Optional(
    text('1 to 127 characters', {
      pattern: '^[^\\x00-\\x1f\\x7f]{1,127}$',
      secret: true,
      description: 'Its password. Default: temporary credentials of IAM for `CLUSTER_IDENTIFIER`.'
    })
  ),
  REDSHIFT_TLS_SERVER_NAME: Type.Optional(
    text('a host name', {
      pattern: '^[A-Za-z0-9.-]+$',
      description: "The name in the cluster's certificate, where `REDSHIFT_HOST` is a tunnel."
    })
  ),
  REDSHIFT_TLS_CA_FILE: Type.Optional(
    text('a PEM file', {
      minLength: 1,
      description: "Certificate authorities in place of Node's own."
    })
  ),
  STATEMENT_TIMEOUT_SECONDS: Type.Integer({
    default: 3600,
    minimum: 1,
    maximum: 86400,
    accepts: 'a whole number from 1 to 86400',
    description: 'Longest that one statement may run in the cluster.'
  })
}

export const ConfigSchema = Type.Object({ ...service, ...warehouse, ...sources, ...cluster, ...connection })

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
  /** Absolute directories and S3 prefixes. */
  source_roots: string[]
  /** The ranges of INGRESS_CIDRS in canonical form, each once. */
  ingress_cidrs: string[]
  /** `managed`: the service creates and deletes the cluster. `attached`: it only uses it. */
  cluster_mode: 'embedded' | 'managed' | 'attached'
}
