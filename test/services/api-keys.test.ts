import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
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

for (const store of stores) {
  t.test(`API keys on ${store.engine}`, async (t) => {
    const apiKeys = createApiKeys(store)
    t.beforeEach(async () => {
      await store.query(sql('truncate api_keys'))
    })

    t.test('a key is of its owner, and only its hash is stored', async (t) => {
      const { actor, key } = await apiKeys.create({ name: 'nightly load', scope: 'operate' })
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
      t.notMatch(JSON.stringify(rows), key.slice(4))
    })

    t.test('keys do not stand for each other', async (t) => {
      const one = await apiKeys.create({ name: 'same', scope: 'read' })
      const two = await apiKeys.create({ name: 'same', scope: 'admin' })
      t.same(await apiKeys.authenticate(one.key), one.actor)
      t.same(await apiKeys.authenticate(two.key), two.actor)
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
      const at = (seconds: number) => new Date(Date.now() + seconds * 1000)
      const old = await apiKeys.create({ name: 'old', scope: 'read', expires_at: at(-1) })
      const young = await apiKeys.create({ name: 'young', scope: 'read', expires_at: at(60) })
      await t.rejects(apiKeys.authenticate(old.key), refused)
      t.same(await apiKeys.authenticate(young.key), young.actor)
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
        expires_at: new Date(Date.now() + 150)
      })
      const revoked = await apiKeys.create({ name: 'revoked', scope: 'read' })
      t.same(await apiKeys.authenticate(expiring.key), expiring.actor)
      t.same(await apiKeys.authenticate(revoked.key), revoked.actor)
      await store.query(sql('update api_keys set revoked_at = now() where id = :id'), {
        id: revoked.actor.key_id
      })
      await setTimeout(160)
      await t.rejects(apiKeys.authenticate(expiring.key), refused, 'at once')
      await setTimeout(900)
      await t.rejects(apiKeys.authenticate(revoked.key), refused, 'within a second')
    })

    t.test('the configured admin key is valid, and the one before it is not', async (t) => {
      const [first, second] = ['the-first-admin-key', 'the-second-admin-key']
      const admin = { key_id: 'key_bootstrap', name: 'bootstrap admin key', scope: 'admin' }
      await apiKeys.bootstrap(first)
      await apiKeys.bootstrap(first)
      t.same(await apiKeys.authenticate(first), admin)
      await apiKeys.bootstrap(second)
      t.same(await apiKeys.authenticate(second), admin)
      await t.rejects(apiKeys.authenticate(first), refused)
      t.match(await store.query(selectKeys), [{ id: 'key_bootstrap', key_hash: hash(second) }])
      t.equal((await store.query(selectKeys)).length, 1)
      await store.query(sql('update api_keys set revoked_at = now()'))
      await apiKeys.bootstrap(second)
      t.same(await apiKeys.authenticate(second), admin, 'it is the way back in')
    })

    t.test('other keys outlive a change of the admin key', async (t) => {
      const { actor, key } = await apiKeys.create({ name: 'loader', scope: 'operate' })
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
