/** Where webhooks may go: to the hosts that were allowed, and to no address inside our own network. */
import { lookup as resolve } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { ServiceError } from '../errors.ts'

export interface WebhookRules {
  /** Host names, with a port where it is not that of the scheme. */
  hosts: readonly string[]
  /** Lets them be private addresses, and takes plain http. */
  allowPrivate: boolean
}

/** Throws `callback_not_allowed` for a URL that no webhook may be sent to. */
export function checkCallback(callback: string, rules: WebhookRules): void {
  const reason = reasonAgainst(callback, rules)
  if (reason !== undefined) throw new ServiceError('callback_not_allowed', `callback_url ${reason}.`)
}

function reasonAgainst(callback: string, { hosts, allowPrivate }: WebhookRules): string | undefined {
  const url = URL.parse(callback)
  if (url === null) return 'is not a URL'
  const isPlain = allowPrivate && url.protocol === 'http:'
  if (url.protocol !== 'https:' && !isPlain) return 'must begin with https://'
  if (url.username !== '' || url.password !== '') return 'must not hold a user or a password'
  if (hosts.length === 0) return 'cannot be used: WEBHOOK_HOSTS names no host'
  if (hosts.includes(url.host)) return undefined
  return `names the host ${url.host}; WEBHOOK_HOSTS allows ${hosts.join(', ')}`
}

/** Why nothing is sent to this address: it is not one of the public Internet. */
export function refusalOf(address: string): string | undefined {
  // An IPv4 address in an IPv6 one is the IPv4 address.
  const range = ipaddr.process(address).range()
  return range === 'unicast' ? undefined : `${address} is a ${range} address, and no webhook is sent there`
}

/** Resolves names as Node does, and fails where an address is not public. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, [])
    for (const { address } of addresses) {
      const refusal = refusalOf(address)
      if (refusal !== undefined) return callback(new Error(refusal), [])
    }
    const [first] = addresses
    if (options.all) callback(null, addresses)
    else callback(null, first?.address ?? '', first?.family)
  })
}
