/** What is sent for a webhook, and by whom: HTTP is none of the business of services. */

/** Longest that an attempt may take, in ms. */
export const ATTEMPT_TIMEOUT = 10_000

export interface WebhookMessage {
  /** Of the delivery. */
  id: string
  url: string
  body: string
  /** Signs it. */
  secret: string
  /** False keeps it from private addresses. */
  allowPrivate: boolean
}

/** Sends a message; resolves with the HTTP status of the answer, whatever that is. */
export type PostWebhook = (message: WebhookMessage) => Promise<number>
