/** Health, version, identity. */
import { type Static, Type } from 'typebox'
import { scopes } from './jobs.ts'

export const HealthSchema = Type.Object(
  { status: Type.String({ enum: ['ok'] }) },
  { $id: 'Health', examples: [{ status: 'ok' }] }
)

export const ReadinessSchema = Type.Object(
  {
    status: Type.String({ enum: ['ready'] }),
    store: Type.String({ enum: ['pglite', 'postgres'] }),
    warehouse: Type.String({ enum: ['duckdb', 'redshift'] }),
    cluster: Type.String({ description: 'State of the cluster; the service is ready without one' })
  },
  {
    $id: 'Readiness',
    examples: [{ status: 'ready', store: 'pglite', warehouse: 'duckdb', cluster: 'available' }]
  }
)

export type Readiness = Static<typeof ReadinessSchema>

export const VersionSchema = Type.Object(
  { name: Type.String(), version: Type.String(), node: Type.String() },
  { $id: 'Version', examples: [{ name: 'sparkify-warehouse', version: '0.1.0', node: 'v24.0.0' }] }
)

export const OpenapiSchema = Type.Object(
  { openapi: Type.String() },
  {
    $id: 'OpenapiDocument',
    additionalProperties: true,
    description: 'An OpenAPI document',
    examples: [{ openapi: '3.1.0', info: { title: 'Sparkify warehouse', version: '0.1.0' }, paths: {} }]
  }
)

export const WhoamiSchema = Type.Object(
  { key_id: Type.String(), name: Type.String(), scope: Type.String({ enum: [...scopes] }) },
  { $id: 'Whoami', examples: [{ key_id: 'key_bootstrap', name: 'bootstrap admin key', scope: 'admin' }] }
)
