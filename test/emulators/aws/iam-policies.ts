/** IAM: the inline and managed policies of roles. */
import { AwsError } from './errors.ts'
import { findRole } from './iam-role.ts'
import type { Params } from './params.ts'
import { checkPermissionsPolicy } from './policy-document.ts'
import { type Operation, paginate } from './service.ts'
import { encodeRfc3986 } from './sigv4.ts'
import type { Role } from './world.ts'

/** The managed policies that exist; attaching any other fails. */
const managedPolicies = [
  'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess',
  'arn:aws:iam::aws:policy/AmazonS3FullAccess',
  'arn:aws:iam::aws:policy/AmazonRedshiftAllCommandsFullAccess',
  'arn:aws:iam::aws:policy/AmazonRedshiftFullAccess'
]
const maxInlineCharacters = 10_240

function inlinePolicy(role: Role, params: Params): [name: string, document: string] {
  const name = params.required('PolicyName')
  const document = role.inline.get(name)
  if (document === undefined) {
    throw new AwsError('NoSuchEntity', `The role policy with name ${name} cannot be found.`, 404)
  }
  return [name, document]
}

function policyPage<Item>(params: Params, items: readonly Item[]) {
  const { page, next } = paginate(items, params.text('Marker'), params.integer('MaxItems') ?? 100)
  return { page, rest: { IsTruncated: next !== undefined, Marker: next } }
}

export const policyOperations: Record<string, Operation> = {
  PutRolePolicy(params, { world }) {
    const role = findRole(world, params)
    const name = params.required('PolicyName')
    const document = params.required('PolicyDocument')
    checkPermissionsPolicy(document)
    const others = [...role.inline].filter(([other]) => other !== name).map(([, text]) => text)
    // Blanks do not count.
    const size = [...others, document].join('').replace(/\s/g, '').length
    if (size > maxInlineCharacters) {
      const message = `Maximum policy size of ${maxInlineCharacters} bytes exceeded for role ${role.name}`
      throw new AwsError('LimitExceeded', message, 409)
    }
    role.inline.set(name, document)
    return undefined
  },

  GetRolePolicy(params, { world }) {
    const role = findRole(world, params)
    const [PolicyName, document] = inlinePolicy(role, params)
    return { RoleName: role.name, PolicyName, PolicyDocument: encodeRfc3986(document) }
  },

  DeleteRolePolicy(params, { world }) {
    const role = findRole(world, params)
    role.inline.delete(inlinePolicy(role, params)[0])
    return undefined
  },

  ListRolePolicies(params, { world }) {
    const { page, rest } = policyPage(params, [...findRole(world, params).inline.keys()])
    return { PolicyNames: { member: page }, ...rest }
  },

  AttachRolePolicy(params, { world }) {
    const role = findRole(world, params)
    const arn = params.required('PolicyArn')
    if (!/^arn:aws:iam::(aws|\d{12}):policy\/.+$/.test(arn)) {
      throw new AwsError('InvalidInput', `ARN ${arn} is not valid.`)
    }
    if (!managedPolicies.includes(arn)) {
      throw new AwsError('NoSuchEntity', `Policy ${arn} does not exist or is not attachable.`, 404)
    }
    role.attached.add(arn)
    return undefined
  },

  DetachRolePolicy(params, { world }) {
    const role = findRole(world, params)
    const arn = params.required('PolicyArn')
    if (!role.attached.delete(arn)) {
      throw new AwsError('NoSuchEntity', `Policy ${arn} was not found.`, 404)
    }
    return undefined
  },

  ListAttachedRolePolicies(params, { world }) {
    const { page, rest } = policyPage(params, [...findRole(world, params).attached])
    const member = page.map((PolicyArn) => ({ PolicyName: PolicyArn.split('/').at(-1), PolicyArn }))
    return { AttachedPolicies: { member }, ...rest }
  }
}
