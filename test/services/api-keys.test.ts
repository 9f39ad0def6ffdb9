import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import type { ApiKey } from '../../src/schemas/api-keys.ts'
import { scopes } from '../../src/schemas/jobs.ts'
import { covers, createApiKeys, generateKey, requireScope } from '../../src/services/api-keys.ts'
import { parseSql } from '../../src/sql.ts'
import { openBothStores } from '../helper.ts'

const sql = (source: string) => parseSql('test', source)
const selectKeys = sql('select * from api_keys order by created_at, id')
const refused = { code: 'invalid_api_key', message: 'The API key is unknown, expired or revoked.' }
const hash = (key: string) => createHash('sha256').update(key).digest('hex')

// Before the first test: what awaits between tests lets the file end.
const stores = await openBothStores(t)

t.test('keys are long, random and easy to spot', async (t) => {
  const keys = Array.from({ length: 1000 }, generateKey)
  t.equal(new Set(keys).size, 1000)
  for (const key of keys) if (!/^spk_[A-Za-z0-9_-]{43}$/.test(key)) t.fail(key)
})

t.test('a scope covers itself and those below it', async (t) => {
  const table = scopes.map((held) => scopes.filter((needed) => covers(held, needed)))
  t.same(table, [['read'], ['read', 'operate'], ['read', 'operate', 'admin']])
  const actor = { key_id: 'key_1', name: 'loader', scope: 'operate' } as const
  t.doesNotThrow(() => requireScope(actor, 'operate'))
  t.throws(() => requireScope(actor, 'admin'), {
    code: 'insufficient_scope',
    message: 'This needs the scope admin; the key key_1 has operate.'
  })
})

const admin = { name: 'admin', scope: 'admin' } as const
const actorOf = ({ id, name, scope }: ApiKey) => ({ key_id: id, name, scope })

