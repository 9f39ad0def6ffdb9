/** Verifies AWS Signature Version 4, so that wrong or missing credentials fail here as they would there. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export interface Identity {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
  arn: string
  userId: string
}

export interface SignedRequest {
  method: string
  /** As on the wire: still encoded. */
  path: string
  query: string
  headers: IncomingHttpHeaders
  body: Buffer
}

export type SignatureProblem = 'missing' | 'unknown' | 'mismatch' | 'token'

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest()
export const encodeRfc3986 = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`
  )

const authorizationPattern =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/

function canonicalQuery(query: string): string {
  return [...new URLSearchParams(query)]
    .map(([name, value]): [string, string] => [encodeRfc3986(name), encodeRfc3986(value)])
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** The region that the request was signed for, unverified. */
export const readRegion = (headers: IncomingHttpHeaders): string | undefined =>
  authorizationPattern.exec(headers.authorization ?? '')?.[3]

const signingKeys = new Map<string, Buffer>()

/** Derived once, as the SDK does it too. `scope`: date, region, service and terminator. */
function signingKey(secret: string, scope: string): Buffer {
  const name = `${secret} ${scope}`
  const known = signingKeys.get(name)
  if (known !== undefined) return known
  const derived = scope
    .split('/')
    .reduce<Buffer>((previous, part) => hmac(previous, part), Buffer.from(`AWS4${secret}`))
  signingKeys.set(name, derived)
  return derived
}

/** The identity whose secret signed the request, or why there is none. */
export function verifySignature(
  request: SignedRequest,
  identities: ReadonlyMap<string, Identity>
): Identity | SignatureProblem {
  const { headers, method, path, query, body } = request
  const found = authorizationPattern.exec(headers.authorization ?? '')
  if (!found) return headers.authorization === undefined ? 'missing' : 'mismatch'
  const [, accessKeyId, date, region, service, signedHeaders, signature] = found as unknown as string[]
  const identity = identities.get(accessKeyId as string)
  if (!identity) return 'unknown'
  const names = (signedHeaders as string).split(';')
  const canonicalRequest = [
    method,
    path,
    canonicalQuery(query),
    ...names.map(
      (name) =>
        `${name}:${String(headers[name] ?? '')
          .trim()
          .replace(/ +/g, ' ')}`
    ),
    '',
    signedHeaders,
    headers['x-amz-content-sha256'] ?? sha256(body)
  ].join('\n')
  const stamp = String(headers['x-amz-date'])
  const scope = `${date}/${region}/${service}/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonicalRequest)].join('\n')
  const expected = hmac(signingKey(identity.secretAccessKey, scope), toSign)
  if (!timingSafeEqual(expected, Buffer.from(signature as string, 'hex'))) return 'mismatch'
  return headers['x-amz-security-token'] === identity.sessionToken ? identity : 'token'
}
