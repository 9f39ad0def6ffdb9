/** Who makes a request: the owner of an API key, or whom a token of the identity provider names. */
import { ServiceError } from '../errors.ts'
import type { Actor, ApiKeys } from './api-keys.ts'
import type { Tokens } from './tokens.ts'

/** Three parts with dots between, the first a JSON object: no key of ours looks like that. */
const JWT = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/

const credentialOf = (authorization = '') => /^Bearer +(\S+)$/i.exec(authorization)?.[1]

export type Identity = ReturnType<typeof createIdentity>

/** Without `tokens` API keys alone are taken. */
export function createIdentity(apiKeys: ApiKeys, tokens?: Tokens) {
  return {
    /** Reads an Authorization header. Throws `missing_credentials` when it holds nothing, and what keys and tokens throw. */
    async identify(authorization?: string): Promise<Actor> {
      const credential = credentialOf(authorization)
      if (credential === undefined) {
        throw new ServiceError('missing_credentials', 'Send your API key as Authorization: Bearer <key>.')
      }
      if (tokens !== undefined && JWT.test(credential)) return tokens.authenticate(credential)
      return apiKeys.authenticate(credential)
    },

    /** The same for a key that needs no look into the store, because it was let in a moment ago. */
    known(authorization?: string): Actor | undefined {
      const credential = credentialOf(authorization)
      return credential === undefined ? undefined : apiKeys.remembered(credential)
    }
  }
}
