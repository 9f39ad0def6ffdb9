/** The OpenAPI document is fresh, complete, and says what the service does; `npm run check` lints it. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import t from 'tap'
import { documentText } from '../scripts/export-openapi.ts'
import { type ErrorCode, errorCatalogue } from '../src/errors.ts'
import { collectRoutes } from './api-fixture.ts'
import { temporaryDirectory, writeFiles } from './files.ts'
import { build, type TestService } from './helper.ts'
import { event, lines, song } from './records.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const file = join(root, 'openapi/openapi.json')

interface Media {
  schema: { $ref?: string }
  example?: unknown
  examples?: Record<string, unknown>
}
interface Response {
  $ref?: string
  description: string
  headers?: Record<string, { $ref: string }>
  content: Record<string, Media>
}
interface Parameter {
  $ref?: string
  name: string
  in: string
  required?: boolean
  description?: string
}
interface Operation {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  security: object[]
  parameters?: Parameter[]
  requestBody?: { required: boolean; content: Record<string, Media> }
  responses: Record<string, Response>
}
interface Document {
  openapi: string
  servers: { url: string }[]
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  components: Record<string, Record<string, never>>
}

let service = {} as TestService
const routes = await collectRoutes(async () => {
  service = await build(t)
})
const document = JSON.parse(readFileSync(file, 'utf8')) as Document
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    ...{ path, method, operation },
    name: `${method.toUpperCase()} ${path}`
  }))
)

/** What a reference into the components stands for. */
function resolve<Part extends { $ref?: string }>(part: Part): Part {
  const [, section = '', name = ''] = /^#\/components\/(\w+)\/(.+)$/.exec(part.$ref ?? '') ?? []
  return part.$ref === undefined ? part : ((document.components[section]?.[name] as Part | undefined) ?? part)
}

t.test('the committed document is fresh', async (t) => {
  t.equal(readFileSync(file, 'utf8'), documentText(service.app), 'write it anew with: npm run openapi')
})

/** Runs a program of this project; never rejects. */
async function run(...args: string[]) {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root, env })
    return { code: 0, output: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, output: stdout + stderr }
  }
}

t.test('npm run openapi writes it, and --check tells when it is stale', async (t) => {
  const copy = join(temporaryDirectory(t), 'new', 'openapi.json')
  const script = 'scripts/export-openapi.ts'
  const missing = await run(script, '--check', copy)
  t.equal(missing.code, 1)
  t.match(missing.output, `${copy} is stale. Write it anew with: npm run openapi`)
  t.equal((await run(script, copy)).code, 0)
  t.equal(readFileSync(copy, 'utf8'), readFileSync(file, 'utf8'), 'it is the same from any directory')
})

