import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createTokens, type TokenRules } from '../../src/services/tokens.ts'
import { audience, startIdentityProvider } from '../identity-provider.ts'

const provider = await startIdentityProvider(t)
const open = (rules: Partial<TokenRules> = {}) =>
  createTokens({
    ...{ issuer: provider.issuer, audience, claim: 'scope', cooldown: 0 },
    ...{ scopes: { 'wh:read': 'read', 'wh:admin': 'admin' }, ...rules }
  })

t.test('a claim is words, a list, or in an object; its name may have dots of its own', async (t) => {
  const scopeOf = async (claim: string, claims: object) =>
    (await open({ claim }).authenticate(await provider.sign({ ...claims }))).scope
  t.equal(await scopeOf('scope', { scope: 'openid wh:read' }), 'read')
  t.equal(await scopeOf('groups', { groups: ['wh:read', 7, 'wh:admin'] }), 'admin')
  t.equal(await scopeOf('a.b.c', { a: { b: { c: ['wh:read'] } } }), 'read')
  t.equal(await scopeOf('https://a.b/c', { 'https://a.b/c': 'wh:read' }), 'read')
})

t.test('a new key of the provider is found when a token names it', async (t) => {
  const tokens = open()
  const old = await provider.sign({ scope: 'wh:read' })
  t.match(await tokens.authenticate(old), { key_id: 'oidc:user-1', name: 'user-1' })
  const asked = provider.keyRequests
  await tokens.authenticate(await provider.sign({ scope: 'wh:read' }))
  t.equal(provider.keyRequests, asked, 'keys are kept')
  await provider.rotate()
  t.ok(await tokens.authenticate(await provider.sign({ scope: 'wh:read' })))
  await t.rejects(tokens.authenticate(old), { code: 'invalid_token' })
})

t.test('a provider that does not answer is said to be away, and asked again later', async (t) => {
  const tokens = open()
  const token = await provider.sign({ scope: 'wh:read' })
  provider.isBroken = true
  const away = {
    code: 'identity_provider_unavailable',
    message: /the log has the reason\. API keys still work/,
    cause: { message: 'it answers 500' }
  }
  await t.rejects(tokens.authenticate(token), away)
  await t.rejects(tokens.ping(), away)
  provider.isBroken = false
  await t.rejects(tokens.authenticate(token), away, 'not at once')
  await sleep(1100)
  t.ok(await tokens.authenticate(token))
  await tokens.ping()

  provider.isBroken = true
  await provider.rotate()
  const unseen = await provider.sign({ scope: 'wh:read' })
  await t.rejects(tokens.authenticate(unseen), { code: 'identity_provider_unavailable' })
  t.ok(await tokens.authenticate(token), 'with the keys that are known it goes on')
  provider.isBroken = false
  t.ok(await tokens.authenticate(unseen))
})

t.test('a provider that is another one than configured is not believed', async (t) => {
  const token = await provider.sign({ scope: 'wh:read' })
  t.teardown(() => (provider.description = {}))
  for (const [description, reason] of [
    [{ issuer: 'https://evil.example' }, /calls itself "https:\/\/evil\.example"/],
    [{ jwks_uri: 'http://192.0.2.1/keys' }, /not at a https URL/],
    [{ jwks_uri: undefined }, /Invalid URL/]
  ] as const) {
    provider.description = description
    await t.rejects(open().authenticate(token), {
      code: 'identity_provider_unavailable',
      cause: { message: reason }
    })
  }
  const nowhere = open({ issuer: 'http://127.0.0.1:9' })
  const error = await nowhere.ping().catch((error) => error)
  t.match(error, { code: 'identity_provider_unavailable', cause: { message: 'fetch failed' } })
  t.notMatch(error.message, /ECONNREFUSED|bad port/, 'who asks is not known: nothing of the network is told')
})
