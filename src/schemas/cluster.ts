/** The cluster: what it should be and what it is. */
import { type Static, Type } from 'typebox'
import { Nullable } from './common.ts'

const account = {
  account_id: Nullable(Type.String({ description: 'The AWS account; null where none is involved' })),
  region: Nullable(Type.String())
}

const CostSchema = Type.Object(
  {
    currency: Type.String(),
    per_hour: Nullable(Type.Number()),
    per_month: Nullable(Type.Number()),
    as_of: Type.String({ description: 'Date of the price table' }),
    note: Type.String()
  },
  { description: 'An estimate from a dated price table; the sums are null where it has no price' }
)

const UsageSchema = Type.Object(
  {
    since: Type.String({ format: 'date-time', description: 'The cluster was first seen then' }),
    running_hours: Type.Number({ description: 'Hours that it ran since; not those it was paused' }),
    estimated_cost: Nullable(
      Type.Number({ description: 'What these hours cost; null where a price was not known' })
    ),
    currency: Nullable(Type.String()),
    last_used_at: Type.String({ format: 'date-time', description: 'Last query or job of this service' }),
    pauses_at: Nullable(
      Type.String({ format: 'date-time', description: 'When it is paused if nobody uses it until then' })
    ),
    expires_at: Nullable(Type.String({ format: 'date-time', description: 'When it is deleted' }))
  },
  { description: 'Counted every minute; null where nothing costs anything, and before the first look' }
)
export type ClusterUsage = Static<typeof UsageSchema>

const DesiredSchema = Type.Object(
  {
    node_type: Type.String(),
    number_of_nodes: Type.Integer(),
    port: Type.Integer(),
    publicly_accessible: Type.Boolean(),
    iam_role: Type.String({ description: 'Name of the role to create, or ARN of the one to use' }),
    ingress_cidrs: Type.Array(Type.String())
  },
  { description: 'What the configuration asks for' }
)

const DriftSchema = Type.Object({
  field: Type.String(),
  desired: Type.String(),
  observed: Type.String(),
  mended_by: Type.String({
    enum: ['put', 'hand'],
    description: '`put`: PUT /v1/cluster removes the difference; `hand`: it takes a person, or a new cluster'
  })
})

const example = {
  identifier: 'sparkify',
  engine: 'redshift',
  database: 'sparkify',
  status: 'available',
  ownership: 'ours',
  availability: 'Available',
  endpoint: 'sparkify.c4bxyz.us-west-2.redshift.amazonaws.com:5439',
  role_arn: 'arn:aws:iam::123456789012:role/sparkify-redshift',
  ingress_cidrs: ['203.0.113.7/32'],
  node_type: 'ra3.large',
  number_of_nodes: 4,
  publicly_accessible: false,
  encrypted: true,
  isolation_level: 'Snapshot Isolation',
  size_bytes: null,
  account_id: '123456789012',
  region: 'us-west-2',
  desired: {
    node_type: 'ra3.large',
    number_of_nodes: 4,
    port: 5439,
    publicly_accessible: false,
    iam_role: 'sparkify-redshift',
    ingress_cidrs: ['203.0.113.7/32']
  },
  drift: [],
  resources: [
    { type: 'redshift_cluster', id: 'sparkify' },
    { type: 'security_group', id: 'sg-0a1b2c3d4e5f60718' },
    { type: 'iam_role', id: 'sparkify-redshift' }
  ],
  estimated_cost: {
    currency: 'USD',
    per_hour: 2.172,
    per_month: 1585.56,
    as_of: '2026-11-20',
    note: 'An estimate: 4 x ra3.large on demand at the prices of us-east-1.'
  },
  usage: {
    since: '2026-01-01T00:00:00.000Z',
    running_hours: 31.5,
    estimated_cost: 68.42,
    currency: 'USD',
    last_used_at: '2026-01-02T07:12:00.000Z',
    pauses_at: '2026-01-02T07:42:00.000Z',
    expires_at: null
  }
}

export const ClusterSchema = Type.Object(
  {
    identifier: Type.String(),
    engine: Type.String({ enum: ['duckdb', 'redshift'] }),
    database: Type.String(),
    status: Type.String({
      description:
        '`absent`, `available`, or what the engine calls a state in between; `unreachable` for an attached cluster that does not answer'
    }),
    ownership: Type.String({
      enum: ['none', 'ours', 'foreign', 'attached'],
      description:
        'A `foreign` cluster has the name without our tag and is left alone; an `attached` one is used only'
    }),
    availability: Nullable(Type.String({ description: "Redshift's word for whether it takes statements" })),
    endpoint: Nullable(Type.String()),
    role_arn: Nullable(Type.String({ description: 'IAM role that reads the sources; null when embedded' })),
    ingress_cidrs: Type.Array(Type.String()),
    node_type: Nullable(Type.String()),
    number_of_nodes: Type.Integer(),
    publicly_accessible: Nullable(Type.Boolean()),
    encrypted: Nullable(Type.Boolean()),
    isolation_level: Nullable(Type.String({ description: 'As the database tells it, when it can be asked' })),
    size_bytes: Nullable(Type.Integer()),
    ...account,
    desired: Nullable(DesiredSchema),
    drift: Type.Array(DriftSchema, {
      description: 'What differs from what is asked for. A cluster that is not available is not compared.'
    }),
    resources: Type.Array(Type.Object({ type: Type.String(), id: Type.String() }), {
      description: 'What is ours, and what a teardown would remove'
    }),
    estimated_cost: Nullable(CostSchema),
    usage: Nullable(UsageSchema)
  },
  { $id: 'Cluster', examples: [example] }
)
export type Cluster = Static<typeof ClusterSchema>

export const ClusterPlanSchema = Type.Object(
  {
    identifier: Type.String(),
    engine: Type.String(),
    ...account,
    actions: Type.Array(
      Type.Object({
        action: Type.String({ enum: ['create', 'update', 'delete'] }),
        resource: Type.String(),
        detail: Type.String()
      }),
      { description: 'In order; empty when the cluster is as it should be' }
    ),
    estimated_cost: Nullable(CostSchema)
  },
  {
    $id: 'ClusterPlan',
    examples: [
      {
        identifier: 'sparkify',
        engine: 'redshift',
        account_id: '123456789012',
        region: 'us-west-2',
        actions: [
          {
            action: 'create',
            resource: 'cluster sparkify',
            detail: '4 x ra3.large, encrypted, private, database sparkify on port 5439'
          }
        ],
        estimated_cost: example.estimated_cost
      }
    ]
  }
)
export type ClusterPlan = Static<typeof ClusterPlanSchema>

export const EnsureClusterSchema = Type.Object(
  {},
  {
    $id: 'EnsureCluster',
    additionalProperties: false,
    description: 'What the cluster should be. The embedded one has nothing to choose.',
    examples: [{}]
  }
)

export const TeardownQuerySchema = Type.Object(
  {
    confirm: Type.String({ description: 'The identifier of the cluster', examples: ['sparkify'] }),
    final_snapshot: Type.Boolean({ description: 'Keep a copy of the data', examples: [true] })
  },
  { additionalProperties: false }
)
export type TeardownParams = Static<typeof TeardownQuerySchema>
