import { CreateSecurityGroupCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2'
import { UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam'
import {
  CreateClusterCommand,
  type CreateClusterCommandInput,
  DescribeClusterSubnetGroupsCommand,
  DescribeClustersCommand,
  ModifyClusterIamRolesCommand
} from '@aws-sdk/client-redshift'
import t from 'tap'
import { createAvailableCluster, createRole, goodCluster, refuses, startAws, trust } from './fixture.ts'

const create = (changes: Partial<CreateClusterCommandInput>) =>
  new CreateClusterCommand({ ...goodCluster, ...changes })

t.test('a cluster is creating without an endpoint, then available with one', async (t) => {
  const aws = await startAws(t)
  const roleArn = await createRole(aws)
  const { GroupId = '' } = await aws.ec2.send(
    new CreateSecurityGroupCommand({ GroupName: 'sparkify', Description: 'x' })
  )
  const created = await aws.redshift.send(
    create({
      IamRoles: [roleArn],
      DefaultIamRoleArn: roleArn,
      VpcSecurityGroupIds: [GroupId],
      Tags: [{ Key: 'app', Value: 'sparkify' }]
    })
  )
  t.match(created.Cluster, {
    ClusterIdentifier: 'sparkify',
    ClusterStatus: 'creating',
    ClusterAvailabilityStatus: 'Modifying',
    Endpoint: undefined,
    PendingModifiedValues: { MasterUserPassword: '****' },
    IamRoles: [{ IamRoleArn: roleArn, ApplyStatus: 'adding' }]
  })
  t.notMatch(JSON.stringify(created), 'Correct-horse')
  aws.pass(9_999)
  const describe = () => aws.redshift.send(new DescribeClustersCommand({ ClusterIdentifier: 'sparkify' }))
  t.match((await describe()).Clusters, [{ ClusterStatus: 'creating', Endpoint: undefined }])
  aws.pass(1)
  const { Clusters } = await describe()
  t.match(Clusters, [
    {
      ClusterStatus: 'available',
      ClusterAvailabilityStatus: 'Available',
      Endpoint: { Address: /^sparkify\.\w+\.us-west-2\.redshift\.amazonaws\.com$/, Port: 5439 },
      NodeType: 'ra3.large',
      NumberOfNodes: 4,
      DBName: 'sparkify',
      MasterUsername: 'awsuser',
      Encrypted: true,
      PubliclyAccessible: false,
      AutomatedSnapshotRetentionPeriod: 1,
      ManualSnapshotRetentionPeriod: -1,
      ClusterSubnetGroupName: 'default',
      ClusterParameterGroups: [{ ParameterGroupName: 'default.redshift-2.0' }],
      VpcSecurityGroups: [{ VpcSecurityGroupId: GroupId, Status: 'active' }],
      IamRoles: [{ IamRoleArn: roleArn, ApplyStatus: 'in-sync' }],
      DefaultIamRoleArn: roleArn,
      Tags: [{ Key: 'app', Value: 'sparkify' }],
      ClusterCreateTime: new Date('2026-01-02T03:04:05Z')
    }
  ])
  t.same(Clusters?.[0]?.PendingModifiedValues, {})
})

t.test('what is not given gets the defaults of the service', async (t) => {
  const { redshift, emulator } = await startAws(t)
  const { Cluster } = await redshift.send(
    new CreateClusterCommand({
      ClusterIdentifier: 'small',
      NodeType: 'ra3.xlplus',
      MasterUsername: 'awsuser',
      ManageMasterPassword: true
    })
  )
  t.match(Cluster, { DBName: 'dev', NumberOfNodes: 1, Encrypted: true, PubliclyAccessible: false })
  t.match(Cluster?.MasterPasswordSecretArn, /^arn:aws:secretsmanager:/)
  t.same(Cluster?.PendingModifiedValues, {})
  t.equal(emulator.state.clusters[0]?.port, 5439)
  t.equal(Cluster?.VpcSecurityGroups?.length, 1, "the VPC's default group")
})

t.test('wrong clusters are refused', async (t) => {
  const aws = await startAws(t)
  const vpcs = await aws.ec2.send(new DescribeVpcsCommand())
  const elsewhere = await aws.ec2.send(
    new CreateSecurityGroupCommand({ GroupName: 'x', Description: 'x', VpcId: vpcs.Vpcs?.[1]?.VpcId })
  )
  const value = 'InvalidParameterValue'
  const combination = 'InvalidParameterCombination'
  const password = (MasterUserPassword: string) => ({ MasterUserPassword })
  const nodes = (NodeType: string, NumberOfNodes?: number) => ({ NodeType, NumberOfNodes })
  const single = { ClusterType: 'single-node', NumberOfNodes: undefined }
  const refused: [Partial<CreateClusterCommandInput>, name: string, message?: RegExp][] = [
    [{ ClusterIdentifier: 'Sparkify' }, value, /ClusterIdentifier/],
    [{ ClusterIdentifier: '1sparkify' }, value],
    [{ ClusterIdentifier: 'spark--ify' }, value],
    [{ ClusterIdentifier: 'sparkify-' }, value],
    [{ ClusterIdentifier: 'x'.repeat(64) }, value],
    [{ ClusterIdentifier: undefined }, 'MissingParameter'],
    [{ MasterUsername: 'AwsUser' }, value, /MasterUsername/],
    [{ MasterUsername: 'public' }, value],
    [{ MasterUsername: 'user' }, value],
    [{ MasterUsername: '1user' }, value],
    [{ MasterUsername: 'a:b' }, value],
    [password('Short1'), value, /shorter than 8/],
    [password(`${'Aa1'.repeat(22)}`), value, /longer than 64/],
    [password('nouppercase1'), value, /uppercase/],
    [password('NOLOWERCASE1'), value, /lowercase/],
    [password('NoNumberHere'), value, /number/],
    [password('With/slash1'), value, /printable ASCII/],
    [password('With@sign1'), value],
    [password('With"quote1'), value],
    [password("With'quote1"), value],
    [password('With\\slash1'), value],
    [password('With blank1'), value],
    [password('Wíth-accent1'), value],
    [{ ManageMasterPassword: true }, combination],
    [{ MasterUserPassword: undefined }, combination],
    [{ DBName: 'Sparkify' }, value, /Only lowercase Database names are supported/],
    [{ DBName: 'order' }, value, /reserved/],
    [{ DBName: 'a-b' }, value],
    [{ DBName: 'x'.repeat(65) }, value],
    [{ Port: 5430 }, value],
    [{ Port: 5456 }, value],
    [{ Port: 8190 }, value],
    [{ Port: 8216 }, value],
    [nodes('dc2.large', 4), value, /Invalid node type: dc2.large/],
    [nodes('ra3.huge', 4), value],
    [nodes('ra3.large', 1), combination, /greater than or equal to 2/],
    [nodes('ra3.large'), combination, /greater than or equal to 2/],
    [nodes('ra3.large', 101), value],
    [{ ...single, NumberOfNodes: 1 }, value, /must be not be supplied for cluster type single-node/],
    [{ ...single, NodeType: 'ra3.4xlarge' }, combination],
    [{ ClusterType: 'no-node' }, value],
    [{ Encrypted: false }, combination],
    [{ AutomatedSnapshotRetentionPeriod: 0 }, value],
    [{ AutomatedSnapshotRetentionPeriod: 36 }, value],
    [{ ManualSnapshotRetentionPeriod: 0 }, 'InvalidRetentionPeriodFault'],
    [{ ClusterSubnetGroupName: 'none' }, 'ClusterSubnetGroupNotFoundFault'],
    [{ VpcSecurityGroupIds: ['sg-1'] }, value, /VPC Security group sg-1 does not exist in VPC vpc-/],
    [{ VpcSecurityGroupIds: [elsewhere.GroupId ?? ''] }, value, /does not exist in VPC/],
    [{ IamRoles: ['arn:aws:iam::123456789012:role/none'] }, value, /The IAM role .* is not valid/],
    [{ IamRoles: Array(51).fill('arn:aws:iam::123456789012:role/none') }, value, /at most 50/],
    [{ DefaultIamRoleArn: 'arn:aws:iam::123456789012:role/none' }, combination],
    [{ Tags: [{ Key: 'aws:x', Value: '' }] }, 'InvalidTagFault']
  ]
  for (const [changes, name, message] of refused) {
    const expected = { name, status: 400, ...(message && { message }) }
    await refuses(t, aws.redshift.send(create(changes)), expected, JSON.stringify(changes).slice(0, 80))
  }
  t.same(aws.emulator.state.clusters, [])
})

t.test('the ends of every range are accepted', async (t) => {
  const aws = await startAws(t)
  const accepted: Partial<CreateClusterCommandInput>[] = [
    { Port: 5431 },
    { Port: 5455 },
    { Port: 8191 },
    { Port: 8215 },
    { ClusterType: 'single-node', NumberOfNodes: undefined },
    { NumberOfNodes: 2, NodeType: 'ra3.16xlarge' },
    { AutomatedSnapshotRetentionPeriod: 35, ManualSnapshotRetentionPeriod: 3653 },
    { MasterUserPassword: 'Aa345678' },
    { DBName: 'spark_ify1', MasterUsername: 'aws-user+1' }
  ]
  for (const [index, changes] of accepted.entries()) {
    const { Cluster } = await aws.redshift.send(create({ ...changes, ClusterIdentifier: `c${index}` }))
    t.equal(Cluster?.ClusterStatus, 'creating', JSON.stringify(changes))
  }
})

t.test('there is one cluster of a name', async (t) => {
  const aws = await startAws(t)
  await createAvailableCluster(aws)
  await refuses(t, aws.redshift.send(create({ NumberOfNodes: 2 })), { name: 'ClusterAlreadyExistsFault' })
  t.equal(aws.emulator.state.clusters[0]?.nodes, 4)
})

t.test('quotas', async (t) => {
  const aws = await startAws(t, { quotas: { clusters: 2, nodes: 6 } })
  await createAvailableCluster(aws)
  const second = (changes = {}) => aws.redshift.send(create({ ClusterIdentifier: 'second', ...changes }))
  await refuses(t, second(), { name: 'NumberOfNodesQuotaExceededFault' })
  await second({ NumberOfNodes: 2 })
  await refuses(t, aws.redshift.send(create({ ClusterIdentifier: 'third' })), {
    name: 'ClusterQuotaExceededFault'
  })
})

t.test('a role is accepted only once it has spread, and trusts Redshift', async (t) => {
  const aws = await startAws(t, { delays: { rolePropagation: 5000 } })
  const roleArn = await createRole(aws)
  const notYet = {
    name: 'InvalidParameterValue',
    message: `The IAM role ${roleArn} is not valid. The IAM role must delegate access to an Amazon Redshift account.`
  }
  const withRole = create({ IamRoles: [roleArn] })
  await refuses(t, aws.redshift.send(withRole), notYet)
  aws.pass(4999)
  await refuses(t, aws.redshift.send(withRole), notYet)
  aws.pass(1)
  const changeTrust = (PolicyDocument: string) =>
    aws.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'dwh', PolicyDocument }))
  await changeTrust(trust)
  await aws.redshift.send(withRole)
  aws.pass(10_000)
  await changeTrust(trust.replace('redshift.', 'ec2.'))
  aws.pass(5000)
  const add = new ModifyClusterIamRolesCommand({ ClusterIdentifier: 'sparkify', AddIamRoles: [roleArn] })
  await refuses(t, aws.redshift.send(add), notYet, 'another principal')
})

t.test('without a default VPC a subnet group is needed', async (t) => {
  const aws = await startAws(t, { defaultVpc: false, subnetGroups: ['private'] })
  await refuses(t, aws.redshift.send(create({})), { name: 'InvalidSubnet', message: /No default subnet/ })
  const { ClusterSubnetGroups } = await aws.redshift.send(new DescribeClusterSubnetGroupsCommand())
  t.match(ClusterSubnetGroups, [{ ClusterSubnetGroupName: 'private', SubnetGroupStatus: 'Complete' }])
  t.equal(ClusterSubnetGroups?.[0]?.Subnets?.length, 3)
  const { Cluster } = await aws.redshift.send(create({ ClusterSubnetGroupName: 'private' }))
  t.equal(Cluster?.VpcId, ClusterSubnetGroups?.[0]?.VpcId)
  const none = new DescribeClusterSubnetGroupsCommand({ ClusterSubnetGroupName: 'none' })
  await refuses(t, aws.redshift.send(none), { name: 'ClusterSubnetGroupNotFoundFault' })
})
