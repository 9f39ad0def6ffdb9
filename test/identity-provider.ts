/** An OpenID Connect provider on a socket of its own: its description, its keys, and the tokens that it signs. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import type { Test } from 'tap'

export const audience = 'sparkify-warehouse'

export interface IdentityProvider {
  issuer: string
  /** What its description says other than it should. */
  description: Record<string, unknown>
  /** How often it was asked for its keys. */
  keyRequests: number
  /** Answers with 500, as if it were broken. */
  isBroken: boolean
  /** A token for a user of it, for ten minutes. */
  sign(claims?: JWTPayload, header?: { alg?: string; kid?: string }): Promise<string>
  /** Signs with a new key from now on, and does not name the old one any more. */
  rotate(): Promise<void>
}

export async function startIdentityProvider(t: Test): Promise<IdentityProvider> {
  let generation = 0
  const makeKey = async () => {
    generation += 1
    return { ...(await generateKeyPair('ES256', { extractable: true })), kid: `key-${generation}` }
  }
  let key = await makeKey()
  const server = createServer(async ({ url }, response) => {
    response.setHeader('content-type', 'application/json')
    if (provider.isBroken) response.writeHead(500).end('{}')
    else if (url === '/.well-known/openid-configuration') {
      const { issuer, description } = provider
      response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/keys`, ...description }))
    } else if (url === '/keys') {
      provider.keyRequests += 1
      const jwk = await exportJWK(key.publicKey)
      response.end(JSON.stringify({ keys: [{ ...jwk, kid: key.kid, alg: 'ES256', use: 'sig' }] }))
    } else response.writeHead(404).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const provider: IdentityProvider = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ description: {}, keyRequests: 0, isBroken: false },
    sign(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000)
      const usual = { iss: provider.issuer, aud: audience, sub: 'user-1', iat: now, exp: now + 600 }
      return new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: key.kid, ...header })
        .sign(key.privateKey)
    },
    async rotate() {
      key = await makeKey()
    }
  }
  return provider
}
