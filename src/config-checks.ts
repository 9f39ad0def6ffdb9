/** What one setting asks of another: found at the start, not when the first cluster is created. */
import { isIP } from 'node:net'
import { canonicalCidr } from './cidr.ts'
import { nodeTypes } from './config-redshift.ts'
import type { Config } from './config-schema.ts'

/** Reserved words of Redshift that DATABASE_NAME and MASTER_USERNAME would otherwise accept. */
const reservedWords = new Set(
  `aes128 aes256 all allowoverwrite analyse analyze and any array as asc authorization az64 backup between binary
  blanksasnull both bytedict bzip2 case cast check collate column constraint create credentials cross current_date
  current_time current_timestamp current_user current_user_id default deferrable deflate defrag delta delta32k desc
  disable distinct do else emptyasnull enable encode encrypt encryption end except explicit false for foreign freeze
  from full globaldict256 globaldict64k grant group gzip having identity ignore ilike in initially inner intersect
  interval into is isnull join leading left like limit localtime localtimestamp lun luns lzo lzop minus mostly16
  mostly32 mostly8 natural new not notnull null nulls off offline offset oid old on only open or order outer overlaps
  parallel partition percent permissions pivot placing primary public raw readratio recover references rejectlog
  resort respect restore right select session_user similar snapshot some sysdate system table tag tdes text255
  text32k then timestamp to top trailing true truncatecolumns union unique unnest unpivot user using verbose wallet
  when where with without`.split(/\s+/)
)

/** What the checks look at: the settings with their defaults, and which of them were given. */
export interface CheckedSettings {
  config: Config
  isGiven: (name: string) => boolean
}

/** One sentence for everything that does not fit together. */
export function checkTogether(settings: CheckedSettings): string[] {
  return [
    ...checkSources(settings),
    ...checkIngress(settings.config),
    ...checkWebhooks(settings.config),
    ...checkOidc(settings.config),
    ...(settings.config.WAREHOUSE === 'redshift' ? checkRedshift(settings) : [])
  ]
}

const S3_PREFIX = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?$/
const isS3 = (location: string) => location.startsWith('s3://')
const asFolder = (url: string) => (url.endsWith('/') ? url : `${url}/`)

function checkSources({ config }: CheckedSettings): string[] {
  const named: [string, string][] = [
    ['SONG_DATA', config.SONG_DATA],
    ['LOG_DATA', config.LOG_DATA],
    ...config.source_roots.map((root): [string, string] => ['SOURCE_ROOTS', root])
  ]
  const malformed = named
    .filter(([, location]) => isS3(location) && !S3_PREFIX.test(location))
    .map(([name, location]) => `${name} is "${location}"; it accepts a directory or s3://bucket/prefix/`)
  const ofOurs = (['LOG_JSONPATHS', 'MANIFEST_PREFIX'] as const).flatMap((name) => {
    const url = config[name]
    const root = config.source_roots.find((root) => url?.startsWith(asFolder(root)))
    return root === undefined ? [] : [`${name} lies below ${root}, where it would be loaded as data; move it`]
  })
  return [...malformed, ...ofOurs]
}

function checkOidc({ OIDC_ISSUER, OIDC_AUDIENCE }: Config): string[] {
  if ((OIDC_ISSUER === undefined) === (OIDC_AUDIENCE === undefined)) return []
  return OIDC_AUDIENCE === undefined
    ? [
        'OIDC_ISSUER is set without OIDC_AUDIENCE; the tokens of every other service of the provider would be taken'
      ]
    : ['OIDC_AUDIENCE is set without OIDC_ISSUER']
}

function checkWebhooks({ webhook_hosts, WEBHOOK_SECRET }: Config): string[] {
  if (webhook_hosts.length === 0 || WEBHOOK_SECRET !== undefined) return []
  return ['WEBHOOK_HOSTS is set without WEBHOOK_SECRET; whoever is told could not know by whom']
}

function checkIngress(config: Config): string[] {
  return splitList(config.INGRESS_CIDRS)
    .filter((range) => canonicalCidr(range) === undefined)
    .map((range) => `INGRESS_CIDRS holds "${range}"; it accepts address ranges such as 203.0.113.7/32`)
}

