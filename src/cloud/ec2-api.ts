/** The calls of EC2 about security groups, with their errors as ours. */
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DeleteSecurityGroupCommand,
  DescribeVpcsCommand,
  type EC2Client,
  type Filter,
  type IpPermission,
  paginateDescribeSecurityGroups,
  RevokeSecurityGroupIngressCommand,
  type SecurityGroup,
  type Tag
} from '@aws-sdk/client-ec2'
import { callAws } from './aws-errors.ts'

export interface NewGroup {
  name: string
  description: string
  vpcId: string
  tags: Tag[]
}

export type Ec2Api = ReturnType<typeof createEc2Api>

/** Every call about a group throws `InvalidGroup.NotFound` for one that is not there. */
export function createEc2Api(client: EC2Client) {
  return {
    /** The default VPC of the region, if it has one. */
    async defaultVpc(signal: AbortSignal): Promise<string | undefined> {
      const Filters = [{ Name: 'is-default', Values: ['true'] }]
      const { Vpcs } = await callAws('ec2:DescribeVpcs', signal, (options) =>
        client.send(new DescribeVpcsCommand({ Filters }), options)
      )
      return Vpcs?.[0]?.VpcId
    },

    listGroups: (Filters: Filter[], signal: AbortSignal): Promise<SecurityGroup[]> =>
      callAws('ec2:DescribeSecurityGroups', signal, async (options) => {
        const groups: SecurityGroup[] = []
        for await (const page of paginateDescribeSecurityGroups({ client }, { Filters }, options)) {
          groups.push(...(page.SecurityGroups ?? []))
        }
        return groups
      }),

    /** Throws `InvalidGroup.Duplicate`. */
    createGroup: ({ name, description, vpcId, tags }: NewGroup, signal: AbortSignal) =>
      callAws('ec2:CreateSecurityGroup', signal, (options) => {
        const TagSpecifications = [{ ResourceType: 'security-group' as const, Tags: tags }]
        return client.send(
          new CreateSecurityGroupCommand({
            ...{ GroupName: name, Description: description, VpcId: vpcId, TagSpecifications }
          }),
          options
        )
      }),

    /** Throws `InvalidPermission.Duplicate`. */
    authorize: (GroupId: string, rule: IpPermission, signal: AbortSignal) =>
      callAws('ec2:AuthorizeSecurityGroupIngress', signal, (options) =>
        client.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [rule] }), options)
      ),

    /** Throws `InvalidPermission.NotFound`. */
    revoke: (GroupId: string, rule: IpPermission, signal: AbortSignal) =>
      callAws('ec2:RevokeSecurityGroupIngress', signal, (options) =>
        client.send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions: [rule] }), options)
      ),

    /** Throws `DependencyViolation` while a network interface uses the group. */
    deleteGroup: (GroupId: string, signal: AbortSignal) =>
      callAws('ec2:DeleteSecurityGroup', signal, (options) =>
        client.send(new DeleteSecurityGroupCommand({ GroupId }), options)
      )
  }
}
