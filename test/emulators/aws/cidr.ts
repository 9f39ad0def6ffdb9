/** Reads address ranges. EC2 stores `10.1.2.3/8` as `10.0.0.0/8`, and compares what it stores. */
import { isIPv4, isIPv6 } from 'node:net'

function split(text: string, isAddress: (address: string) => boolean, bits: number) {
  const [address, length, ...rest] = text.split('/')
  const valid = isAddress(address ?? '') && /^\d{1,3}$/.test(length ?? '') && Number(length) <= bits
  if (!valid || rest.length > 0) return undefined
  return { address: address as string, hostBits: BigInt(bits - Number(length)), length: Number(length) }
}

const clearHostBits = (value: bigint, hostBits: bigint) => (value >> hostBits) << hostBits

/** The canonical form, or undefined when the text is no IPv4 range. */
export function canonicalCidr(text: string): string | undefined {
  const parts = split(text, isIPv4, 32)
  if (!parts) return undefined
  const value = parts.address.split('.').reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
  const network = clearHostBits(value, parts.hostBits)
  const bytes = [24n, 16n, 8n, 0n].map((shift) => (network >> shift) & 255n)
  return `${bytes.join('.')}/${parts.length}`
}

/** The canonical form, or undefined when the text is no IPv6 range. */
export function canonicalCidr6(text: string): string | undefined {
  const parts = split(text, isIPv6, 128)
  if (!parts) return undefined
  const [head = '', tail] = shortest(parts.address).split('::')
  const before = head === '' ? [] : head.split(':')
  const after = !tail ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length
  const words = [...before, ...Array(zeros).fill('0'), ...after]
  const value = words.reduce((sum, word) => sum * 65_536n + BigInt(`0x${word}`), 0n)
  const network = clearHostBits(value, parts.hostBits).toString(16).padStart(32, '0')
  const address = (network.match(/.{4}/g) ?? []).join(':')
  return `${shortest(address)}/${parts.length}`
}

/** Node writes an address in a URL in its shortest form. */
const shortest = (address: string) => new URL(`http://[${address}]`).hostname.slice(1, -1)