function checkRedshift({ config, isGiven }: CheckedSettings): string[] {
  const problems: string[] = (['SONG_DATA', 'LOG_DATA'] as const)
    .filter((name) => !isS3(config[name]))
    .map(
      (name) =>
        `${name} is ${isGiven(name) ? `"${config[name]}"` : 'not set'}; with WAREHOUSE=redshift it accepts s3://bucket/prefix/`
    )
  if (config.SOURCE_ANONYMOUS) {
    problems.push(
      'SOURCE_ANONYMOUS is true; with WAREHOUSE=redshift the role of the cluster reads the sources'
    )
  }
  for (const root of isGiven('SOURCE_ROOTS') ? config.source_roots : []) {
    if (!isS3(root))
      problems.push(`SOURCE_ROOTS holds "${root}"; with WAREHOUSE=redshift it accepts S3 prefixes`)
  }
  if (isGiven('IAM_ROLE_NAME') && isGiven('IAM_ROLE_ARN')) {
    problems.push('IAM_ROLE_NAME and IAM_ROLE_ARN are both set; set one of them')
  }
  if (isGiven('IAM_MANAGED_POLICY_ARN') && isGiven('IAM_ROLE_ARN')) {
    problems.push(
      'IAM_MANAGED_POLICY_ARN is for a role of ours, and IAM_ROLE_ARN is used as it is; set one of them'
    )
  }
  const hasTunnel = config.cluster_mode === 'managed' || isGiven('REDSHIFT_TLS_SERVER_NAME')
  if (hasTunnel && config.REDSHIFT_HOST !== undefined && isIP(config.REDSHIFT_HOST) === 0) {
    // The driver would check the certificate against the tunnel's own name.
    problems.push(
      `REDSHIFT_HOST is "${config.REDSHIFT_HOST}"; a tunnel is named by its address, such as 127.0.0.1`
    )
  }
  return [
    ...problems,
    ...(config.cluster_mode === 'attached' ? checkAttached(config) : checkManaged(config, isGiven))
  ]
}

function checkManaged(config: Config, isGiven: CheckedSettings['isGiven']): string[] {
  const problems: string[] = []
  if (config.AWS_REGION === undefined) {
    problems.push('AWS_REGION is not set; WAREHOUSE=redshift needs a region such as us-west-2')
  }
  const fewest = nodeTypes[config.NODE_TYPE]
  if (config.NUMBER_OF_NODES < fewest) {
    problems.push(
      `NUMBER_OF_NODES is ${config.NUMBER_OF_NODES}; ${config.NODE_TYPE} needs at least ${fewest}`
    )
  }
  for (const name of ['DATABASE_NAME', 'MASTER_USERNAME'] as const) {
    if (reservedWords.has(config[name]))
      problems.push(`${name} is "${config[name]}", a reserved word of Redshift`)
  }
  for (const name of ['REDSHIFT_DATABASE', 'REDSHIFT_USER', 'REDSHIFT_PASSWORD']) {
    if (isGiven(name))
      problems.push(
        `${name} is set, but it is for an attached cluster; set REDSHIFT_HOST too or leave it out`
      )
  }
  return problems
}

function checkAttached(config: Config): string[] {
  const problems: string[] = []
  if (config.REDSHIFT_HOST === undefined) {
    problems.push('REDSHIFT_HOST is not set; CLUSTER_MODE=attached needs the host of the cluster')
  }
  if (config.REDSHIFT_USER === undefined) {
    problems.push('REDSHIFT_USER is not set; an attached cluster needs the database user')
  }
  if (config.REDSHIFT_PASSWORD === undefined && config.AWS_REGION === undefined) {
    problems.push('REDSHIFT_PASSWORD is not set; without it, temporary credentials of IAM need AWS_REGION')
  }
  if (config.IAM_ROLE_ARN === undefined) {
    problems.push(
      'IAM_ROLE_ARN is not set; COPY into an attached cluster needs a role that is attached to it'
    )
  }
  if (config.AWS_REGION === undefined && config.SOURCE_REGION === undefined) {
    problems.push('AWS_REGION is not set; the S3 sources of an attached cluster need it, or SOURCE_REGION')
  }
  return problems
}

/** The items of a list that is separated by commas. */
export const splitList = (list: string | undefined): string[] =>
  (list ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
