/** A short run of what `npm run fuzz` does, and that it finds what is wrong. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { fuzz } from '../scripts/fuzz/run.ts'
import { build } from './helper.ts'

const document = JSON.parse(readFileSync(new URL('../openapi/openapi.json', import.meta.url), 'utf8'))

t.test('generated requests are answered as the document says', async (t) => {
  const service = await build(t, { RATE_LIMIT_PER_MINUTE: '0' })
  await service.prepareWarehouse()
  const url = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const keys = [service.keys.admin, service.keys.admin, service.keys.read]
  const report = await fuzz({ url, keys, document, requests: 200, seed: 18 })
  t.same(report.findings, [])
  t.ok(report.operations >= 71)
  for (const status of [200, 400, 403, 404]) t.ok(report.statuses.has(status), `${status} was met`)
  t.equal((await service.request('GET', '/readyz')).status, 200)
})

t.test('a service that answers otherwise is found out', async (t) => {
  const answers = [
    [500, 'application/json', '{}', /answered 500/],
    [418, 'application/json', '{}', /answers 418, which it does not document/],
    [200, 'text/html', '<p>', /answers 200 as text\/html/],
    [200, 'application/json', '{"status":"fine"}', /what its schema does not have/]
  ] as const
  for (const [status, type, body, expected] of answers) {
    const server = createServer((_, response) => {
      response.writeHead(status, { 'content-type': type }).end(body)
    }).listen(0, '127.0.0.1')
    t.teardown(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const only = { ...document, paths: { '/livez': document.paths['/livez'] } }
    const { findings } = await fuzz({ url, keys: ['x'], document: only, requests: 3, seed: 1 })
    t.equal(findings.length, 3)
    t.match(findings[0], expected)
  }
})
