/** The calls of IAM about one role, with their errors as ours. */
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  type IAMClient,
  PutRolePolicyCommand,
  paginateListAttachedRolePolicies,
  paginateListInstanceProfilesForRole,
  paginateListRolePolicies,
  RemoveRoleFromInstanceProfileCommand,
  type Tag,
  UpdateAssumeRolePolicyCommand
} from '@aws-sdk/client-iam'
import { callAws } from './aws-errors.ts'
import type { PolicyDocument } from './role-policy.ts'

export interface NewRole {
  trust: PolicyDocument
  description: string
  tags: Tag[]
}

export type IamApi = ReturnType<typeof createIamApi>

/** Every call throws `NoSuchEntityException` for a role or policy that is not there. */
export function createIamApi(client: IAMClient, RoleName: string) {
  return {
    async getRole(signal: AbortSignal) {
      const { Role } = await callAws('iam:GetRole', signal, (options) =>
        client.send(new GetRoleCommand({ RoleName }), options)
      )
      return {
        arn: Role?.Arn ?? '',
        tags: Role?.Tags ?? [],
        trust: parseDocument(Role?.AssumeRolePolicyDocument)
      }
    },

    /** Throws `EntityAlreadyExistsException`. */
    createRole: ({ trust, description, tags }: NewRole, signal: AbortSignal) =>
      callAws('iam:CreateRole', signal, (options) => {
        const document = { AssumeRolePolicyDocument: JSON.stringify(trust) }
        return client.send(
          new CreateRoleCommand({ RoleName, ...document, Description: description, Tags: tags }),
          options
        )
      }),

    setTrust: (trust: PolicyDocument, signal: AbortSignal) =>
      callAws('iam:UpdateAssumeRolePolicy', signal, (options) =>
        client.send(
          new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: JSON.stringify(trust) }),
          options
        )
      ),

    listPolicies: (signal: AbortSignal) =>
      callAws('iam:ListRolePolicies', signal, async (options) => {
        const names: string[] = []
        for await (const page of paginateListRolePolicies({ client }, { RoleName }, options)) {
          names.push(...(page.PolicyNames ?? []))
        }
        return names
      }),

    async getPolicy(PolicyName: string, signal: AbortSignal): Promise<unknown> {
      const { PolicyDocument } = await callAws('iam:GetRolePolicy', signal, (options) =>
        client.send(new GetRolePolicyCommand({ RoleName, PolicyName }), options)
      )
      return parseDocument(PolicyDocument)
    },

    putPolicy: (PolicyName: string, policy: PolicyDocument, signal: AbortSignal) =>
      callAws('iam:PutRolePolicy', signal, (options) =>
        client.send(
          new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: JSON.stringify(policy) }),
          options
        )
      ),

    deletePolicy: (PolicyName: string, signal: AbortSignal) =>
      callAws('iam:DeleteRolePolicy', signal, (options) =>
        client.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }), options)
      ),

    listAttached: (signal: AbortSignal) =>
      callAws('iam:ListAttachedRolePolicies', signal, async (options) => {
        const arns: string[] = []
        for await (const page of paginateListAttachedRolePolicies({ client }, { RoleName }, options)) {
          arns.push(...(page.AttachedPolicies ?? []).map(({ PolicyArn = '' }) => PolicyArn))
        }
        return arns
      }),

    attach: (PolicyArn: string, signal: AbortSignal) =>
      callAws('iam:AttachRolePolicy', signal, (options) =>
        client.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }), options)
      ),

    detach: (PolicyArn: string, signal: AbortSignal) =>
      callAws('iam:DetachRolePolicy', signal, (options) =>
        client.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }), options)
      ),

    listInstanceProfiles: (signal: AbortSignal) =>
      callAws('iam:ListInstanceProfilesForRole', signal, async (options) => {
        const names: string[] = []
        for await (const page of paginateListInstanceProfilesForRole({ client }, { RoleName }, options)) {
          names.push(
            ...(page.InstanceProfiles ?? []).map(({ InstanceProfileName = '' }) => InstanceProfileName)
          )
        }
        return names
      }),

    leaveInstanceProfile: (InstanceProfileName: string, signal: AbortSignal) =>
      callAws('iam:RemoveRoleFromInstanceProfile', signal, (options) =>
        client.send(new RemoveRoleFromInstanceProfileCommand({ RoleName, InstanceProfileName }), options)
      ),

    /** Throws `DeleteConflictException` while the role has policies or is in an instance profile. */
    deleteRole: (signal: AbortSignal) =>
      callAws('iam:DeleteRole', signal, (options) =>
        client.send(new DeleteRoleCommand({ RoleName }), options)
      )
  }
}

/** IAM gives documents URL-encoded. */
const parseDocument = (document: string | undefined): unknown =>
  JSON.parse(decodeURIComponent(document ?? 'null'))
