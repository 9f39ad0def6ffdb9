import { CreateSecurityGroupCommand, DescribeSubnetsCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2'
import t from 'tap'
import { refuses, startAws } from './fixture.ts'

const group = { GroupName: 'sparkify', Description: 'Sparkify warehouse' }

t.test('VPCs and subnets, with and without a default VPC', async (t) => {
  const aws = await startAws(t)
  const { Vpcs } = await aws.ec2.send(new DescribeVpcsCommand())
  t.same(
    Vpcs?.map(({ IsDefault }) => IsDefault),
    [true, false]
  )
  const Filters = [{ Name: 'vpc-id', Values: [Vpcs?.[0]?.VpcId ?? ''] }]
  const { Subnets } = await aws.ec2.send(new DescribeSubnetsCommand({ Filters }))
  t.same(
    Subnets?.map(({ AvailabilityZone }) => AvailabilityZone),
    ['us-west-2a', 'us-west-2b', 'us-west-2c']
  )
  const bare = await startAws(t, { defaultVpc: false })
  const none = await bare.ec2.send(
    new DescribeVpcsCommand({ Filters: [{ Name: 'is-default', Values: ['true'] }] })
  )
  t.same(none.Vpcs, [])
  await refuses(t, bare.ec2.send(new CreateSecurityGroupCommand(group)), { name: 'VPCIdNotSpecified' })
})

t.test('what they can be looked up by', async (t) => {
  const { ec2 } = await startAws(t)
  const vpcs = async (Name: string, ...Values: string[]) => {
    const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand({ Filters: [{ Name, Values }] }))
    return Vpcs.map(({ CidrBlock }) => CidrBlock)
  }
  t.same(await vpcs('cidr', '10.*'), ['10.20.0.0/16'])
  t.same(await vpcs('state', 'available'), ['172.31.0.0/16', '10.20.0.0/16'])
  t.same(await vpcs('tag:app', 'x'), [])
  await refuses(t, vpcs('colour', 'red'), { name: 'InvalidParameterValue' })
  const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand())
  const VpcIds = [Vpcs[1]?.VpcId ?? '']
  t.same((await ec2.send(new DescribeVpcsCommand({ VpcIds }))).Vpcs, [Vpcs[1]])
  const subnets = async (Name: string, ...Values: string[]) => {
    const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({ Filters: [{ Name, Values }] }))
    return Subnets.map(({ CidrBlock }) => CidrBlock)
  }
  t.same(await subnets('availability-zone', 'us-west-2b'), ['172.31.16.0/20', '10.20.16.0/20'])
  t.equal((await subnets('default-for-az', 'true')).length, 3)
  t.equal((await subnets('state', 'pending')).length, 0)
  const SubnetIds = [(await ec2.send(new DescribeSubnetsCommand())).Subnets?.[0]?.SubnetId ?? '']
  t.equal((await ec2.send(new DescribeSubnetsCommand({ SubnetIds }))).Subnets?.length, 1)
})
