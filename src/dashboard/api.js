/** Requests to the service with the key that is signed in with. It lives as long as the browser's tab. */

const STORED = 'sparkify-api-key'

/** An answer that says no; `code` is that of the problem document. */
export class Problem extends Error {
  /** @param {{ status: number, code: string, detail: string }} problem */
  constructor({ status, code, detail }) {
    super(detail)
    this.status = status
    this.code = code
  }
}

/** @param {string} key */
export const keepKey = (key) => sessionStorage.setItem(STORED, key)
export const forgetKey = () => sessionStorage.removeItem(STORED)
export const hasKey = () => sessionStorage.getItem(STORED) !== null

/**
 * Throws a `Problem` for every answer above 399, and when the service cannot be reached.
 * @param {string} path Below /v1/.
 * @param {RequestInit} [options]
 */
export async function request(path, options = {}) {
  const headers = { authorization: `Bearer ${sessionStorage.getItem(STORED)}`, ...options.headers }
  const response = await fetch(new URL(`v1/${path}`, document.baseURI), { ...options, headers }).catch(
    (error) => {
      if (error.name === 'AbortError') throw error
      throw new Problem({ status: 0, code: 'unreachable', detail: 'The service cannot be reached.' })
    }
  )
  if (response.ok) return response
  const problem = await response.json().catch(() => undefined)
  throw new Problem(
    problem ?? {
      status: response.status,
      code: 'unknown',
      detail: `The service answered ${response.status}.`
    }
  )
}

/**
 * @param {string} path
 * @param {AbortSignal} [signal]
 */
export const get = async (path, signal) => (await request(path, { signal })).json()

/**
 * Asks for a change, once however often the network repeats it.
 * @param {'POST' | 'PUT'} method
 * @param {string} path
 * @param {object} body
 */
export async function change(method, path, body) {
  const headers = { 'content-type': 'application/json', 'idempotency-key': newKey() }
  return (await request(path, { method, headers, body: JSON.stringify(body) })).json()
}

// crypto.randomUUID() is missing where a service is reached by plain HTTP from another machine.
const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join('-')
