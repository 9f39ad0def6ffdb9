/** A certificate authority and a server's certificate, made at start so that no private key lies in the repository. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export interface Certificates {
  /** For clients to trust, PEM. */
  ca: string
  cert: string
  key: string
}

/** For `serverName` and its sisters of the same domain, as Redshift's own are for all clusters of a domain. */
export function makeCertificates(serverName: string): Certificates {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = name('Redshift emulator authority')
  const ca = certificate(issuer, issuer, authority.publicKey, authority.privateKey, [
    extension('551d13', sequence(boolean(true)), true),
    // keyCertSign
    extension('551d0f', der(0x03, Buffer.from([2, 0x04])), true),
    extension('551d0e', der(0x04, keyId(authority.publicKey)))
  ])
  const names = [serverName, serverName.replace(/^[^.]+/, '*')].map((each) => der(0x82, Buffer.from(each)))
  const cert = certificate(issuer, name(serverName), server.publicKey, authority.privateKey, [
    extension('551d13', sequence(), true),
    // digitalSignature
    extension('551d0f', der(0x03, Buffer.from([7, 0x80])), true),
    extension('551d25', sequence(oid('2b06010505070301'))),
    extension('551d11', sequence(...names)),
    extension('551d23', sequence(der(0x80, keyId(authority.publicKey))))
  ])
  return { ca, cert, key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
}

/** A value of ASN.1 in its distinguished encoding. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const size = content.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts)
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const boolean = (value: boolean) => der(0x01, Buffer.from([value ? 0xff : 0]))

/** A distinguished name with a common name only. */
const name = (common: string) => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(common)))))

const extension = (id: string, value: Buffer, isCritical = false) =>
  sequence(oid(id), ...(isCritical ? [boolean(true)] : []), der(0x04, value))

const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' })
const keyId = (key: KeyObject) => createHash('sha1').update(spki(key)).digest()

const utcTime = (date: Date) => der(0x17, Buffer.from(date.toISOString().replace(/^\d\d|[-:T]|\.\d+/g, '')))

function certificate(
  issuer: Buffer,
  subject: Buffer,
  publicKey: KeyObject,
  signer: KeyObject,
  extensions: Buffer[]
): string {
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
  const day = 86_400_000
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1, ...randomBytes(8)])),
    ecdsaWithSha256,
    issuer,
    sequence(utcTime(new Date(Date.now() - day)), utcTime(new Date(Date.now() + 365 * day))),
    subject,
    spki(publicKey),
    der(0xa3, sequence(...extensions))
  )
  const signature = der(0x03, Buffer.from([0]), sign('sha256', signed, signer))
  const base64 = sequence(signed, ecdsaWithSha256, signature).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
}
