/**
 * Writes openapi/postman.json, a Postman collection, from openapi/openapi.json: every operation, with a check that its answer is
 * one that the document knows, and before them a walk from an empty warehouse to an answer.
 * `--check` writes nothing and exits 1 when the file is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import converter, { type Options } from 'openapi-to-postmanv2'

const source = fileURLToPath(new URL('../openapi/openapi.json', import.meta.url))
const committed = fileURLToPath(new URL('../openapi/postman.json', import.meta.url))

/** What this file touches of a collection, in Postman's format 2.1. */
interface Item {
  id?: string
  name: string
  item?: Item[]
  request?: {
    method: string
    url: { path: string[]; variable: { key: string; value: string }[]; query: { key: string }[] }
    header: { key: string; value: string; disabled?: boolean }[]
    body?: { raw?: string }
    auth?: object
  }
  response?: { code: number }[]
  event?: Script[]
}
interface Script {
  listen: 'test'
  script: { type: 'text/javascript'; exec: string[] }
}
interface Collection {
  info: { name: string; description: unknown; schema: string; _postman_id?: string }
  item: Item[]
  event?: unknown
  variable?: { key: string; value: string }[]
  auth?: object
}

/** From an empty warehouse to an answer; each step waits for what it has started. */
const walk: { name: string; of: string; body?: object; headers?: object; id?: string; check: string[] }[] = [
  {
    name: 'Ensure the cluster',
    of: 'PUT v1/cluster',
    body: {},
    headers: { Prefer: 'wait=60' },
    check: ['pm.expect(pm.response.code).to.be.oneOf([200, 202])']
  },
  {
    name: 'Create the tables',
    of: 'POST v1/tables',
    body: {},
    headers: { Prefer: 'wait=60' },
    check: ['pm.expect(pm.response.code).to.be.oneOf([200, 202])']
  },
  {
    name: 'Load what is new',
    of: 'POST v1/jobs',
    body: { type: 'etl' },
    check: ['pm.response.to.have.status(202)', "pm.collectionVariables.set('jobId', pm.response.json().id)"]
  },
  {
    name: 'Wait for the load',
    of: 'GET v1/jobs/:id',
    id: '{{jobId}}',
    headers: { Prefer: 'wait=60' },
    check: [
      "pm.expect(pm.response.json().status).to.equal('succeeded')",
      "pm.collectionVariables.set('loadId', pm.response.json().result.load_id)"
    ]
  },
  {
    name: 'What the load did',
    of: 'GET v1/loads/:id',
    id: '{{loadId}}',
    check: [
      'const { read, loaded, duplicates, rejected } = pm.response.json().events',
      'pm.expect(loaded + duplicates + rejected).to.equal(read)'
    ]
  },
  {
    name: 'The top songs',
    of: 'GET v1/analytics/top-songs/results',
    check: ['pm.response.to.have.status(200)', "pm.expect(pm.response.json().rows).to.be.an('array')"]
  }
]

const test = (name: string, lines: string[]): Script => ({
  listen: 'test',
  script: {
    type: 'text/javascript',
    exec: [`pm.test(${JSON.stringify(name)}, () => {`, ...lines.map((line) => `  ${line}`), '})']
  }
})

const operations = (items: Item[]): Item[] =>
  items.flatMap((item) => (item.item ? operations(item.item) : [item]))

const convert = (data: string) =>
  new Promise<Collection>((resolve, reject) => {
    const options: Options = {
      folderStrategy: 'Tags',
      requestNameSource: 'Fallback',
      enableOptionalParameters: false,
      parametersResolution: 'Example',
      requestParametersResolution: 'Example'
    }
    converter.convertV2({ type: 'string', data }, options, (error, done) => {
      if (done?.result === true) resolve(done.output?.[0]?.data as unknown as Collection)
      else reject(error ?? new Error(`the document makes no collection: ${done?.reason}`))
    })
  })

async function generate(): Promise<string> {
  const collection = await convert(readFileSync(source, 'utf8'))
  for (const item of operations(collection.item)) adapt(item)
  collection.item.unshift({ name: 'walkthrough', item: walk.map((step) => buildStep(step, collection.item)) })
  collection.variable = [
    { key: 'baseUrl', value: 'http://127.0.0.1:3000' },
    { key: 'apiKey', value: '' },
    { key: 'jobId', value: '' },
    { key: 'loadId', value: '' }
  ]
  collection.auth = { type: 'bearer', bearer: [{ key: 'token', value: '{{apiKey}}', type: 'string' }] }
  delete collection.event
  delete collection.info._postman_id
  return `${JSON.stringify(collection, null, 1)}\n`
}

/**
 * An operation's answer is one of the document's, whose examples are left out. An idempotency key is another one each time, and
 * so would ids of the items be, whenever they are generated.
 */
function adapt(item: Item): void {
  const codes = [...new Set(item.response?.map(({ code }) => code))].sort()
  item.event = [
    test('the document knows this answer', [
      `pm.expect(pm.response.code).to.be.oneOf(${JSON.stringify(codes)})`
    ])
  ]
  for (const header of item.request?.header ?? []) {
    if (header.key === 'Idempotency-Key') header.value = '{{$guid}}'
  }
  item.response = []
  delete item.id
  delete item.request?.auth
}

function buildStep({ name, of, body, headers = {}, id, check }: (typeof walk)[number], items: Item[]): Item {
  const found = operations(items).find(
    ({ request }) => request && `${request.method} ${request.url.path.join('/')}` === of
  )
  if (found?.request === undefined) throw new Error(`the document has no ${of}`)
  const request = structuredClone(found.request)
  request.url.query = []
  request.url.variable = request.url.variable.map((variable) => ({
    ...variable,
    value: id ?? variable.value
  }))
  request.header = request.header.filter(({ key, disabled }) => !disabled && !(key in headers))
  for (const [key, value] of Object.entries(headers)) request.header.push({ key, value })
  if (body) request.body = { ...request.body, raw: JSON.stringify(body) }
  return { name, request, response: [], event: [test(name, check)] }
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const text = await generate()
if (!values.check) {
  writeFileSync(committed, text)
  console.log(`wrote ${committed}`)
} else if (text !== readFileSync(committed, 'utf8')) {
  console.error(`${committed} is stale. Write it anew with: npm run openapi`)
  process.exitCode = 1
}