t.test('every route is in the document, and the other way round', async (t) => {
  const shown = routes.filter(({ hidden, method }) => !hidden && method !== 'HEAD' && method !== 'OPTIONS')
  t.strictSame(
    operations.map(({ name }) => name).sort(),
    shown.map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`).sort()
  )
  const hidden = new Set(routes.filter(({ hidden }) => hidden).map(({ url }) => url))
  const own = [...hidden].filter((url) => !url.startsWith('/docs'))
  t.strictSame(
    own,
    ['/metrics', '/dashboard/*', '/', '/v1/analytics/:query/results'],
    'only pages for people and the answer to unknown queries hide'
  )
})

t.test('every operation has what a reader needs', async (t) => {
  const tags = document.tags.map(({ name }) => name)
  const ids = operations.map(({ operation }) => operation.operationId)
  t.equal(new Set(ids).size, ids.length, 'operationIds are unique')
  for (const { name, path, operation } of operations) {
    const { operationId, summary, parameters = [], requestBody, security, description = '' } = operation
    t.match(operationId, /^[a-z][A-Za-z]+$/, `${name}: operationId`)
    t.match(summary, /^[A-Z].{5,}[^.]$/, `${name}: summary`)
    t.equal(operation.tags.length, 1)
    t.ok(tags.includes(operation.tags[0] ?? ''), `${name}: tag`)
    t.strictSame(security, path.startsWith('/v1/') ? [{ apiKey: [] }] : [], `${name}: security`)
    t.equal(/Scope: `(read|operate|admin)`\.$/.test(description), path.startsWith('/v1/'), `${name}: scope`)
    for (const parameter of parameters.map(resolve)) {
      const hasText = (parameter.description ?? '').length > 3 || path.endsWith('/results')
      t.ok(hasText, `${name}: description of ${parameter.name}`)
    }
    for (const media of Object.values(requestBody?.content ?? {})) {
      t.match(media.schema.$ref, /^#\/components\/schemas\/[A-Z]/, `${name}: name of the body`)
      t.ok(media.example ?? media.examples, `${name}: example of the body`)
    }
  }
})

/** What some answers come as beside JSON, to those who ask for it. */
const others = ['text/event-stream', 'text/csv', 'application/x-ndjson']

t.test('every answer has a description, a named schema, an example and a request id', async (t) => {
  for (const { name, operation } of operations) {
    for (const [status, response] of Object.entries(operation.responses)) {
      const { description, headers = {}, content } = resolve(response)
      const about = `${name} ${status}`
      t.match(description, /^[A-Z`].{4,}/, about)
      t.not(description, 'Default Response', about)
      t.ok(headers['X-Request-Id'], `${about}: X-Request-Id`)
      if (status === '204' || status === '304') {
        t.equal(content, undefined, `${about}: no body`)
        continue
      }
      const isError = Number(status) >= 400
      const types = Object.keys(content).filter((type) => !others.includes(type))
      const drawn = name.endsWith('/chart') ? 'image/svg+xml' : 'application/json'
      t.strictSame(types, [isError ? 'application/problem+json' : drawn], about)
      const [media] = Object.values(content)
      t.ok(Object.keys(media?.examples ?? {}).length > 0, `${about}: example`)
      if (isError) t.equal(media?.schema.$ref, '#/components/schemas/Problem', about)
    }
  }
})

t.test('errors are shown by their codes', async (t) => {
  for (const { name, path, operation } of operations) {
    const statuses = Object.keys(operation.responses)
    const guarded = path.startsWith('/v1/') ? ['401', '503'] : []
    for (const status of ['400', '500', ...guarded]) t.ok(statuses.includes(status), `${name}: ${status}`)
    const needsMore = /Scope: `(operate|admin)`/.test(operation.description ?? '')
    t.equal(statuses.includes('403'), needsMore, `${name}: 403`)
    t.equal(statuses.includes('415'), operation.requestBody !== undefined, `${name}: 415`)
    for (const [status, response] of Object.entries(operation.responses)) {
      if (Number(status) < 400) continue
      const { content, headers = {} } = resolve(response)
      for (const [code, example] of Object.entries(content['application/problem+json']?.examples ?? {})) {
        t.match(
          example,
          { value: { code, status: Number(status), title: errorCatalogue[code as ErrorCode].title } },
          `${name}: ${code}`
        )
      }
      if (status === '401') t.ok(headers['WWW-Authenticate'])
      if (status === '503') t.ok(headers['Retry-After'])
    }
  }
})

