/** Identifiers in the shapes that the services give them. */
import { randomBytes, randomUUID } from 'node:crypto'

export const requestId = () => randomUUID()
/** `sg-0123456789abcdef0` and its like. */
export const resourceId = (prefix: string) => `${prefix}-0${randomBytes(8).toString('hex')}`
/** `AROA...` and its like. */
export const principalId = (prefix: string) =>
  prefix + randomBytes(17).toString('base64url').replace(/[_-]/g, 'X').toUpperCase().slice(0, 17)
export const secret = (bytes: number) => randomBytes(bytes).toString('base64').replace(/=+$/, '')
