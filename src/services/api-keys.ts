/** API keys: who may call, with which scope, and for how long. Only hashes are stored. */
import { hash as digest, randomBytes } from 'node:crypto'
import { ServiceError } from '../errors.ts'
import type { ApiKey, CreatedApiKey, NewApiKey, RotateApiKey } from '../schemas/api-keys.ts'
import type { Page, PageQuery } from '../schemas/common.ts'
import { type Scope, scopes } from '../schemas/jobs.ts'
import { readSql } from '../sql.ts'
import { type Queryable, queryMaybe, queryOne, type Store } from '../store/store.ts'
import { readCursor, toPage } from './pagination.ts'

const insertKey = readSql('store/api-keys/insert.sql')
const deleteSame = readSql('store/api-keys/delete-same.sql')
const upsertBootstrap = readSql('store/api-keys/upsert-bootstrap.sql')
const findByHash = readSql('store/api-keys/find-by-hash.sql')
const getKey = readSql('store/api-keys/get.sql')
const listKeys = readSql('store/api-keys/list.sql')
const lockAdmins = readSql('store/api-keys/lock-admins.sql')
const revokeKey = readSql('store/api-keys/revoke.sql')
const replaceKey = readSql('store/api-keys/replace.sql')

/** The configured key. */
const BOOTSTRAP = 'key_bootstrap'

/** Who makes a request. */
export interface Actor {
  /** Of a token: `oidc:` and its subject. */
  key_id: string
  name: string
  scope: Scope
}

/** What authentication looks at. */
interface GuardRow {
  id: string
  name: string
  scope: Scope
  expires_at: Date | null
  revoked_at: Date | null
}

interface KeyRow extends Omit<ApiKey, 'status' | 'created_at' | 'expires_at' | 'revoked_at'> {
  created_at: Date
  expires_at: Date | null
  revoked_at: Date | null
}

/** How many characters of a key are kept to tell it from others: `spk_` and six of its 43 random ones. */
const PREFIX_LENGTH = 10

/** A random key: `spk_` marks it for secret scanners, 32 bytes make it unguessable. */
export function generateKey(): string {
  return `spk_${randomBytes(32).toString('base64url')}`
}

/** True if a key with scope `held` may do what asks for `needed`. */
export function covers(held: Scope, needed: Scope): boolean {
  return scopes.indexOf(held) >= scopes.indexOf(needed)
}

const nameOf = ({ key_id }: Actor) => (key_id.startsWith('oidc:') ? 'the token' : `the key ${key_id}`)

/** Throws `insufficient_scope` unless the actor may do what asks for `needed`. */
export function requireScope(actor: Actor, needed: Scope): void {
  if (covers(actor.scope, needed)) return
  throw new ServiceError(
    'insufficient_scope',
    `This needs the scope ${needed}; ${nameOf(actor)} has ${actor.scope}.`
  )
}

/**
 * Keys are looked up by their hash, so how long that takes says nothing of how much of a key was right; and they are
 * random and long, so a fast hash gives nothing away.
 */
const hash = (key: string) => digest('sha256', key, 'hex')

/** How long a valid key is not looked up again: one revoked on another replica may be used for as long. */
const rememberedForMs = 1000
const mostRemembered = 1000

const isExpired = ({ expires_at }: Pick<GuardRow, 'expires_at'>) =>
  expires_at !== null && expires_at <= new Date()

const toActor = ({ id, name, scope }: GuardRow): Actor => ({ key_id: id, name, scope })

export type ApiKeys = ReturnType<typeof createApiKeys>

