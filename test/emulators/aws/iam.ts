/** IAM: roles. Their policies are in iam-policies.ts. */
import { AwsError } from './errors.ts'
import { policyOperations } from './iam-policies.ts'
import { asTags, describeRole, findRole } from './iam-role.ts'
import { principalId } from './ids.ts'
import { putTags, type Tag } from './params.ts'
import { checkTrustPolicy } from './policy-document.ts'
import type { Operation, QueryService } from './service.ts'
import type { Role } from './world.ts'

function constraint(field: string, value: string, rule: string) {
  const sentence = `Value '${value}' at '${field}' failed to satisfy constraint: Member must satisfy ${rule}`
  return new AwsError('ValidationError', `1 validation error detected: ${sentence}`)
}

function checkTags(tags: readonly Tag[], existing = 0): void {
  const keys = tags.map(({ key }) => key)
  if (new Set(keys).size < keys.length) {
    throw new AwsError(
      'InvalidInput',
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.'
    )
  }
  if (keys.some((key) => key.startsWith('aws:'))) {
    throw new AwsError('InvalidInput', 'Tag keys that start with aws: are reserved.')
  }
  if (keys.length + existing > 50)
    throw new AwsError('LimitExceeded', 'The number of tags has reached the maximum limit.', 409)
}

const createRole: Operation = (params, { world }) => {
  const name = params.required('RoleName')
  if (!/^[\w+=,.@-]{1,64}$/.test(name)) {
    throw constraint('roleName', name, 'regular expression pattern: [\\w+=,.@-]+')
  }
  const trust = params.required('AssumeRolePolicyDocument')
  checkTrustPolicy(trust)
  const maxSessionDuration = params.integer('MaxSessionDuration') ?? 3600
  if (maxSessionDuration < 3600 || maxSessionDuration > 43_200) {
    throw constraint('maxSessionDuration', String(maxSessionDuration), 'value between 3600 and 43200')
  }
  const tags = params.tags('Tags')
  checkTags(tags)
  if (world.roles.has(name.toLowerCase())) {
    throw new AwsError('EntityAlreadyExists', `Role with name ${name} already exists.`, 409)
  }
  const path = params.text('Path') ?? '/'
  const role: Role = {
    name,
    id: principalId('AROA'),
    arn: `arn:aws:iam::${world.account}:role${path}${name}`,
    path,
    description: params.text('Description'),
    maxSessionDuration,
    trust,
    createdAt: world.now(),
    trustChangedAt: world.now(),
    tags: new Map(),
    inline: new Map(),
    attached: new Set()
  }
  putTags(role.tags, tags)
  world.roles.set(name.toLowerCase(), role)
  return { Role: describeRole(role) }
}

const deleteRole: Operation = (params, { world }) => {
  const role = findRole(world, params)
  const conflict = (message: string) =>
    new AwsError('DeleteConflict', `Cannot delete entity, ${message}.`, 409)
  if ([...world.instanceProfiles.values()].includes(role.name)) {
    throw conflict('must remove roles from instance profile first')
  }
  if (role.attached.size > 0) throw conflict('must detach all policies first')
  if (role.inline.size > 0) throw conflict('must delete policies first')
  world.roles.delete(role.name.toLowerCase())
  return undefined
}

const profilesOfRole: Operation = (params, { world }) => {
  const role = findRole(world, params)
  const names = [...world.instanceProfiles].filter(([, inside]) => inside === role.name).map(([name]) => name)
  const member = names.map((name) => ({
    Path: '/',
    InstanceProfileName: name,
    InstanceProfileId: principalId('AIPA'),
    Arn: `arn:aws:iam::${world.account}:instance-profile/${name}`,
    CreateDate: new Date(role.createdAt),
    Roles: { member: [describeRole(role)] }
  }))
  return { InstanceProfiles: { member }, IsTruncated: false }
}

const removeFromProfile: Operation = (params, { world }) => {
  const role = findRole(world, params)
  const name = params.required('InstanceProfileName')
  if (world.instanceProfiles.get(name) !== role.name) {
    throw new AwsError('NoSuchEntity', `Instance Profile ${name} cannot be found.`, 404)
  }
  world.instanceProfiles.delete(name)
  return undefined
}

export const iam: QueryService = {
  name: 'iam',
  version: '2010-05-08',
  namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
  operations: {
    CreateRole: createRole,
    GetRole: (params, { world }) => ({ Role: describeRole(findRole(world, params)) }),
    UpdateAssumeRolePolicy(params, { world }) {
      const role = findRole(world, params)
      const trust = params.required('PolicyDocument')
      checkTrustPolicy(trust)
      // The same document again changes nothing, so it does not have to spread again either.
      if (trust !== role.trust) role.trustChangedAt = world.now()
      role.trust = trust
      return undefined
    },
    DeleteRole: deleteRole,
    TagRole(params, { world }) {
      const role = findRole(world, params)
      const tags = params.tags('Tags')
      checkTags(tags, [...role.tags.keys()].filter((key) => !tags.some((tag) => tag.key === key)).length)
      putTags(role.tags, tags)
      return undefined
    },
    ListRoleTags: (params, { world }) => ({ Tags: asTags(findRole(world, params).tags), IsTruncated: false }),
    ListInstanceProfilesForRole: profilesOfRole,
    RemoveRoleFromInstanceProfile: removeFromProfile,
    ...policyOperations
  }
}