for (const store of stores) {
  t.test(`API keys on ${store.engine}`, async (t) => {
    const apiKeys = createApiKeys(store)
    t.beforeEach(async () => {
      await store.query(sql('truncate api_keys'))
    })

    t.test('a key is of its owner, and only its hash is stored', async (t) => {
      const created = await apiKeys.create({ name: 'nightly load', scope: 'operate' })
      const [actor, key] = [actorOf(created), created.key]
      t.equal(created.prefix, key.slice(0, 10))
      t.match(actor, { key_id: /^key_[0-9a-f]{18}$/, name: 'nightly load', scope: 'operate' })
      t.same(await apiKeys.authenticate(key), actor)
      const rows = await store.query(selectKeys)
      t.match(rows, [
        {
          id: actor.key_id,
          name: 'nightly load',
          scope: 'operate',
          key_hash: hash(key),
          expires_at: null,
          revoked_at: null
        }
      ])
      t.notMatch(JSON.stringify(rows), key.slice(11))
    })

    t.test('keys do not stand for each other', async (t) => {
      const one = await apiKeys.create({ name: 'same', scope: 'read' })
      const two = await apiKeys.create({ name: 'same', scope: 'admin' })
      t.same(await apiKeys.authenticate(one.key), actorOf(one))
      t.same(await apiKeys.authenticate(two.key), actorOf(two))
    })

    t.test('two admins that revoke each other at once: one of them stays', async (t) => {
      const [one, other] = [await apiKeys.create(admin), await apiKeys.create(admin)]
      const replica = createApiKeys(store)
      const ended = await Promise.allSettled([apiKeys.revoke(one.id), replica.revoke(other.id)])
      t.same(ended.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
      t.match(
        ended.find(({ status }) => status === 'rejected'),
        { reason: { code: 'last_admin_key' } }
      )
    })

    t.test('a key that is rotated goes on for the overlap', async (t) => {
      const old = await apiKeys.create({ name: 'loader', scope: 'operate' })
      const fresh = await apiKeys.rotate(old.id, { overlap_seconds: 1 }, 'key_bootstrap')
      t.match(fresh, { name: 'loader', scope: 'operate', created_by: 'key_bootstrap', expires_at: null })
      t.match(await apiKeys.get(old.id), { status: 'valid', replaced_by: fresh.id })
      for (const { key } of [old, fresh]) t.ok(await apiKeys.authenticate(key))
      await t.rejects(apiKeys.rotate(old.id, { overlap_seconds: 1 }, 'key_bootstrap'), {
        ...{ code: 'key_not_valid', message: new RegExp(`replaced by ${fresh.id}`) }
      })
      await setTimeout(1010)
      await t.rejects(apiKeys.authenticate(old.key), refused)
      t.match(await apiKeys.get(old.id), { status: 'expired' })
      t.ok(await apiKeys.authenticate(fresh.key))
    })

    t.test('what is no key, or almost one', async (t) => {
      const { key } = await apiKeys.create({ name: 'key', scope: 'read' })
      for (const wrong of [
        '',
        key.slice(0, -1),
        `${key} `,
        key.toUpperCase(),
        hash(key),
        generateKey(),
        "' or true --"
      ]) {
        await t.rejects(apiKeys.authenticate(wrong), refused)
      }
    })

    t.test('a key that has expired, and one that has not', async (t) => {
      const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()
      const old = await apiKeys.create({ name: 'old', scope: 'read', expires_at: at(0.02) })
      const young = await apiKeys.create({ name: 'young', scope: 'read', expires_at: at(60) })
      await t.rejects(apiKeys.create({ name: 'late', scope: 'read', expires_at: at(-1) }), {
        ...{ code: 'invalid_request', message: '/expires_at must be in the future.' }
      })
      await setTimeout(30)
      await t.rejects(apiKeys.authenticate(old.key), refused)
      t.same(await apiKeys.authenticate(young.key), actorOf(young))
    })

    t.test('a key that was revoked', async (t) => {
      const { key } = await apiKeys.create({ name: 'gone', scope: 'admin' })
      await store.query(sql('update api_keys set revoked_at = now()'))
      await t.rejects(apiKeys.authenticate(key), refused)
    })

    t.test('a key that is in use when it expires, or is revoked elsewhere', async (t) => {
      const expiring = await apiKeys.create({
        name: 'expiring',
        scope: 'read',
        expires_at: new Date(Date.now() + 150).toISOString()
      })
      const revoked = await apiKeys.create({ name: 'revoked', scope: 'read' })
      t.same(await apiKeys.authenticate(expiring.key), actorOf(expiring))
      t.same(await apiKeys.authenticate(revoked.key), actorOf(revoked))
      await store.query(sql('update api_keys set revoked_at = now() where id = :id'), {
        id: revoked.id
      })
      await setTimeout(160)
      await t.rejects(apiKeys.authenticate(expiring.key), refused, 'at once')
      await setTimeout(900)
      await t.rejects(apiKeys.authenticate(revoked.key), refused, 'within a second')
    })

    t.test('the configured admin key is valid, and the one before it is not', async (t) => {
      const [first, second] = ['the-first-admin-key', 'the-second-admin-key']
      const configured = { key_id: 'key_bootstrap', name: 'bootstrap admin key', scope: 'admin' }
      await apiKeys.bootstrap(first)
      await apiKeys.bootstrap(first)
      t.same(await apiKeys.authenticate(first), configured)
      await apiKeys.bootstrap(second)
      t.same(await apiKeys.authenticate(second), configured)
      await t.rejects(apiKeys.authenticate(first), refused)
      t.match(await store.query(selectKeys), [{ id: 'key_bootstrap', key_hash: hash(second) }])
      t.equal((await store.query(selectKeys)).length, 1)
      await store.query(sql('update api_keys set revoked_at = now()'))
      await apiKeys.bootstrap(second)
      t.same(await apiKeys.authenticate(second), configured, 'it is the way back in')
    })

    t.test('other keys outlive a change of the admin key', async (t) => {
      const created = await apiKeys.create({ name: 'loader', scope: 'operate' })
      const [actor, key] = [actorOf(created), created.key]
      await apiKeys.bootstrap('the-first-admin-key')
      t.same(await apiKeys.authenticate(key), actor)
    })

    t.test('a key that was created may become the configured one', async (t) => {
      const { key } = await apiKeys.create({ name: 'promoted', scope: 'read' })
      await apiKeys.bootstrap(key)
      t.match(await apiKeys.authenticate(key), { key_id: 'key_bootstrap', scope: 'admin' })
    })
  })
}