t.test('operations that start a job, and lists, tell how they do it', async (t) => {
  const namesOf = ({ parameters = [] }: Operation) => parameters.map((each) => resolve(each).name)
  for (const { name, operation } of operations) {
    const { responses } = operation
    // Whoever cancels a job may have to wait for its end too, but starts none.
    const starts = responses['202'] !== undefined && operation.operationId !== 'cancelJob'
    const names = namesOf(operation)
    t.equal(names.includes('Idempotency-Key'), starts, `${name}: Idempotency-Key`)
    if (responses['202']) t.ok(names.includes('Prefer'), `${name}: Prefer`)
    t.equal(responses['202']?.headers?.Location !== undefined, starts, `${name}: Location`)
    t.equal(responses['202']?.headers?.['Idempotency-Replayed'] !== undefined, starts, name)
    t.equal(responses['200']?.headers?.Link !== undefined, names.includes('cursor'), `${name}: Link`)
    for (const parameter of operation.parameters ?? []) {
      if (parameter.name === 'limit') t.equal(parameter.required, false, `${name}: limit has a default`)
    }
  }
  const starting = operations.filter(({ operation }) => operation.responses['202']).map(({ name }) => name)
  t.strictSame(starting, [
    ...['PUT /v1/cluster', 'DELETE /v1/cluster', 'POST /v1/cluster/pause', 'POST /v1/cluster/resume'],
    ...['POST /v1/tables', 'DELETE /v1/tables', 'POST /v1/tables/rebuild', 'POST /v1/jobs'],
    ...['POST /v1/jobs/{id}/cancel', 'POST /v1/jobs/{id}/retry'],
    ...['POST /v1/schedules/{id}/trigger', 'POST /v1/rejects/replay']
  ])
  t.equal(document.paths['/v1/jobs']?.post?.requestBody?.required, true)
  t.equal(document.paths['/v1/tables']?.post?.requestBody?.required, false, 'its body may be left out')
})

t.test('it is OpenAPI 3.1 with names of its own', async (t) => {
  t.equal(document.openapi, '3.1.0')
  t.strictSame(
    document.servers.map(({ url }) => url),
    ['/']
  )
  const names = Object.keys(document.components.schemas ?? {})
  for (const name of names) t.match(name, /^[A-Z][A-Za-z]+$/)
  for (const name of ['Job', 'Load', 'Problem', 'Table', 'Cluster', 'TopSongsResults', 'StartJob']) {
    t.ok(names.includes(name), name)
  }
  const text = JSON.stringify(document)
  t.notMatch(text, 'def-')
  t.notMatch(text, '"nullable":true', 'null is a type')
  t.notMatch(text, '"$id"')
  t.notMatch(text, '"x-body"')
})

t.test('what the service answers is what the document says', async (t) => {
  writeFiles(join(service.config.DATA_DIR, 'sources'), {
    'song_data/a.json': lines(song()),
    'log_data/a.json': `${lines(event())}\n{"broken`
  })
  await service.prepareWarehouse()
  const body = { type: 'etl', max_rejects: 1 }
  const started = await service.request('POST', '/v1/jobs', { body, headers: { prefer: 'wait=60' } })
  t.equal(started.body.status, 'succeeded')
  const schedule = { name: 'hourly', cron: '0 * * * *', job: { type: 'etl' } }
  const created = await service.request('POST', '/v1/schedules', { body: schedule })
  const key = await service.request('POST', '/v1/api-keys', { body: { name: 'service', scope: 'read' } })
  const values = { id: started.body.id, table: 'analytics.songs', query: 'top-songs' }
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(document, 'document')

  for (const { name, method, path, operation } of operations.filter(({ method }) => method === 'get')) {
    const params: Record<string, string> = {
      ...values,
      ...(path.startsWith('/v1/loads') && { id: '1' }),
      ...(path.startsWith('/v1/schedules') && { id: created.body.id }),
      ...(path.startsWith('/v1/api-keys') && { id: key.body.id })
    }
    const url = path.replace(/\{(\w+)\}/g, (_, param: string) => params[param] ?? '')
    const { status, body } = await service.request('GET', url)
    t.equal(status, 200, url)
    const schema = operation.responses[status]?.content['application/json']?.schema.$ref ?? ''
    t.ok(ajv.validate({ $ref: `document${schema}` }, body), `${name}: ${ajv.errorsText()}`)
    const wrong = await service.request(method as 'GET', `${url}?no_such_parameter=1`)
    t.ok(ajv.validate({ $ref: 'document#/components/schemas/Problem' }, wrong.body), `${name}: the problem`)
  }
})
