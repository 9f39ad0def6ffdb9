/** One attempt to deliver a webhook. Signed as Standard Webhooks has it: https://www.standardwebhooks.com */
import { createHmac } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import { ATTEMPT_TIMEOUT, type WebhookMessage } from '../services/webhook-message.ts'
import { publicLookup, refusalOf } from '../services/webhook-target.ts'

/** `v1,` and the signature of `<id>.<timestamp>.<body>` in base64; the timestamp is in seconds. */
export function sign(secret: string, id: string, timestamp: number, body: string): string {
  return `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}

/** Sends it; resolves with the status of the answer, whatever that is. A redirect is an answer, and is not followed. */
export function post({ id, url, body, secret, allowPrivate }: WebhookMessage): Promise<number> {
  const target = new URL(url)
  const host = target.hostname.replace(/^\[|\]$/g, '')
  // The lookup is not asked for what is an address already.
  const refusal = allowPrivate || isIP(host) === 0 ? undefined : refusalOf(host)
  if (refusal !== undefined) return Promise.reject(new Error(refusal))
  const timestamp = Math.floor(Date.now() / 1000)
  const { request } = target.protocol === 'http:' ? http : https
  return new Promise((resolve, reject) => {
    const sent = request(target, {
      method: 'POST',
      // No connection is kept: the next one may have to be refused.
      agent: false,
      signal: AbortSignal.timeout(ATTEMPT_TIMEOUT),
      ...(!allowPrivate && { lookup: publicLookup }),
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'sparkify-warehouse',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': sign(secret, id, timestamp, body)
      }
    })
    sent.on('error', reject)
    sent.on('response', (response) => {
      // Nobody wants to know what it says.
      response.destroy()
      resolve(response.statusCode ?? 0)
    })
    sent.end(body)
  })
}
