/** API keys: who may call, and with which scope. Only hashes are stored. */
import { hash as digest, randomBytes } from 'node:crypto'
import { ServiceError } from '../errors.ts'
import { type Scope, scopes } from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import { queryMaybe, queryOne, type Store } from '../store/store.ts'

const insertKey = readSql('store/api-keys/insert.sql')
const deleteSame = readSql('store/api-keys/delete-same.sql')
const upsertBootstrap = readSql('store/api-keys/upsert-bootstrap.sql')
const findByHash = readSql('store/api-keys/find-by-hash.sql')

/** Who makes a request. */
export interface Actor {
  key_id: string
  name: string
  scope: Scope
}

interface KeyRow {
  id: string
  name: string
  scope: Scope
  created_at: Date
  expires_at: Date | null
  revoked_at: Date | null
}

export interface NewKey {
  name: string
  scope: Scope
  expires_at?: Date
}

/** A random key: `spk_` marks it for secret scanners, 32 bytes make it unguessable. */
export function generateKey(): string {
  return `spk_${randomBytes(32).toString('base64url')}`
}

/** True if a key with scope `held` may do what asks for `needed`. */
export function covers(held: Scope, needed: Scope): boolean {
  return scopes.indexOf(held) >= scopes.indexOf(needed)
}

/** Throws `insufficient_scope` unless the actor may do what asks for `needed`. */
export function requireScope(actor: Actor, needed: Scope): void {
  if (covers(actor.scope, needed)) return
  throw new ServiceError(
    'insufficient_scope',
    `This needs the scope ${needed}; the key ${actor.key_id} has ${actor.scope}.`
  )
}

const hash = (key: string) => digest('sha256', key, 'hex')

/** How long a valid key is not looked up again: one revoked on another replica may be used for as long. */
const rememberedForMs = 1000
const mostRemembered = 1000

const isExpired = ({ expires_at }: KeyRow) => expires_at !== null && expires_at <= new Date()

export type ApiKeys = ReturnType<typeof createApiKeys>

export function createApiKeys(store: Store) {
  const remembered = new Map<string, { row: KeyRow; until: number }>()

  async function findValid(keyHash: string): Promise<KeyRow | undefined> {
    const known = remembered.get(keyHash)
    if (known !== undefined && performance.now() < known.until) return known.row
    const row = await queryMaybe<KeyRow>(store, findByHash, { key_hash: keyHash })
    remembered.delete(keyHash)
    if (row === undefined || row.revoked_at !== null) return undefined
    if (remembered.size >= mostRemembered) remembered.clear()
    remembered.set(keyHash, { row, until: performance.now() + rememberedForMs })
    return row
  }

  return {
    /** Makes the configured admin key valid, in place of the one configured before. */
    async bootstrap(key: string): Promise<void> {
      const row = { id: 'key_bootstrap', key_hash: hash(key) }
      await store.transaction(async (tx) => {
        await tx.query(deleteSame, row)
        await tx.query(upsertBootstrap, row)
      })
      remembered.clear()
    },

    /** Creates a key. Its text is returned this once and stored nowhere. */
    async create({ name, scope, expires_at }: NewKey): Promise<{ actor: Actor; key: string }> {
      const key = generateKey()
      const row = await queryOne<KeyRow>(store, insertKey, {
        id: `key_${randomBytes(9).toString('hex')}`,
        key_hash: hash(key),
        expires_at: expires_at ?? null,
        ...{ name, scope }
      })
      return { actor: { key_id: row.id, name, scope }, key }
    },

    /**
     * The owner of a key. Throws `invalid_api_key` when it is unknown, expired or revoked; a key that was revoked on
     * another replica may be valid for a second more.
     */
    async authenticate(key: string): Promise<Actor> {
      const row = await findValid(hash(key))
      if (row === undefined || isExpired(row)) {
        throw new ServiceError('invalid_api_key', 'The API key is unknown, expired or revoked.')
      }
      return { key_id: row.id, name: row.name, scope: row.scope }
    }
  }
}
