/** The cluster: what it should be and what it is. */
import { type Static, Type } from 'typebox'
import { Nullable } from './common.ts'

export const ClusterSchema = Type.Object(
  {
    identifier: Type.String(),
    engine: Type.String({ enum: ['duckdb', 'redshift'] }),
    database: Type.String(),
    status: Type.String({
      description: '`absent`, `available`, or what the engine calls a state in between'
    }),
    endpoint: Nullable(Type.String()),
    role_arn: Nullable(Type.String({ description: 'IAM role that reads the sources; null when embedded' })),
    ingress_cidrs: Type.Array(Type.String()),
    node_type: Nullable(Type.String()),
    number_of_nodes: Type.Integer(),
    size_bytes: Nullable(Type.Integer())
  },
  {
    $id: 'Cluster',
    examples: [
      {
        identifier: 'sparkify',
        engine: 'duckdb',
        database: 'sparkify',
        status: 'available',
        endpoint: 'file:///var/lib/sparkify/warehouse/sparkify.duckdb',
        role_arn: null,
        ingress_cidrs: [],
        node_type: null,
        number_of_nodes: 1,
        size_bytes: 12582912
      }
    ]
  }
)
export type Cluster = Static<typeof ClusterSchema>

export const ClusterPlanSchema = Type.Object(
  {
    identifier: Type.String(),
    engine: Type.String(),
    actions: Type.Array(
      Type.Object({
        action: Type.String({ enum: ['create', 'update', 'delete'] }),
        resource: Type.String(),
        detail: Type.String()
      }),
      { description: 'Empty when the cluster is as it should be' }
    )
  },
  {
    $id: 'ClusterPlan',
    examples: [
      {
        identifier: 'sparkify',
        engine: 'duckdb',
        actions: [
          {
            action: 'create',
            resource: 'sparkify',
            detail: 'a DuckDB file at /data/warehouse/sparkify.duckdb'
          }
        ]
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
    final_snapshot: Type.Boolean({ description: 'Keep a copy of the data' })
  },
  { additionalProperties: false }
)
export type TeardownParams = Static<typeof TeardownQuerySchema>
