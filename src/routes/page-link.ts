/** The `Link` header of a list (RFC 8288). */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Page } from '../schemas/common.ts'

/** Adds the address of the next page, with the filters of this one, and returns the page. */
export function withLink<Item>(page: Page<Item>, request: FastifyRequest, reply: FastifyReply): Page<Item> {
  if (page.next_cursor === null) return page
  const url = new URL(request.url, 'http://localhost')
  url.searchParams.set('cursor', page.next_cursor)
  reply.header('link', `<${url.pathname}${url.search}>; rel="next"`)
  return page
}
