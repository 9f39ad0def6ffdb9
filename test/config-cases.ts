/** Of every setting: its default, values that it takes (as themselves, unless said otherwise), and values that it does not. */
import { resolve } from 'node:path'
import type { ConfigSchema } from '../src/config.ts'

export interface ConfigCase {
  default: unknown
  valid: (string | [string, unknown])[]
  invalid: string[]
  accepts: string
  /** Settings without which it is refused. */
  beside?: Record<string, string>
}

const hosts = {
  valid: ['0.0.0.0', '::', '::1', 'localhost', 'db-1.example.org'],
  invalid: ['a b', 'http://localhost', 'a,b', ' '],
  accepts: 'an IP address or host name'
}
const notNumbers = ['80.5', '80.0', '1e3', '0x50', '+80', ' 80', 'true', 'http', '99999999999999999999']
const flag: ConfigCase = {
  default: false,
  valid: [
    ['true', true],
    ['false', false]
  ],
  invalid: ['yes', '1', 'TRUE'],
  accepts: 'true or false'
}
const region: ConfigCase = {
  default: undefined,
  valid: ['us-west-2', 'us-gov-east-1'],
  invalid: ['US-WEST-2', 'us-west', 'oregon'],
  accepts: 'a region such as us-west-2'
}
const database = {
  valid: ['a', 'sparkify_2', 'a'.repeat(64)],
  invalid: ['A', '_a', '1a', 'a-b', 'a"b', 'a'.repeat(65)],
  accepts: '1 to 64 lower-case letters, digits and underscores, a letter first'
}
const shortText: ConfigCase = {
  default: undefined,
  valid: ['a', 'Dev DB', 'ü'.repeat(127)],
  invalid: ['a\nb', 'a'.repeat(128)],
  accepts: '1 to 127 characters'
}
const source = { default: undefined, invalid: [], accepts: 'a directory or s3://bucket/prefix/' }

