/** A bare route that always answers the same JSON, in a process of its own: what kept answers are compared with. */
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'

const body = readFileSync(process.argv[2] ?? '', 'utf8')
const app = Fastify()
app.get('/bare', async (_request, reply) => reply.type('application/json').send(body))
await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}/bare\n`)
