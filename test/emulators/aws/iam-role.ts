/** IAM: finding a role and showing it. */
import { AwsError } from './errors.ts'
import type { Params } from './params.ts'
import { encodeRfc3986 } from './sigv4.ts'
import type { Role, World } from './world.ts'
import type { XmlTree } from './xml.ts'

/** Role names are unique whatever their case. */
export function findRole(world: World, params: Params): Role {
  const name = params.required('RoleName')
  const role = world.roles.get(name.toLowerCase())
  if (!role) throw new AwsError('NoSuchEntity', `The role with name ${name} cannot be found.`, 404)
  return role
}

export const asTags = (tags: ReadonlyMap<string, string>) => ({
  member: [...tags].map(([Key, Value]) => ({ Key, Value }))
})

export function describeRole(role: Role): XmlTree {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: new Date(role.createdAt),
    AssumeRolePolicyDocument: encodeRfc3986(role.trust),
    Description: role.description,
    MaxSessionDuration: role.maxSessionDuration,
    Tags: role.tags.size > 0 ? asTags(role.tags) : undefined
  }
}
