/**
 * Tokens of an OpenID Connect provider: who may call without an API key, with which scope. Loaded only where a provider is
 * configured.
 */
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { ServiceError } from '../errors.ts'
import { type Scope, scopes } from '../schemas/jobs.ts'
import type { Actor } from './api-keys.ts'

export interface TokenRules {
  /** As tokens and the provider's own description name it. */
  issuer: string
  /** For whom a token must be made. */
  audience: string
  /** The claim that says what its bearer may do; dots lead into objects. */
  claim: string
  /** Which scope each value of the claim gives. */
  scopes: Readonly<Record<string, Scope>>
  /** The provider's keys are not asked for again within this, in ms. */
  cooldown?: number
}

/** Signatures by a key that the provider alone has: no shared secrets, and never none. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
/** How far the clocks may be apart, in s. */
const CLOCK_TOLERANCE = 5
/** How long the provider may take to answer, in ms. */
const PATIENCE = 5_000
/** How long it is not asked again after it did not answer, in ms. */
const PAUSE = 1_000
/** For how long its keys are kept, in ms. */
const KEYS_KEPT = 10 * 60_000
const COOLDOWN = 30_000

export type Tokens = ReturnType<typeof createTokens>

export function createTokens(rules: TokenRules) {
  const { issuer, audience, claim } = rules
  let keys: Promise<JWTVerifyGetKey> | undefined

  /** The provider's keys; asked for once, and again after a failure. */
  function findKeys(): Promise<JWTVerifyGetKey> {
    keys ??= discover(issuer, rules.cooldown ?? COOLDOWN).catch((error) => {
      setTimeout(() => (keys = undefined), PAUSE).unref()
      throw unavailable(issuer, error)
    })
    return keys
  }

  /** The greatest scope that the claim gives. */
  function scopeOf(payload: JWTPayload): Scope {
    const granted = valuesOf(payload, claim).map((value) =>
      Object.hasOwn(rules.scopes, value) ? scopes.indexOf(rules.scopes[value] as Scope) : -1
    )
    const scope = scopes[Math.max(-1, ...granted)]
    if (scope !== undefined) return scope
    throw new ServiceError(
      'insufficient_scope',
      `The claim ${claim} of the token has none of the values that OIDC_SCOPES gives a scope for.`
    )
  }

  return {
    /**
     * Whom a token names. Throws `invalid_token` when it is not one of the provider for this service or has expired,
     * `insufficient_scope` when it may do nothing here, `identity_provider_unavailable`.
     */
    async authenticate(token: string): Promise<Actor> {
      const ofProvider = await findKeys()
      const options = { issuer, audience, algorithms, clockTolerance: CLOCK_TOLERANCE }
      const { payload } = await jwtVerify(token, ofProvider, {
        ...options,
        requiredClaims: ['sub', 'exp']
      }).catch((error) => {
        throw explain(error, issuer)
      })
      const { sub = '', name } = payload
      return {
        key_id: `oidc:${sub}`,
        name: typeof name === 'string' ? name : sub,
        scope: scopeOf(payload)
      }
    },

    /** Asks the provider for its description. Throws `identity_provider_unavailable`. */
    async ping(): Promise<void> {
      await findKeys()
    }
  }
}

/** Where the provider says that its keys are (OpenID Connect Discovery 1.0, section 4). */
async function discover(issuer: string, cooldownDuration: number): Promise<JWTVerifyGetKey> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE), redirect: 'error' })
  if (!response.ok) throw new Error(`it answers ${response.status}`)
  const found = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown }
  if (found.issuer !== issuer) throw new Error(`it calls itself ${JSON.stringify(found.issuer)}`)
  const place = new URL(String(found.jwks_uri))
  // Keys that come in the clear are anybody's, unless the whole provider is on this machine.
  if (place.protocol !== 'https:' && place.origin !== new URL(issuer).origin) {
    throw new Error('its keys are not at a https URL')
  }
  return createRemoteJWKSet(place, { timeoutDuration: PATIENCE, cacheMaxAge: KEYS_KEPT, cooldownDuration })
}

/** The reason may name hosts of the network inside, and whoever asks is not known yet: it is for the log. */
function unavailable(issuer: string, cause: unknown): ServiceError {
  return new ServiceError(
    'identity_provider_unavailable',
    `The identity provider ${issuer} does not say which tokens are its own; the log has the reason. API keys still work.`,
    { cause }
  )
}

/** What is wrong with a token, without a word of its content. */
function explain(error: unknown, issuer: string): ServiceError {
  // Without the cause: it holds the claims, and would show them in a log.
  const invalid = (detail: string) => new ServiceError('invalid_token', detail)
  if (error instanceof errors.JWTExpired) return invalid('The token has expired. Get a new one.')
  if (error instanceof errors.JWTClaimValidationFailed) {
    return invalid(`The claim ${error.claim} of the token is missing, or not what this service takes.`)
  }
  const isOfToken =
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWTInvalid
  return isOfToken ? invalid(`The token is not signed by ${issuer}.`) : unavailable(issuer, error)
}

/** The values of a claim: a list, or words with spaces between, as OAuth writes scopes. */
function valuesOf(payload: JWTPayload, claim: string): string[] {
  const nested = () =>
    claim.split('.').reduce<unknown>((value, name) => {
      const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      return isObject ? (value as Record<string, unknown>)[name] : undefined
    }, payload)
  // A claim may be a URL, whose dots are its own.
  const value = Object.hasOwn(payload, claim) ? payload[claim] : nested()
  if (Array.isArray(value)) return value.filter((one) => typeof one === 'string')
  return typeof value === 'string' ? value.split(' ') : []
}