export function createApiKeys(store: Store) {
  const valid = new Map<string, { row: GuardRow; until: number }>()

  function recall(key: string): GuardRow | undefined {
    const known = valid.get(key)
    return known !== undefined && performance.now() < known.until ? known.row : undefined
  }

  async function findValid(key: string): Promise<GuardRow | undefined> {
    const known = recall(key)
    if (known !== undefined) return known
    const row = await queryMaybe<GuardRow>(store, findByHash, { key_hash: hash(key) })
    valid.delete(key)
    if (row === undefined || row.revoked_at !== null) return undefined
    if (valid.size >= mostRemembered) valid.clear()
    valid.set(key, { row, until: performance.now() + rememberedForMs })
    return row
  }

  async function insert(
    on: Queryable,
    { name, scope, expires_at }: NewApiKey,
    created_by: string | null
  ): Promise<CreatedApiKey> {
    if (expires_at !== undefined && Date.parse(expires_at) <= Date.now()) {
      throw invalid('/expires_at', 'must be in the future')
    }
    const key = generateKey()
    const row = await queryOne<KeyRow>(on, insertKey, {
      id: `key_${randomBytes(9).toString('hex')}`,
      key_hash: hash(key),
      prefix: key.slice(0, PREFIX_LENGTH),
      ...{ name, scope, expires_at: expires_at ?? null, created_by }
    })
    return { ...toApiKey(row), key }
  }

  /** A key that may be revoked or replaced, in a transaction in which no other admin key is. */
  async function lock(tx: Queryable, id: string): Promise<{ row: KeyRow; isLastAdmin: boolean }> {
    const admins = await tx.query<{ id: string }>(lockAdmins)
    const row = found(id, await queryMaybe<KeyRow>(tx, getKey, { id }))
    if (id === BOOTSTRAP) {
      throw new ServiceError(
        'key_configured',
        'This key comes from the configuration and is made valid at every start. Change ADMIN_API_KEY (or admin.key in DATA_DIR) and start again.'
      )
    }
    return { row, isLastAdmin: admins.length === 1 && admins[0]?.id === id }
  }

  async function authenticate(key: string): Promise<Actor> {
    const row = await findValid(key)
    if (row === undefined || isExpired(row)) {
      throw new ServiceError('invalid_api_key', 'The API key is unknown, expired or revoked.')
    }
    return toActor(row)
  }

  return {
    /** Whose a key is that `authenticate` would take without a look into the store. */
    remembered(key: string): Actor | undefined {
      const row = recall(key)
      return row === undefined || isExpired(row) ? undefined : toActor(row)
    },

    /** Makes the configured admin key valid, in place of the one configured before. */
    async bootstrap(key: string): Promise<void> {
      const row = { id: BOOTSTRAP, key_hash: hash(key) }
      await store.transaction(async (tx) => {
        await tx.query(deleteSame, row)
        await tx.query(upsertBootstrap, row)
      })
      valid.clear()
    },

    /** Creates a key. Its text is returned this once and stored nowhere. Throws `invalid_request`. */
    create: (settings: NewApiKey, by: string | null = null): Promise<CreatedApiKey> =>
      insert(store, settings, by),

    /** Throws `key_not_found`. */
    async get(id: string): Promise<ApiKey> {
      return toApiKey(found(id, await queryMaybe<KeyRow>(store, getKey, { id })))
    },

    /** One page of keys, newest first; revoked and expired ones too. */
    async list({ cursor, limit }: PageQuery): Promise<Page<ApiKey>> {
      const params = { before_id: readCursor(cursor), limit: limit + 1 }
      const rows = await store.query<KeyRow>(listKeys, params)
      return toPage(rows.map(toApiKey), limit, ({ id }) => id)
    },

    /**
     * From now on the key is not valid; on other replicas for a second more. Throws `key_not_found`, `key_configured`, and
     * `last_admin_key` when nobody could manage keys afterwards.
     */
    async revoke(id: string): Promise<ApiKey> {
      const row = await store.transaction(async (tx) => {
        const { isLastAdmin } = await lock(tx, id)
        if (isLastAdmin) {
          throw new ServiceError(
            'last_admin_key',
            `${id} is the last valid key with the scope admin. Create another one first.`
          )
        }
        return queryOne<KeyRow>(tx, revokeKey, { id })
      })
      valid.clear()
      return toApiKey(row)
    },

    /**
     * A new key of the same name and scope; the old one goes on for the overlap. Throws `key_not_found`, `key_configured`,
     * and `key_not_valid` for one that is revoked, expired or replaced already.
     */
    async rotate(
      id: string,
      { overlap_seconds, expires_at }: RotateApiKey,
      by: string
    ): Promise<CreatedApiKey> {
      const created = await store.transaction(async (tx) => {
        const { row } = await lock(tx, id)
        if (toApiKey(row).status !== 'valid' || row.replaced_by !== null) {
          throw new ServiceError(
            'key_not_valid',
            `${id} is ${row.replaced_by === null ? toApiKey(row).status : `replaced by ${row.replaced_by}`}. Create a new key instead.`
          )
        }
        const { name, scope } = row
        const key = await insert(tx, { name, scope, expires_at }, by)
        await tx.query(replaceKey, { id, replaced_by: key.id, overlap_seconds })
        return key
      })
      valid.clear()
      return created
    },

    /**
     * The owner of a key. Throws `invalid_api_key` when it is unknown, expired or revoked; a key that was revoked on
     * another replica may be valid for a second more.
     */
    authenticate
  }
}

function found(id: string, row: KeyRow | undefined): KeyRow {
  if (row !== undefined) return row
  throw new ServiceError('key_not_found', `No key has the id ${id}. GET /v1/api-keys lists the keys.`)
}

function toApiKey({ created_at, expires_at, revoked_at, ...row }: KeyRow): ApiKey {
  return {
    ...row,
    status: revoked_at !== null ? 'revoked' : isExpired({ expires_at }) ? 'expired' : 'valid',
    created_at: created_at.toISOString(),
    expires_at: expires_at?.toISOString() ?? null,
    revoked_at: revoked_at?.toISOString() ?? null
  }
}

const invalid = (pointer: string, message: string) =>
  new ServiceError('invalid_request', `${pointer} ${message}.`, {
    errors: [{ pointer, code: 'expires_at', message }]
  })
