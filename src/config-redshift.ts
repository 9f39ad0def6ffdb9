/** The settings of a Redshift cluster: one to create, and the way to it. */
import { Type } from 'typebox'
import { choice, DATABASE, DATABASE_ACCEPTS, flag, REGION, text } from './config-fields.ts'

/** Node types that can still be created, with the fewest nodes that a cluster of them has. */
export const nodeTypes = {
  'ra3.large': 1,
  'ra3.xlplus': 1,
  'ra3.4xlarge': 2,
  'ra3.16xlarge': 2,
  'rg.large': 1,
  'rg.xlarge': 2,
  'rg.4xlarge': 2,
  'rg.12xlarge': 2
} as const
export type NodeType = keyof typeof nodeTypes
const nodeTypeNames = Object.keys(nodeTypes) as NodeType[]

export const cluster = {
  AWS_REGION: Type.Optional(
    text('a region such as us-west-2', {
      pattern: REGION,
      description:
        'Region of the cluster. Credentials come from where the AWS SDK finds them: environment, profile or role.'
    })
  ),
  NODE_TYPE: choice(nodeTypeNames, {
    default: 'ra3.large',
    accepts: `${nodeTypeNames.join(', ')} (dc2 nodes can no longer be created)`,
    description: 'Node type of a new cluster.'
  }),
  NUMBER_OF_NODES: Type.Integer({
    default: 4,
    minimum: 1,
    maximum: 100,
    accepts: 'a whole number from 1 to 100',
    description: 'Nodes of a new cluster.'
  }),
  DATABASE_PORT: Type.Integer({
    default: 5439,
    accepts: 'a port from 5431 to 5455 or from 8191 to 8215',
    anyOf: [
      { minimum: 5431, maximum: 5455 },
      { minimum: 8191, maximum: 8215 }
    ],
    description: 'Port of a new cluster.'
  }),
  MASTER_USERNAME: text(DATABASE_ACCEPTS, {
    default: 'sparkify_admin',
    pattern: DATABASE,
    description:
      'Database user of a new cluster. The service logs in as this user with temporary credentials.'
  }),
  IAM_ROLE_NAME: text('1 to 64 letters, digits and any of +=,.@_-', {
    default: 'sparkify-redshift',
    pattern: '^[A-Za-z0-9+=,.@_-]{1,64}$',
    description: 'IAM role to create, which reads the sources for the cluster.'
  }),
  IAM_ROLE_ARN: Type.Optional(
    text('the ARN of an IAM role', {
      pattern: '^arn:aws[a-z-]*:iam::\\d{12}:role/[\\x21-\\x7e]{1,512}$',
      description: 'An existing role to use as it is, in place of `IAM_ROLE_NAME`.'
    })
  ),
  IAM_MANAGED_POLICY_ARN: Type.Optional(
    text('the ARN of an IAM policy', {
      pattern: '^arn:aws[a-z-]*:iam::(aws|\\d{12}):policy/[\\x21-\\x7e]{1,512}$',
      description:
        'A managed policy for the created role, such as AmazonS3ReadOnlyAccess. Default: an inline policy for exactly the configured prefixes.'
    })
  ),
  INGRESS_CIDRS: Type.Optional(
    text('address ranges such as 203.0.113.7/32, separated by commas', {
      minLength: 1,
      description: 'Who may connect to the cluster, the service included. Default: nobody.'
    })
  ),
  ALLOW_OPEN_INGRESS: flag({ description: 'Allows `INGRESS_CIDRS` to hold 0.0.0.0/0 or ::/0.' }),
  PUBLICLY_ACCESSIBLE: flag({ description: 'Gives the cluster a public address.' }),
  SUBNET_GROUP_NAME: Type.Optional(
    text('the name of a cluster subnet group', {
      pattern: '^[A-Za-z0-9._@ -]{1,255}$',
      description: "Subnet group of a new cluster. Default: the region's default VPC."
    })
  ),
  PRICE_TABLE_FILE: Type.Optional(
    text('a JSON file like src/cloud/price-table.json', {
      minLength: 1,
      description: 'Prices for the cost estimates. Default: the dated table that comes with the service.'
    })
  ),
  CLUSTER_IDLE_PAUSE_MINUTES: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 10_080,
    accepts: 'a whole number from 0 to 10080',
    description:
      'Pauses the cluster after so many minutes without a query or job of this service; 0: never. Leave it off where others connect to the cluster by themselves.'
  }),
  CLUSTER_RESUME_ON_DEMAND: flag({
    description: 'Whether jobs and queries that find the cluster paused resume it.'
  }),
  CLUSTER_TTL_HOURS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 8760,
    accepts: 'a whole number from 0 to 8760',
    description:
      'Deletes the cluster, for one that is thrown away, so many hours after it was first seen; 0: never.'
  }),
  CLUSTER_TTL_SNAPSHOT: Type.Boolean({
    accepts: 'true or false',
    default: true,
    description: 'Whether `CLUSTER_TTL_HOURS` keeps a final snapshot.'
  })
}

export const connection = {
  CLUSTER_MODE: Type.Optional(
    choice(['managed', 'attached'], {
      description:
        'Whether the service creates and deletes the cluster, or only uses it. Default: `attached` when `REDSHIFT_HOST` is set, else `managed`.'
    })
  ),
  REDSHIFT_HOST: Type.Optional(
    text('an IP address or host name', {
      pattern: '^[A-Za-z0-9.:_-]+$',
      description: 'An existing cluster to attach; with `CLUSTER_MODE=managed`, a tunnel to ours.'
    })
  ),
  REDSHIFT_PORT: Type.Integer({
    default: 5439,
    minimum: 1,
    maximum: 65535,
    accepts: 'a whole number from 1 to 65535',
    description: 'Port at `REDSHIFT_HOST`.'
  }),
  REDSHIFT_DATABASE: Type.Optional(
    text('1 to 127 characters', {
      pattern: '^[^\\x00-\\x1f\\x7f]{1,127}$',
      description: 'Database of an attached cluster. Default: `DATABASE_NAME`.'
    })
  ),
  REDSHIFT_USER: Type.Optional(
    text('1 to 127 characters', {
      pattern: '^[^\\x00-\\x1f\\x7f]{1,127}$',
      description: 'Database user of an attached cluster.'
    })
  ),
  REDSHIFT_PASSWORD: Type.Optional(
    text('1 to 127 characters', {
      pattern: '^[^\\x00-\\x1f\\x7f]{1,127}$',
      secret: true,
      description: 'Its password. Default: temporary credentials of IAM for `CLUSTER_IDENTIFIER`.'
    })
  ),
  REDSHIFT_TLS_SERVER_NAME: Type.Optional(
    text('a host name', {
      pattern: '^[A-Za-z0-9.-]+$',
      description: "The name in the cluster's certificate, where `REDSHIFT_HOST` is a tunnel."
    })
  ),
  REDSHIFT_TLS_CA_FILE: Type.Optional(
    text('a PEM file', {
      minLength: 1,
      description: "Certificate authorities in place of Node's own."
    })
  ),
  STATEMENT_TIMEOUT_SECONDS: Type.Integer({
    default: 3600,
    minimum: 1,
    maximum: 86400,
    accepts: 'a whole number from 1 to 86400',
    description: 'Longest that one statement may run in the cluster.'
  })
}
