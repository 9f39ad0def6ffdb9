/** The settings for Redshift: what they accept alone, and what one asks of another. */
import { join } from 'node:path'
import t from 'tap'
import { ConfigError, loadConfig } from '../src/config.ts'
import { temporaryDirectory, writeFiles } from './files.ts'

const base = {
  WAREHOUSE: 'redshift',
  AWS_REGION: 'us-west-2',
  SONG_DATA: 's3://udacity-dend/song_data',
  LOG_DATA: 's3://udacity-dend/log_data/'
}
const attached = {
  ...base,
  REDSHIFT_HOST: 'dwh.example.com',
  REDSHIFT_USER: 'dwhuser',
  REDSHIFT_PASSWORD: 'Passw0rd',
  IAM_ROLE_ARN: 'arn:aws:iam::123456789012:role/dwhRole'
}

function problemsOf(env: Record<string, string | undefined>): string[] {
  try {
    loadConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

t.test('three settings are enough; the rest has defaults', async (t) => {
  t.match(loadConfig(base), {
    cluster_mode: 'managed',
    CLUSTER_IDENTIFIER: 'sparkify',
    NODE_TYPE: 'ra3.large',
    NUMBER_OF_NODES: 4,
    DATABASE_NAME: 'sparkify',
    DATABASE_PORT: 5439,
    MASTER_USERNAME: 'sparkify_admin',
    IAM_ROLE_NAME: 'sparkify-redshift',
    PUBLICLY_ACCESSIBLE: false,
    ALLOW_OPEN_INGRESS: false,
    ingress_cidrs: [],
    uses_sample_data: false,
    source_roots: ['s3://udacity-dend/song_data', 's3://udacity-dend/log_data/']
  })
})

t.test('S3 prefixes stay as they are, directories become absolute', async (t) => {
  const { source_roots, SONG_DATA, cluster_mode } = loadConfig({
    SONG_DATA: 's3://bucket/songs',
    LOG_DATA: 'logs',
    SOURCE_ROOTS: 's3://bucket/, data'
  })
  t.equal(SONG_DATA, 's3://bucket/songs')
  t.same(source_roots, ['s3://bucket/', join(process.cwd(), 'data')])
  t.equal(cluster_mode, 'embedded')
})

t.test('ingress ranges are canonical, each once', async (t) => {
  const { ingress_cidrs } = loadConfig({ ...base, INGRESS_CIDRS: '203.0.113.7, 203.0.113.7/32,10.1.2.3/8' })
  t.same(ingress_cidrs, ['203.0.113.7/32', '10.0.0.0/8'])
})

t.test('a host means an attached cluster, unless it is said to be a tunnel to ours', async (t) => {
  t.equal(loadConfig(attached).cluster_mode, 'attached')
  t.equal(loadConfig({ ...attached, REDSHIFT_DATABASE: 'Dev DB' }).DATABASE_NAME, 'Dev DB')
  const tunnel = { ...base, CLUSTER_MODE: 'managed', REDSHIFT_HOST: '127.0.0.1', REDSHIFT_PORT: '15439' }
  t.match(loadConfig(tunnel), { cluster_mode: 'managed', REDSHIFT_PORT: 15439 })
})

t.test('a password may come from a file', async (t) => {
  const directory = temporaryDirectory(t)
  writeFiles(directory, { password: 'from-a-file\n' })
  const env = {
    ...attached,
    REDSHIFT_PASSWORD: undefined,
    REDSHIFT_PASSWORD_FILE: join(directory, 'password')
  }
  t.equal(loadConfig(env).REDSHIFT_PASSWORD, 'from-a-file')
})

t.test('what is wrong is told with what is accepted', async (t) => {
  const cases: [Record<string, string | undefined>, RegExp[]][] = [
    [{ WAREHOUSE: 'snowflake' }, [/^WAREHOUSE is "snowflake"; it accepts duckdb or redshift$/]],
    [{ NODE_TYPE: 'dc2.large' }, [/^NODE_TYPE is "dc2.large".*dc2 nodes can no longer be created/]],
    [{ NUMBER_OF_NODES: '0' }, [/^NUMBER_OF_NODES is "0"/]],
    [
      { NODE_TYPE: 'ra3.4xlarge', NUMBER_OF_NODES: '1' },
      [/^NUMBER_OF_NODES is 1; ra3.4xlarge needs at least 2$/]
    ],
    [
      { DATABASE_PORT: '5456' },
      [/^DATABASE_PORT is "5456"; it accepts a port from 5431 to 5455 or from 8191/]
    ],
    [{ DATABASE_NAME: 'user' }, [/^DATABASE_NAME is "user", a reserved word of Redshift$/]],
    [{ MASTER_USERNAME: 'public' }, [/^MASTER_USERNAME is "public", a reserved word/]],
    [{ INGRESS_CIDRS: '10.0.0.0/8,nope' }, [/^INGRESS_CIDRS holds "nope"; it accepts address ranges/]],
    [{ PUBLICLY_ACCESSIBLE: 'maybe' }, [/^PUBLICLY_ACCESSIBLE is "maybe"; it accepts true or false$/]],
    [{ AWS_REGION: undefined }, [/^AWS_REGION is not set; WAREHOUSE=redshift needs a region/]],
    [{ SONG_DATA: undefined }, [/^SONG_DATA is not set; with WAREHOUSE=redshift it accepts s3/]],
    [{ LOG_DATA: '/data' }, [/^LOG_DATA is "\/data"; with WAREHOUSE=redshift it accepts s3/]],
    [
      { SONG_DATA: 's3://B/x' },
      [/^SONG_DATA is "s3:\/\/B\/x"; it accepts a directory or s3/, /^SOURCE_ROOTS/]
    ],
    [{ SOURCE_ROOTS: 's3://udacity-dend/,/data' }, [/^SOURCE_ROOTS holds "\/data"/]],
    [
      { IAM_ROLE_NAME: 'a', IAM_ROLE_ARN: 'arn:aws:iam::123456789012:role/a' },
      [/^IAM_ROLE_NAME and IAM_ROLE_ARN are both set/]
    ],
    [
      {
        IAM_MANAGED_POLICY_ARN: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess',
        IAM_ROLE_ARN: 'arn:aws:iam::123456789012:role/a'
      },
      [/^IAM_MANAGED_POLICY_ARN is for a role of ours/]
    ],
    [{ IAM_ROLE_ARN: 'role/a' }, [/^IAM_ROLE_ARN is "role\/a"; it accepts the ARN of an IAM role$/]],
    [
      { LOG_JSONPATHS: 's3://udacity-dend/log_data/paths.json' },
      [/^LOG_JSONPATHS lies below s3:\/\/udacity-dend\/log_data\/, where it would be loaded as data/]
    ],
    [{ MANIFEST_PREFIX: 's3://udacity-dend/song_data/m/' }, [/^MANIFEST_PREFIX lies below/]],
    [{ MANIFEST_PREFIX: 's3://mine/manifests' }, [/^MANIFEST_PREFIX is .*ending in a slash$/]],
    [
      { SOURCE_ANONYMOUS: 'true' },
      [/^SOURCE_ANONYMOUS is true; with WAREHOUSE=redshift the role of the cluster/]
    ],
    [{ REDSHIFT_PASSWORD: 'x' }, [/^REDSHIFT_PASSWORD is set, but it is for an attached cluster/]],
    [
      { CLUSTER_MODE: 'attached' },
      [/^REDSHIFT_HOST is not set/, /^REDSHIFT_USER is not set/, /^IAM_ROLE_ARN/]
    ],
    [
      { CLUSTER_MODE: 'managed', REDSHIFT_HOST: 'localhost' },
      [/^REDSHIFT_HOST is "localhost"; a tunnel is named by its address/]
    ]
  ]
  for (const [change, expected] of cases) {
    const problems = problemsOf({ ...base, ...change })
    t.match(problems, expected, JSON.stringify(change))
    t.equal(problems.length, expected.length, problems.join('; '))
  }
})

t.test('an attached cluster needs a login, a role for COPY and a region for its sources', async (t) => {
  t.match(
    problemsOf({ ...attached, REDSHIFT_PASSWORD: undefined, AWS_REGION: undefined, IAM_ROLE_ARN: undefined }),
    [
      /^REDSHIFT_PASSWORD is not set; without it, temporary credentials of IAM need AWS_REGION$/,
      /^IAM_ROLE_ARN is not set/,
      /^AWS_REGION is not set; the S3 sources of an attached cluster need it, or SOURCE_REGION$/
    ]
  )
  t.same(problemsOf({ ...attached, AWS_REGION: undefined, SOURCE_REGION: 'us-west-2' }), [])
})

t.test('a secret is never shown', async (t) => {
  const [problem] = problemsOf({ ...attached, REDSHIFT_PASSWORD: 'canary\nline' })
  t.match(problem, /^REDSHIFT_PASSWORD is a value that does not fit \(not shown: it is a secret\)/)
})
