/** What Redshift refuses of a cluster's description, in its words where they are known. */
import { AwsError, invalidCombination, invalidValue } from './errors.ts'
import { trustsRedshift } from './policy-document.ts'
import { isReserved } from './redshift-reserved-words.ts'
import type { World } from './world.ts'

/** Fewest nodes of each type; `dc2` can no longer be created. */
const nodeTypes: Record<string, number> = {
  'rg.large': 1,
  'rg.xlarge': 2,
  'rg.4xlarge': 2,
  'rg.12xlarge': 2,
  'ra3.large': 1,
  'ra3.xlplus': 1,
  'ra3.4xlarge': 2,
  'ra3.16xlarge': 2
}

/** Clusters and snapshots are named by the same rule; only the length differs. */
export function checkIdentifier(parameter: string, value: string, maxLength: number): void {
  if (value.length <= maxLength && /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(value)) return
  const rule =
    'Identifiers must begin with a letter; must contain only lowercase ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.'
  throw invalidValue(`The parameter ${parameter} is not a valid identifier. ${rule}`)
}

export function checkUserName(value: string): void {
  const valid = /^[a-z][a-z0-9_+.@-]{0,127}$/.test(value)
  if (!valid || value === 'public' || isReserved(value)) {
    throw invalidValue(`The parameter MasterUsername is not a valid user name: ${value}`)
  }
}

export function checkPassword(value: string): void {
  const because = (reason: string) =>
    invalidValue(`The parameter MasterUserPassword is not a valid password${reason}`)
  if (value.length < 8) throw because(' because it is shorter than 8 characters.')
  if (value.length > 64) throw because(' because it is longer than 64 characters.')
  if (!/^[\x21-\x7e]+$/.test(value) || /['"\\/@]/.test(value)) {
    throw because(`. Only printable ASCII characters except for '/', '@', '"', ' ', '\\', ''' may be used.`)
  }
  const missing = [
    [/[A-Z]/, 'uppercase letter'],
    [/[a-z]/, 'lowercase letter'],
    [/[0-9]/, 'number']
  ] as const
  for (const [pattern, what] of missing) {
    if (!pattern.test(value)) throw because(`. It must contain at least one ${what}.`)
  }
}

export function checkDatabaseName(value: string): void {
  if (value !== value.toLowerCase()) throw invalidValue('Only lowercase Database names are supported.')
  if (!/^[a-z_][a-z0-9_$]{0,63}$/.test(value)) {
    throw invalidValue(
      `The parameter DBName must begin with a letter and contain only alphanumeric characters: ${value}`
    )
  }
  if (isReserved(value)) throw invalidValue(`The parameter DBName is a reserved word: ${value}`)
}

export function checkPort(port: number): void {
  if ((port >= 5431 && port <= 5455) || (port >= 8191 && port <= 8215)) return
  throw invalidValue(`Port ${port} is not valid for this node type. Use a port from 5431-5455 or 8191-8215.`)
}

/** The number of nodes, from a cluster type, a node type and what was asked for. */
export function checkNodes(type: string | undefined, nodeType: string, asked: number | undefined): number {
  const fewest = nodeTypes[nodeType]
  if (fewest === undefined) throw invalidValue(`Invalid node type: ${nodeType}`)
  if (type !== undefined && type !== 'single-node' && type !== 'multi-node') {
    throw invalidValue(`Invalid cluster type: ${type}`)
  }
  const single = type === 'single-node'
  if (single && asked !== undefined) {
    throw invalidValue('Number of nodes must be not be supplied for cluster type single-node.')
  }
  const nodes = asked ?? 1
  if (!single && nodes < 2) {
    throw invalidCombination('Number of nodes for cluster type multi-node must be greater than or equal to 2')
  }
  if (nodes < fewest) {
    throw invalidCombination(`Node type ${nodeType} requires at least ${fewest} nodes.`)
  }
  if (nodes > 100) throw invalidValue('Number of nodes must be from 1 to 100.')
  return nodes
}

/** How long automated snapshots are kept: never 0 for these node types. */
export function checkAutomatedRetention(days: number): void {
  if (days >= 1 && days <= 35) return
  throw invalidValue(
    `Invalid automated snapshot retention period: ${days}. Must be from 1 to 35 for this node type.`
  )
}

export function checkManualRetention(days: number): void {
  if (days === -1 || (days >= 1 && days <= 3653)) return
  const message = 'The retention period must be either -1 or an integer between 1 and 3,653.'
  throw new AwsError('InvalidRetentionPeriodFault', message)
}

export function checkEncrypted(encrypted: boolean | undefined): void {
  if (encrypted === false)
    throw invalidCombination('Unencrypted clusters are not supported. Encrypted must be true.')
}

/** A role that Redshift cannot take looks the same whether it is new, wrong or not there at all. */
export function checkRoles(world: World, arns: readonly string[]): void {
  if (arns.length > 50) throw invalidValue('A cluster can have at most 50 IAM roles.')
  for (const arn of arns) {
    const role = [...world.roles.values()].find((found) => found.arn === arn)
    const since = role && Math.max(role.createdAt, role.trustChangedAt)
    const spread = since !== undefined && since + world.delays.rolePropagation <= world.now()
    if (role && spread && trustsRedshift(role.trust)) continue
    throw invalidValue(
      `The IAM role ${arn} is not valid. The IAM role must delegate access to an Amazon Redshift account.`
    )
  }
}

/** Security groups have to be in the cluster's VPC. */
export function checkGroups(world: World, ids: readonly string[], vpcId: string): void {
  for (const id of ids) {
    if (world.groups.get(id)?.vpcId === vpcId) continue
    throw invalidValue(`VPC Security group ${id} does not exist in VPC ${vpcId}`)
  }
}
