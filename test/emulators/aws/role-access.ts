/** What a cluster may do in a role: for an emulated COPY, so that a policy which is too narrow shows. */
import { trustsRedshift } from './policy-document.ts'
import type { Role, World } from './world.ts'

/** `not-assumable`: Redshift says "not authorized to assume IAM Role". `denied`: S3 says "Access Denied". */
export type RoleAccess = 'allowed' | 'denied' | 'not-assumable'

export interface RoleRequest {
  cluster: string
  roleArn: string
  /** `s3:GetObject` */
  action: string
  /** `arn:aws:s3:::bucket/key` */
  resource: string
  /** For `s3:ListBucket`: the prefix that is listed. */
  prefix?: string
}

interface Statement {
  Effect: string
  Action?: string | string[]
  Resource?: string | string[]
  Condition?: Record<string, Record<string, string | string[]>>
}

const listOf = (value: string | string[] | undefined) =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]

/** Policy patterns: `*` and `?` are wildcards, `${*}`, `${?}` and `${$}` those characters themselves. */
function matches(pattern: string, text: string, flags = ''): boolean {
  const source = pattern.replace(/\$\{([*?$])\}|[\s\S]/g, (found, literal?: string) => {
    if (literal === undefined && found === '*') return '[\\s\\S]*'
    if (literal === undefined && found === '?') return '[\\s\\S]'
    return (literal ?? found).replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  })
  return new RegExp(`^${source}$`, flags).test(text)
}

/** Only conditions on the listed prefix are understood; any other never holds. */
function holds(condition: Statement['Condition'], prefix: string | undefined): boolean {
  return Object.entries(condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) => {
      if (key !== 's3:prefix' || prefix === undefined) return false
      if (operator === 'StringEquals') return listOf(values).includes(prefix)
      return operator === 'StringLike' && listOf(values).some((value) => matches(value, prefix))
    })
  )
}

const s3Reads = ['s3:Get*', 's3:List*', 's3:Describe*']
const managed: Record<string, string[]> = {
  AmazonS3ReadOnlyAccess: s3Reads,
  AmazonS3FullAccess: ['s3:*'],
  AmazonRedshiftAllCommandsFullAccess: []
}

function statementsOf(role: Role): Statement[] {
  const attached = [...role.attached].map((arn): Statement => {
    return { Effect: 'Allow', Action: managed[arn.split('/').at(-1) ?? ''] ?? [], Resource: '*' }
  })
  const inline = [...role.inline.values()].flatMap((document): Statement[] => JSON.parse(document).Statement)
  return [...attached, ...inline]
}

/** Whether a cluster may do this in a role: attached and in sync, trusting Redshift, and allowed by its policies. */
export function roleAccess(world: World, request: RoleRequest): RoleAccess {
  const { cluster, roleArn, action, resource, prefix } = request
  const role = [...world.roles.values()].find(({ arn }) => arn === roleArn)
  const isAttached = world.clusters.get(cluster)?.roles.get(roleArn) === 'in-sync'
  if (!role || !isAttached || !trustsRedshift(role.trust)) return 'not-assumable'
  const applying = statementsOf(role).filter(
    ({ Action, Resource, Condition }) =>
      listOf(Action).some((pattern) => matches(pattern, action, 'i')) &&
      listOf(Resource).some((pattern) => matches(pattern, resource)) &&
      holds(Condition, prefix)
  )
  const isDenied = applying.some(({ Effect }) => Effect === 'Deny')
  return !isDenied && applying.length > 0 ? 'allowed' : 'denied'
}
