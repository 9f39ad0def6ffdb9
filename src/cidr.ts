/** Address ranges in the one spelling that EC2 keeps them in, so that ours can be compared with its own. */
import { isIP } from 'node:net'

const BITS = { 4: 32, 6: 128 } as const

/**
 * The canonical form of an IPv4 or IPv6 range: host bits zero, IPv6 compressed, an address alone as a range of one.
 * Undefined for what is no range.
 */
export function canonicalCidr(text: string): string | undefined {
  const [address = '', length, ...rest] = text.trim().split('/')
  const version = isIP(address)
  if (rest.length > 0 || (version !== 4 && version !== 6) || address.includes('%')) return undefined
  const bits = BITS[version]
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN
  if (!(prefix <= bits)) return undefined
  const hostBits = BigInt(bits - prefix)
  const network = (toNumber(address, version) >> hostBits) << hostBits
  return `${version === 4 ? toIpv4(network) : toIpv6(network)}/${prefix}`
}

/** True for a range that admits everybody. */
export const isOpen = (cidr: string): boolean => cidr.endsWith('/0')

export const isIpv6 = (cidr: string): boolean => cidr.includes(':')

function toNumber(address: string, version: 4 | 6): bigint {
  if (version === 4) return address.split('.').reduce((sum, byte) => (sum << 8n) + BigInt(byte), 0n)
  return expandIpv6(address).reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n)
}

/** The eight groups. The URL parser writes an embedded IPv4 address as two of them. */
function expandIpv6(address: string): string[] {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':'))
  if (tail === undefined) return groups(head)
  const missing = 8 - groups(head).length - groups(tail).length
  return [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)]
}

const toIpv4 = (network: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => (network >> shift) & 0xffn).join('.')

function toIpv6(network: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((network >> BigInt(112 - index * 16)) & 0xffffn).toString(16)
  )
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
