/** No parameter of any operation reaches SQL as anything but a value, on either engine. */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { type Operation, operationsOf, type Schema } from '../scripts/fuzz/requests.ts'
import { rows } from './api-fixture.ts'
import { writeFiles } from './files.ts'
import { build, type TestService } from './helper.ts'
import { event, lines, song } from './records.ts'
import { buildOnRedshift } from './redshift-fixture.ts'

const document: Schema = JSON.parse(readFileSync(new URL('../openapi/openapi.json', import.meta.url), 'utf8'))
/** Ends a string, an identifier, a comment or a statement, and goes on with another one; short, or most would be too long. */
const attack = `x'"; drop table jobs; --$$/*`

const resolve = (part: Schema): Schema =>
  part?.$ref === undefined
    ? part
    : part.$ref
        .slice(2)
        .split('/')
        .reduce((at: Schema, key: string) => at[key], document)

interface Attack {
  url: string
  headers: Record<string, string>
  body: Record<string, unknown> | undefined
}

/** A request for each place where a text goes into an operation, with the attack there and examples elsewhere. */
function* requestsOf({ path, spec }: Operation): Generator<Attack> {
  const parameters: Schema[] = (spec.parameters ?? []).map(resolve)
  const bodySchema = resolve(resolve(spec.requestBody)?.content?.['application/json']?.schema)
  const example = (schema: Schema) => schema.examples?.[0] ?? schema.example ?? 'x'
  const fill = (hostile: Schema | undefined): Omit<Attack, 'body'> => {
    let url = path
    const query = new URLSearchParams()
    const headers: Record<string, string> = {}
    for (const parameter of parameters) {
      const { name, in: where, required, schema } = parameter
      const value =
        parameter === hostile ? attack : String(example({ ...schema, example: parameter.example }))
      if (where === 'path') url = url.replace(`{${name}}`, encodeURIComponent(value))
      else if (parameter !== hostile && !required) continue
      else if (where === 'query') query.set(name, value)
      else headers[name.toLowerCase()] = value
    }
    return { url: query.size > 0 ? `${url}?${query}` : url, headers }
  }
  const base = bodySchema?.examples?.[0] ?? (bodySchema && {})
  for (const parameter of parameters) yield { ...fill(parameter), body: base }
  for (const name of Object.keys(bodySchema?.properties ?? {})) {
    yield { ...fill(undefined), body: { ...base, [name]: attack } }
  }
}

async function attackAll(t: Test, service: TestService) {
  await service.prepareWarehouse()
  const load = { headers: { prefer: 'wait=60' }, body: { type: 'etl' } }
  t.match(await service.request('POST', '/v1/jobs', load), { body: { status: 'succeeded' } })
  const tables = async () =>
    (await service.request('GET', '/v1/tables')).body.items
      .map(({ name, row_count }: { name: string; row_count: number }) => [name, row_count])
      // Loads that were asked for with an attack in a header have found nothing new.
      .filter(([name]: [string]) => name !== 'loads')
  const store = "select table_name from information_schema.tables where table_schema = 'public' order by 1"
  const before = { tables: await tables(), store: await rows(service, store) }
  let sent = 0
  // With an attack in a header alone these would do what they are for.
  const removals = ['deleteCluster', 'dropTables', 'pauseCluster']
  for (const operation of operationsOf(document)) {
    for (const { url, headers, body } of requestsOf(operation)) {
      if (removals.includes(operation.id) && Object.keys(headers).length > 0) continue
      const method = operation.method.toUpperCase() as 'GET'
      const answer = await service.request(method, url, { headers, ...(body && { body }) })
      sent += 1
      if (answer.status >= 500) t.fail(`${method} ${url} answered ${answer.status}`, answer.body)
      const codes = (answer.body.errors ?? []).map(({ code }: { code: string }) => code)
      if (codes.includes('maxLength'))
        t.fail(`${method} ${url}: the attack is too long to get there`, answer.body)
      // What selects by an attack finds nothing.
      const filters = new URL(url, 'http://x').searchParams.has('cursor') ? [] : (answer.body.items ?? [])
      if (/\?(job_id|code|key_id|request_id)=/.test(url)) t.strictSame(filters, [], url)
    }
  }
  t.ok(sent > 250, `${sent} requests`)
  t.strictSame({ tables: await tables(), store: await rows(service, store) }, before, 'everything is there')
  const jobs = await rows<{ id: string }>(service, 'select id from jobs')
  t.ok(jobs.length > 0)
}

t.test('on DuckDB', { timeout: 60_000 }, async (t) => {
  const service = await build(t, { RATE_LIMIT_PER_MINUTE: '0' })
  writeFiles(service.config.SONG_DATA, { 'songs.json': lines(song()) })
  writeFiles(service.config.LOG_DATA, { 'events.json': lines(event()) })
  await attackAll(t, service)
})

t.test('on Redshift', { timeout: 60_000 }, async (t) => {
  const service = await buildOnRedshift(t, { RATE_LIMIT_PER_MINUTE: '0' })
  service.put({ 'song_data/a.json': lines(song()), 'log_data/a.json': lines(event()) })
  await attackAll(t, service)
})
