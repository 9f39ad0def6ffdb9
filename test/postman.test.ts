/** The Postman collection, run by Postman's own runner against the service. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import newman, { type NewmanRunSummary } from 'newman'
import t from 'tap'
import { build } from './helper.ts'
import { event, lines, song } from './records.ts'

const collection = JSON.parse(readFileSync(new URL('../openapi/postman.json', import.meta.url), 'utf8'))

t.test('the walk ends with an answer, and every request gets one that the document knows', async (t) => {
  const service = await build(t)
  writeFileSync(join(service.config.SONG_DATA, 'songs.json'), lines(song()))
  writeFileSync(join(service.config.LOG_DATA, 'events.json'), lines(event()))
  const baseUrl = await service.app.listen({ port: 0, host: '127.0.0.1' })
  const envVar = [
    { key: 'baseUrl', value: baseUrl },
    { key: 'apiKey', value: service.keys.admin }
  ]
  const { run } = await new Promise<NewmanRunSummary>((resolve, reject) =>
    newman.run({ collection, envVar, timeoutRequest: 30_000 }, (error, summary) =>
      error ? reject(error) : resolve(summary)
    )
  )
  t.same(
    run.failures.map(({ source, error }) => [source?.name, error.test, error.message]),
    []
  )
  const { assertions, requests } = run.stats
  t.ok(Number(requests.total) > 70)
  t.equal(assertions.total, requests.total, 'each request is checked')
})
