/** Keyset pages: a cursor is the key of the last item, so pages stay right while rows are added. */
import { ServiceError } from '../errors.ts'
import type { Page } from '../schemas/common.ts'

/** The key inside a cursor, or null without one. Throws `invalid_cursor` on a cursor that no page returned. */
export function readCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null
  const key = Buffer.from(cursor, 'base64url').toString('utf8')
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(key)) {
    throw new ServiceError('invalid_cursor', 'cursor is not a value that next_cursor had. Start without it.')
  }
  return key
}

/** The whole number inside a cursor, or null without one. */
export function readNumberCursor(cursor: string | undefined): number | null {
  const key = readCursor(cursor)
  if (key === null) return null
  if (!/^\d{1,15}$/.test(key)) {
    throw new ServiceError('invalid_cursor', 'cursor is not a value that next_cursor had. Start without it.')
  }
  return Number(key)
}

/** Makes a page of `rows`, which must hold up to `limit + 1` items: one more tells that there is a next page. */
export function toPage<Item>(
  rows: Item[],
  limit: number,
  keyOf: (item: Item) => string | number
): Page<Item> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const hasMore = rows.length > limit && last !== undefined
  return { items, next_cursor: hasMore ? Buffer.from(String(keyOf(last))).toString('base64url') : null }
}
