/** Health, version, identity. */
import { Type } from 'typebox'
import { scopes } from './jobs.ts'

export const HealthSchema = Type.Object({ status: Type.String({ enum: ['ok'] }) }, { $id: 'Health' })

export const ReadinessSchema = Type.Object(
  {
    status: Type.String({ enum: ['ready'] }),
    store: Type.String({ enum: ['pglite', 'postgres'] }),
    warehouse: Type.String({ enum: ['duckdb', 'redshift'] }),
    cluster: Type.String({ description: 'State of the cluster; the service is ready without one' })
  },
  { $id: 'Readiness' }
)

export const VersionSchema = Type.Object(
  { name: Type.String(), version: Type.String(), node: Type.String() },
  { $id: 'Version' }
)

export const WhoamiSchema = Type.Object(
  { key_id: Type.String(), name: Type.String(), scope: Type.String({ enum: [...scopes] }) },
  { $id: 'Whoami', examples: [{ key_id: 'key_bootstrap', name: 'bootstrap admin key', scope: 'admin' }] }
)
