import { Buffer } from 'node:buffer'
import { generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import t from 'tap'
import { build, type RequestOptions } from '../helper.ts'
import { audience, startIdentityProvider } from '../identity-provider.ts'

const provider = await startIdentityProvider(t)
const service = await build(t, {
  OIDC_ISSUER: provider.issuer,
  OIDC_AUDIENCE: audience,
  OIDC_SCOPES: 'analysts=read,engineers=operate,owners=admin',
  OIDC_SCOPE_CLAIM: 'realm.groups'
})

const groups = (...names: string[]): JWTPayload => ({ realm: { groups: names } })

/** A request with a token in place of a key. */
const request = (method: 'GET' | 'POST', url: string, token: string, options: RequestOptions = {}) =>
  service.request(method, url, { ...options, scope: null, headers: { authorization: `Bearer ${token}` } })

t.test('a token is who its subject is, with the greatest scope that its claim gives', async (t) => {
  const token = await provider.sign({ name: 'Ada', ...groups('somebody', 'analysts', 'engineers') })
  t.match(await request('GET', '/v1/whoami', token), {
    status: 200,
    body: { key_id: 'oidc:user-1', name: 'Ada', scope: 'operate' }
  })
  const started = await request('POST', '/v1/jobs', token, {
    body: { type: 'etl', run_after: new Date(Date.now() + 3_600_000).toISOString() }
  })
  t.match(started, { body: { code: 'cluster_not_found' } }, 'jobs may be started')
  t.match(await request('GET', '/v1/api-keys', token), {
    status: 403,
    body: {
      code: 'insufficient_scope',
      detail: 'This needs the scope admin; the token has operate.'
    }
  })
  const owner = await provider.sign({ sub: 'user-2', ...groups('owners') })
  const { body } = await request('POST', '/v1/api-keys', owner, {
    body: { name: 'by a token', scope: 'read' }
  })
  t.equal(body.created_by, 'oidc:user-2')
  const audit = await request('GET', '/v1/audit-events?key_id=oidc:user-2', owner)
  t.match(audit.body.items, [{ action: 'createApiKey', key_name: 'user-2', outcome: 'done' }])
})

t.test('keys work beside tokens', async (t) => {
  t.equal((await service.request('GET', '/v1/whoami', { scope: 'read' })).status, 200)
})

t.test('a token that gives nothing here may do nothing', async (t) => {
  for (const claims of [{}, groups(), groups('constructor'), { realm: 'analysts' }, { scope: 'analysts' }]) {
    t.match(
      (await request('GET', '/v1/whoami', await provider.sign(claims))).body,
      { status: 403, code: 'insufficient_scope', detail: /The claim realm\.groups of the token/ },
      JSON.stringify(claims)
    )
  }
})

t.test('what is no token of the provider for this service is refused', async (t) => {
  const now = Math.floor(Date.now() / 1000)
  const good = groups('owners')
  const [header = '', , signature] = (await provider.sign(good)).split('.')
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const stranger = await generateKeyPair('ES256')
  const payload = { iss: provider.issuer, aud: audience, sub: 'user-1', exp: now + 600, ...good }
  const cases: Record<string, [string, RegExp]> = {
    expired: [await provider.sign({ ...good, exp: now - 60 }), /has expired/],
    'not valid yet': [await provider.sign({ ...good, nbf: now + 60 }), /claim nbf/],
    'without an end': [await provider.sign({ ...good, exp: undefined }), /claim exp/],
    'for nobody': [await provider.sign({ ...good, sub: undefined }), /claim sub/],
    'for another service': [await provider.sign({ ...good, aud: 'somebody-else' }), /claim aud/],
    'of another provider': [await provider.sign({ ...good, iss: 'https://evil.example' }), /claim iss/],
    'changed on the way': [`${header}.${part(payload)}.${signature}`, /not signed/],
    unsigned: [`${part({ alg: 'none' })}.${part(payload)}.`, /not signed/],
    'signed with a password': [
      await new SignJWT(payload)
        .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
        .sign(Buffer.from('a password that both could know, of 32 bytes and more')),
      /not signed/
    ],
    "signed with a stranger's key": [
      await new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'key-1' }).sign(stranger.privateKey),
      /not signed/
    ],
    'signed with an unknown key': [await provider.sign(good, { kid: 'key-99' }), /not signed/],
    'no JSON': ['eyJ.eyJ.eyJ', /not signed/]
  }
  for (const [name, [token, detail]] of Object.entries(cases)) {
    const { status, headers, body } = await request('GET', '/v1/whoami', token)
    t.match({ status, ...body }, { status: 401, code: 'invalid_token', detail }, name)
    t.equal(headers['www-authenticate'], 'Bearer', name)
    t.notOk(JSON.stringify(body).includes('user-1'), `${name}: nothing of its content is told`)
  }
  t.ok(provider.keyRequests <= 2, 'unknown keys do not make the service ask again and again')
})

t.test('the doctor looks at the provider', async (t) => {
  const check = async () =>
    (await service.request('GET', '/v1/doctor')).body.checks.find(
      ({ name }: { name: string }) => name === 'identity provider'
    )
  t.match(await check(), { status: 'ok', detail: `${provider.issuer} says where its keys are.` })
})

t.test('without a provider a token is no key', async (t) => {
  const alone = await build(t)
  const { body } = await alone.request('GET', '/v1/whoami', {
    scope: null,
    headers: { authorization: `Bearer ${await provider.sign(groups('owners'))}` }
  })
  t.match(body, { status: 401, code: 'invalid_api_key' })
})
