/** API keys as admins see and manage them. */
import { type Static, Type } from 'typebox'
import { Defaulted, literals, Nullable, pageOf, Text, TimeSchema, TimestampSchema } from './common.ts'
import { scopes } from './jobs.ts'

const scope = literals(scopes, { description: 'What it may do: `read` < `operate` < `admin`' })
const name = Text(100, { description: 'What it is for', examples: ['nightly loads'] })

const fields = {
  id: Type.String(),
  name: Type.String(),
  prefix: Nullable(
    Type.String({ description: 'What it begins with, to tell keys apart; null for the configured one' })
  ),
  scope,
  status: literals(['valid', 'expired', 'revoked']),
  created_by: Nullable(Type.String({ description: 'Id of the key that created it' })),
  created_at: TimestampSchema,
  expires_at: Nullable(TimestampSchema),
  revoked_at: Nullable(TimestampSchema),
  replaced_by: Nullable(Type.String({ description: 'The key that took its place' }))
}

const example = {
  id: 'key_5d41402abc4b2a76b9',
  name: 'nightly loads',
  prefix: 'spk_u2hVtq',
  scope: 'operate',
  status: 'valid',
  created_by: 'key_bootstrap',
  created_at: '2026-01-01T00:00:00Z',
  expires_at: '2027-01-01T00:00:00Z',
  revoked_at: null,
  replaced_by: null
} as const

export const ApiKeySchema = Type.Object(fields, {
  $id: 'ApiKey',
  description: 'An API key, without its text',
  examples: [example]
})
export type ApiKey = Static<typeof ApiKeySchema>

export const CreatedApiKeySchema = Type.Object(
  { ...fields, key: Type.String({ description: 'The key itself, shown this once' }) },
  { $id: 'CreatedApiKey', examples: [{ ...example, key: 'spk_u2hVtq…' }] }
)
export type CreatedApiKey = Static<typeof CreatedApiKeySchema>

export const ApiKeyPageSchema = pageOf(ApiKeySchema, { $id: 'ApiKeyPage' })

export const NewApiKeySchema = Type.Object(
  {
    name,
    scope,
    expires_at: Type.Optional(TimeSchema('When it stops being valid, RFC 3339; never without it'))
  },
  {
    $id: 'NewApiKey',
    additionalProperties: false,
    examples: [{ name: 'nightly loads', scope: 'operate', expires_at: '2027-01-01T00:00:00Z' }]
  }
)
export type NewApiKey = Static<typeof NewApiKeySchema>

export const RotateApiKeySchema = Type.Object(
  {
    overlap_seconds: Defaulted(
      Type.Integer({
        minimum: 0,
        maximum: 2_592_000,
        default: 3600,
        description: 'How long the old key goes on being valid'
      })
    ),
    expires_at: Type.Optional(TimeSchema('When the new key stops being valid, RFC 3339; never without it'))
  },
  { $id: 'RotateApiKey', additionalProperties: false, examples: [{ overlap_seconds: 86_400 }] }
)
export type RotateApiKey = Static<typeof RotateApiKeySchema>

export const ApiKeyParamsSchema = Type.Object({
  id: Text(100, { description: 'Id of a key', examples: ['key_5d41402abc4b2a76b9'] })
})
