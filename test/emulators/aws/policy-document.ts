/** Checks policy documents as IAM does when they are stored. */
import { AwsError } from './errors.ts'

type Json = Record<string, unknown>
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const malformed = (message: string) => new AwsError('MalformedPolicyDocument', message)

const versions = ['2012-10-17', '2008-10-17']
/** The service principals that this account knows; a misspelt one is refused. */
const knownServices = [
  'redshift.amazonaws.com',
  'redshift-serverless.amazonaws.com',
  'ec2.amazonaws.com',
  'lambda.amazonaws.com',
  'glue.amazonaws.com',
  'scheduler.redshift.amazonaws.com'
]

/** A text, or a list of texts that is not empty; undefined when it is neither. */
function texts(value: unknown): string[] | undefined {
  const list = Array.isArray(value) ? value : [value]
  return list.length > 0 && list.every((item) => typeof item === 'string') ? (list as string[]) : undefined
}

function statements(document: string): Json[] {
  let policy: unknown
  try {
    policy = JSON.parse(document)
  } catch {
    throw malformed('This policy contains invalid Json')
  }
  if (!isObject(policy)) throw malformed('Syntax errors in policy.')
  if (policy.Version !== undefined && !versions.includes(policy.Version as string)) {
    throw malformed('The policy must contain a valid version string')
  }
  const found = Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement]
  if (found.length === 0 || !found.every(isObject)) throw malformed('Syntax errors in policy.')
  return found as Json[]
}

function checkCommon(statement: Json): string[] {
  if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') throw malformed('Syntax errors in policy.')
  const actions = texts(statement.Action ?? statement.NotAction)
  if (!actions) throw malformed('Policy statement must contain actions.')
  if (!actions.every((action) => action === '*' || /^[a-z0-9-]+:[A-Za-z0-9*?]+$/i.test(action))) {
    throw malformed('Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.')
  }
  return actions
}

function checkPrincipal(principal: unknown): void {
  if (principal === undefined) throw malformed('Missing required field Principal')
  if (!isObject(principal)) throw malformed('AssumeRole policy may not specify a wildcard principal')
  for (const service of texts(principal.Service ?? []) ?? []) {
    if (!knownServices.includes(service))
      throw malformed(`Invalid principal in policy: "SERVICE":"${service}"`)
  }
}

/** A trust policy: who may take the role. */
export function checkTrustPolicy(document: string): void {
  for (const statement of statements(document)) {
    const actions = checkCommon(statement)
    if (statement.Resource !== undefined) throw malformed('Has prohibited field Resource')
    checkPrincipal(statement.Principal)
    const isTrustAction = (action: string) =>
      ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'].includes(action)
    if (!actions.every((action) => isTrustAction(action) || action.startsWith('sts:AssumeRoleWith'))) {
      throw malformed('AssumeRole policy may only specify STS AssumeRole actions.')
    }
  }
}

/** A permissions policy: what the role may do. */
export function checkPermissionsPolicy(document: string): void {
  for (const statement of statements(document)) {
    checkCommon(statement)
    if (statement.Principal !== undefined) throw malformed('Policy document should not specify a principal.')
    const resources = texts(statement.Resource ?? statement.NotResource)
    if (!resources) throw malformed('Policy statement must contain resources.')
    const wrong = resources.find(
      (resource) => resource !== '*' && !/^arn:[^:]*:[^:]*:[^:]*:[^:]*:.+/.test(resource)
    )
    if (wrong !== undefined) throw malformed(`Resource ${wrong} must be in ARN format or "*".`)
  }
}

/** Whether Redshift may take a role with this trust policy. Conditions are not looked at. */
export function trustsRedshift(document: string): boolean {
  return statements(document).some((statement) => {
    const principal = statement.Principal
    const services = isObject(principal) ? (texts(principal.Service ?? []) ?? []) : []
    const actions = texts(statement.Action) ?? []
    const assumes = actions.includes('sts:AssumeRole')
    return statement.Effect === 'Allow' && assumes && services.includes('redshift.amazonaws.com')
  })
}
