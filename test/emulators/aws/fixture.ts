/** What the emulator's own tests share: an emulator, real SDK clients, and a clock that the test moves. */
import { EC2Client } from '@aws-sdk/client-ec2'
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam'
import {
  CreateClusterCommand,
  type CreateClusterCommandInput,
  DescribeClustersCommand,
  RedshiftClient
} from '@aws-sdk/client-redshift'
import { S3Client } from '@aws-sdk/client-s3'
import { STSClient } from '@aws-sdk/client-sts'
import type { Test } from 'tap'
import { type AwsEmulator, type AwsEmulatorOptions, startAwsEmulator } from '../aws.ts'

export interface TestAws {
  emulator: AwsEmulator
  sts: STSClient
  iam: IAMClient
  ec2: EC2Client
  redshift: RedshiftClient
  s3: S3Client
  /** Moves the clock forward. */
  pass(ms: number): void
}

/** Clients that try once, so that a test sees every error. */
export function createClients(t: Test, emulator: AwsEmulator, options: object = {}) {
  const config = { ...emulator.client, maxAttempts: 1, ...options }
  const clients = {
    sts: new STSClient(config),
    iam: new IAMClient(config),
    ec2: new EC2Client(config),
    redshift: new RedshiftClient(config),
    s3: new S3Client(config)
  }
  t.teardown(() => {
    for (const client of Object.values(clients)) client.destroy()
  })
  return clients
}

/** Every change takes 10 s of a clock that stands still until `pass` is called. */
export async function startAws(t: Test, options: AwsEmulatorOptions = {}): Promise<TestAws> {
  let now = Date.parse('2026-01-02T03:04:05Z')
  const seconds = 10_000
  const delays = { create: seconds, modify: seconds, resize: seconds, pause: seconds, resume: seconds }
  const emulator = await startAwsEmulator({
    clock: () => now,
    ...options,
    delays: { ...delays, delete: seconds, snapshot: seconds, ...options.delays }
  })
  const clients = createClients(t, emulator)
  t.teardown(() => emulator.close())
  return {
    emulator,
    ...clients,
    pass(ms) {
      now += ms
    }
  }
}

/** Asserts that a call fails as the SDK shows a service's refusal. */
export async function refuses(
  t: Test,
  call: Promise<unknown>,
  expected: { name: string; status?: number; message?: string | RegExp },
  title?: string
): Promise<void> {
  const error = await call.then(
    (value) => {
      throw new Error(`${title ?? expected.name}: not refused: ${JSON.stringify(value)}`)
    },
    (reason: Error & { $metadata?: { httpStatusCode?: number } }) => reason
  )
  const { name, message } = error
  const seen = { name, status: error.$metadata?.httpStatusCode, message }
  t.match(seen, expected, title ?? expected.name)
}

export const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'redshift.amazonaws.com' }, Action: 'sts:AssumeRole' }]
})

export async function createRole({ iam }: TestAws, name = 'dwh', document = trust): Promise<string> {
  const created = await iam.send(
    new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: document })
  )
  return created.Role?.Arn ?? ''
}

/** A cluster that Redshift accepts. */
export const goodCluster: CreateClusterCommandInput = {
  ClusterIdentifier: 'sparkify',
  ClusterType: 'multi-node',
  NumberOfNodes: 4,
  NodeType: 'ra3.large',
  MasterUsername: 'awsuser',
  MasterUserPassword: 'Correct-horse-1',
  DBName: 'sparkify',
  Port: 5439,
  Encrypted: true,
  PubliclyAccessible: false
}

export async function createAvailableCluster(
  aws: TestAws,
  changes: Partial<CreateClusterCommandInput> = {}
): Promise<void> {
  await aws.redshift.send(new CreateClusterCommand({ ...goodCluster, ...changes }))
  aws.pass(10_000)
}

export async function clusterStatus({ redshift }: TestAws, ClusterIdentifier = 'sparkify') {
  const { Clusters } = await redshift.send(new DescribeClustersCommand({ ClusterIdentifier }))
  return Clusters?.[0]?.ClusterStatus
}