export const configCases: Record<keyof typeof ConfigSchema.properties, ConfigCase> = {
  HOST: { default: '127.0.0.1', ...hosts },
  PORT: {
    default: 3000,
    valid: [
      ['0', 0],
      ['1', 1],
      ['8080', 8080],
      ['65535', 65535]
    ],
    invalid: ['-1', '65536', ...notNumbers],
    accepts: 'a whole number from 0 to 65535 (0 picks a free port)'
  },
  DATA_DIR: {
    default: resolve('var'),
    valid: [
      ['/srv/data', '/srv/data'],
      ['data', resolve('data')],
      ['../data/', resolve('../data')]
    ],
    invalid: [],
    accepts: 'a directory that this process may write'
  },
  ADMIN_API_KEY: {
    default: undefined,
    valid: ['a'.repeat(16), 'a'.repeat(200), '!~0123456789abcdef'],
    invalid: ['a'.repeat(15), 'a'.repeat(201), 'with a blank in the middle', 'pässwörter-ungeeignet'],
    accepts: '16 to 200 characters without blanks'
  },
  DATABASE_URL: {
    default: undefined,
    valid: ['postgres://user:pa%20ss@host:5432/db?sslmode=require', 'postgresql:///db'],
    invalid: ['postgres://', 'mysql://user:secret@host/db', 'host=localhost', 'POSTGRES://host/db'],
    accepts: 'a URL that starts with postgres:// or postgresql://'
  },
  WEBHOOK_HOSTS: {
    default: undefined,
    valid: ['hooks.example.com', 'hooks.example.com, 127.0.0.1:8443', '[::1]:8080'],
    invalid: ['https://hooks.example.com', 'hooks.example.com/path'],
    accepts: 'host names, with a port where it is not 443, separated by commas',
    beside: { WEBHOOK_SECRET: 'a'.repeat(16) }
  },
  WEBHOOK_SECRET: {
    default: undefined,
    valid: ['a'.repeat(16), 'a'.repeat(200)],
    invalid: ['a'.repeat(15), 'with a blank in the middle'],
    accepts: '16 to 200 characters without blanks'
  },
  WEBHOOK_ALLOW_PRIVATE: {
    default: false,
    valid: [
      ['true', true],
      ['false', false]
    ],
    invalid: ['yes', '1'],
    accepts: 'true or false'
  },
  JOB_LEASE_SECONDS: {
    default: 30,
    valid: [
      ['3', 3],
      ['600', 600]
    ],
    invalid: ['2', '601', '7.5', '30s'],
    accepts: 'a whole number from 3 to 600'
  },
  JOB_RETENTION_DAYS: {
    default: 90,
    valid: [
      ['7', 7],
      ['36500', 36500]
    ],
    invalid: ['6', '36501', '30.5', 'forever'],
    accepts: 'a whole number from 7 to 36500'
  },
  FAILED_JOB_RETENTION_DAYS: {
    default: 365,
    valid: [
      ['7', 7],
      ['36500', 36500]
    ],
    invalid: ['6', '36501', '30.5', 'forever'],
    accepts: 'a whole number from 7 to 36500'
  },
  REJECT_RETENTION_DAYS: {
    default: 365,
    valid: [['7', 7]],
    invalid: ['6', '36501'],
    accepts: 'a whole number from 7 to 36500'
  },
  QUALITY_GATE: {
    default: 'warn',
    valid: ['warn', 'fail', 'off'],
    invalid: ['on', 'WARN'],
    accepts: 'warn, fail or off'
  },
  QUALITY_MAX_DRIFT: {
    default: 20,
    valid: [
      ['0', 0],
      ['100', 100]
    ],
    invalid: ['101', '-1', '5%'],
    accepts: 'a whole number from 0 to 100'
  },
  QUALITY_MAX_FACTOR: {
    default: 10,
    valid: [['1', 1]],
    invalid: ['0', '1000001', 'ten'],
    accepts: 'a whole number from 1 to 1000000'
  },
  ANALYTICS_DIR: { default: undefined, valid: ['/queries'], invalid: [], accepts: 'a directory' },
  QUERY_TIMEOUT_SECONDS: {
    default: 30,
    valid: [['3600', 3600]],
    invalid: ['0', '3601', '1.5'],
    accepts: 'a whole number from 1 to 3600'
  },
  QUERY_CONCURRENCY: {
    default: 4,
    valid: [['1', 1]],
    invalid: ['0', '101'],
    accepts: 'a whole number from 1 to 100'
  },
  RESULT_CACHE_MB: {
    default: 64,
    valid: [['0', 0]],
    invalid: ['-1', '65537', '1GB'],
    accepts: 'a whole number from 0 to 65536'
  },
  LOG_LEVEL: {
    default: 'info',
    valid: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    invalid: ['INFO', 'verbose', '0', 'true'],
    accepts: 'fatal, error, warn, info, debug, trace or silent'
  },
  // What it asks of other settings is tested in config-redshift.test.ts.
  ALLOWED_HOSTS: {
    default: undefined,
    valid: ['warehouse.example.org', 'a, b'],
    invalid: ['http://a', 'a/b'],
    accepts: 'host names, separated by commas'
  },
  RATE_LIMIT_PER_MINUTE: {
    default: 60_000,
    valid: [
      ['0', 0],
      ['10000000', 10_000_000]
    ],
    invalid: ['-1', '10000001', ...notNumbers],
    accepts: 'a whole number from 0 to 10000000'
  },
  METRICS: {
    default: 'key',
    valid: ['key', 'open', 'off'],
    invalid: ['on', 'true'],
    accepts: 'key, open or off'
  },
  WAREHOUSE: {
    default: 'duckdb',
    valid: ['duckdb'],
    invalid: ['DuckDB', 'duckdb ', 'postgres'],
    accepts: 'duckdb or redshift'
  },
  CLUSTER_IDENTIFIER: {
    default: 'sparkify',
    valid: ['a', 'sparkify-2', 'a'.repeat(63)],
    invalid: ['A', '1a', 'a-', 'a--b', 'a_b', '../a', 'a'.repeat(64)],
    accepts: '1 to 63 lower-case letters, digits and single hyphens, a letter first'
  },
  DATABASE_NAME: { default: 'sparkify', ...database },
  WAREHOUSE_MEMORY_MB: {
    default: undefined,
    valid: [
      ['256', 256],
      ['8000', 8000]
    ],
    invalid: ['255', '1048577', '2GB', '-1'],
    accepts: 'a whole number from 256 to 1048576'
  },
  SONG_DATA: {
    ...source,
    default: resolve('var/sample/song_data'),
    valid: [['songs', resolve('songs')], 's3://bucket/songs/']
  },
  LOG_DATA: {
    ...source,
    default: resolve('var/sample/log_data'),
    valid: [['/logs', '/logs'], 's3://bucket/logs']
  },
  SOURCE_ROOTS: {
    default: undefined,
    valid: ['/a', '/a,b , c', 's3://bucket/,b'],
    invalid: [],
    accepts: 'directories and S3 prefixes, separated by commas'
  },
  SOURCE_REGION: region,
  SOURCE_ANONYMOUS: flag,
  LOG_JSONPATHS: {
    default: undefined,
    valid: ['s3://bucket/log_json_path.json'],
    invalid: ['paths.json', 's3://bucket/', 's3://bucket', 's3://B/a.json'],
    accepts: 's3://bucket/file.json'
  },
  MANIFEST_PREFIX: {
    default: undefined,
    valid: ['s3://bucket/', 's3://bucket/manifests/'],
    invalid: ['s3://bucket/manifests', 'manifests/', 's3://b'],
    accepts: 's3://bucket/prefix/, ending in a slash'
  },
  COMPACT_OBJECTS: {
    default: 1000,
    valid: [['0', 0]],
    invalid: ['-1', '1000001', 'many'],
    accepts: 'a whole number from 0 to 1000000'
  },
  AWS_REGION: region,
  NODE_TYPE: {
    default: 'ra3.large',
    valid: ['ra3.xlplus', 'rg.12xlarge'],
    invalid: ['dc2.large', 'RA3.LARGE', 'large'],
    accepts:
      'ra3.large, ra3.xlplus, ra3.4xlarge, ra3.16xlarge, rg.large, rg.xlarge, rg.4xlarge, rg.12xlarge (dc2 nodes can no longer be created)'
  },
  NUMBER_OF_NODES: {
    default: 4,
    valid: [
      ['1', 1],
      ['100', 100]
    ],
    invalid: ['0', '101', '-1', ...notNumbers],
    accepts: 'a whole number from 1 to 100'
  },
  DATABASE_PORT: {
    default: 5439,
    valid: [
      ['5431', 5431],
      ['5455', 5455],
      ['8191', 8191],
      ['8215', 8215]
    ],
    invalid: ['5430', '5456', '8190', '8216', ...notNumbers],
    accepts: 'a port from 5431 to 5455 or from 8191 to 8215'
  },
  MASTER_USERNAME: { default: 'sparkify_admin', ...database },
  IAM_ROLE_NAME: {
    default: 'sparkify-redshift',
    valid: ['a', 'dwhRole', 'A+=,.@_-9', 'a'.repeat(64)],
    invalid: ['a b', 'role/a', 'a'.repeat(65)],
    accepts: '1 to 64 letters, digits and any of +=,.@_-'
  },
  IAM_ROLE_ARN: {
    default: undefined,
    valid: ['arn:aws:iam::123456789012:role/dwhRole', 'arn:aws-us-gov:iam::123456789012:role/path/a'],
    invalid: ['dwhRole', 'arn:aws:iam::12:role/a', 'arn:aws:iam::123456789012:user/a'],
    accepts: 'the ARN of an IAM role'
  },
  IAM_MANAGED_POLICY_ARN: {
    default: undefined,
    valid: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess', 'arn:aws:iam::123456789012:policy/a'],
    invalid: ['AmazonS3ReadOnlyAccess', 'arn:aws:iam::aws:role/a'],
    accepts: 'the ARN of an IAM policy'
  },
  INGRESS_CIDRS: {
    default: undefined,
    valid: ['203.0.113.7/32', '203.0.113.7/32, 2001:db8::/32'],
    invalid: [],
    accepts: 'address ranges such as 203.0.113.7/32, separated by commas'
  },
  ALLOW_OPEN_INGRESS: flag,
  PUBLICLY_ACCESSIBLE: flag,
  SUBNET_GROUP_NAME: {
    default: undefined,
    valid: ['default', 'Private subnets_1.a@b'],
    invalid: ['a/b', 'a'.repeat(256)],
    accepts: 'the name of a cluster subnet group'
  },
  PRICE_TABLE_FILE: {
    default: undefined,
    valid: ['prices.json'],
    invalid: [],
    accepts: 'a JSON file like src/cloud/price-table.json'
  },
  CLUSTER_IDLE_PAUSE_MINUTES: {
    default: 0,
    valid: [
      ['0', 0],
      ['30', 30],
      ['10080', 10_080]
    ],
    invalid: ['-1', '10081', '1.5', 'never'],
    accepts: 'a whole number from 0 to 10080'
  },
  CLUSTER_RESUME_ON_DEMAND: flag,
  CLUSTER_TTL_HOURS: {
    default: 0,
    valid: [
      ['0', 0],
      ['8760', 8760]
    ],
    invalid: ['-1', '8761', '0.5', 'never'],
    accepts: 'a whole number from 0 to 8760'
  },
  CLUSTER_TTL_SNAPSHOT: { ...flag, default: true },
  OIDC_ISSUER: {
    default: undefined,
    beside: { OIDC_AUDIENCE: 'us' },
    valid: ['https://login.example.com/tenant/v2.0', 'http://127.0.0.1:8080', 'http://localhost/realms/x'],
    invalid: [
      'login.example.com',
      'http://login.example.com',
      'https://a b',
      'https://a?x=1',
      'http://127.0.0.1.evil.org'
    ],
    accepts: 'a URL that starts with https://, or with http:// on this machine'
  },
  OIDC_AUDIENCE: {
    default: undefined,
    beside: { OIDC_ISSUER: 'https://login.example.com' },
    valid: ['sparkify', 'https://warehouse.example.com'],
    invalid: ['a\u0000', 'x'.repeat(501)],
    accepts: '1 to 500 characters'
  },
  OIDC_SCOPE_CLAIM: {
    default: 'scope',
    valid: ['groups', 'realm_access.roles', 'https://example.com/roles'],
    invalid: ['a b', 'x'.repeat(201)],
    accepts: '1 to 200 characters without spaces'
  },
  OIDC_SCOPES: {
    default: 'read=read,operate=operate,admin=admin',
    valid: ['analysts=read', 'analysts=read, engineers=operate'],
    invalid: ['analysts', 'analysts=write', 'a=read,', '=read'],
    accepts: 'value=scope pairs, separated by commas; a scope is read, operate or admin'
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    default: undefined,
    valid: ['http://127.0.0.1:4318', 'https://collector.example.org/otlp'],
    invalid: ['localhost:4318', 'grpc://x', 'http://a b'],
    accepts: 'a URL that starts with http:// or https://'
  },
  OTEL_SERVICE_NAME: {
    default: 'sparkify-warehouse',
    valid: ['warehouse of the analytics team'],
    invalid: ['x'.repeat(101), 'a\u0007'],
    accepts: '1 to 100 characters'
  },
  CLUSTER_MODE: {
    default: undefined,
    valid: ['managed', 'attached'],
    invalid: ['embedded', 'Managed'],
    accepts: 'managed or attached'
  },
  REDSHIFT_HOST: { default: undefined, ...hosts },
  REDSHIFT_PORT: {
    default: 5439,
    valid: [
      ['1', 1],
      ['65535', 65535]
    ],
    invalid: ['0', '65536', ...notNumbers],
    accepts: 'a whole number from 1 to 65535'
  },
  REDSHIFT_DATABASE: shortText,
  REDSHIFT_USER: shortText,
  REDSHIFT_PASSWORD: shortText,
  REDSHIFT_TLS_SERVER_NAME: {
    default: undefined,
    valid: ['sparkify.abc.us-west-2.redshift.amazonaws.com'],
    invalid: ['a b', 'https://a', 'a:5439'],
    accepts: 'a host name'
  },
  REDSHIFT_TLS_CA_FILE: {
    default: undefined,
    valid: ['/etc/ssl/ca.pem'],
    invalid: [],
    accepts: 'a PEM file'
  },
  STATEMENT_TIMEOUT_SECONDS: {
    default: 3600,
    valid: [
      ['1', 1],
      ['86400', 86400]
    ],
    invalid: ['0', '86401', ...notNumbers],
    accepts: 'a whole number from 1 to 86400'
  }
}
