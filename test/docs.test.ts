/** Swagger UI: everything comes from this service, and what it shows can be tried out. */
import t from 'tap'
import { build } from './helper.ts'

const service = await build(t)
const open = { scope: null } as const
const base = 'http://service.test/docs'

/** The values of an attribute in a page. */
const attributes = (html: string, name: string) =>
  [...html.matchAll(new RegExp(`\\b${name}="([^"]*)"`, 'g'))].map(([, value]) => value ?? '')

for (const path of ['/docs', '/docs/']) {
  t.test(`${path} and everything that it loads come from this service`, async (t) => {
    const page = await service.request('GET', path, open)
    t.equal(page.status, 200)
    t.equal(page.headers['content-type'], 'text/html; charset=utf-8')
    const assets = [...attributes(page.body, 'href'), ...attributes(page.body, 'src')]
    t.ok(assets.length >= 7, assets.join(' '))
    for (const asset of assets) {
      const url = new URL(asset, new URL(path, base))
      t.equal(url.origin, new URL(base).origin, `${asset} is ours`)
      const { status, body, headers } = await service.request('GET', url.pathname, open)
      t.equal(status, 200, asset)
      t.ok(body.length > 0, asset)
      const type = asset.endsWith('.js') ? 'javascript' : asset.endsWith('.css') ? 'text/css' : 'image/png'
      t.match(headers['content-type'], type, asset)
    }
    t.notMatch(page.body, /<script(?![^>]*\bsrc=)[^>]*>/, 'no inline script, which the policy would stop')
    t.notMatch(page.body, /<style|\bstyle=|\bon[a-z]+=/, 'nor inline style or handler')
  })
}

t.test('the policy lets the page talk to this service alone', async (t) => {
  for (const path of [
    '/docs',
    '/docs/static/swagger-initializer.js',
    '/docs/static/index.html',
    '/docs/json'
  ]) {
    const { headers } = await service.request('GET', path, open)
    const policy = String(headers['content-security-policy'])
    const directives = new Map(
      policy
        .split(';')
        .map((directive) => directive.trim().split(/\s+/))
        .filter(([name]) => name)
        .map(([name = '', ...sources]) => [name, sources.join(' ')])
    )
    t.equal(directives.get('default-src'), "'none'", path)
    t.equal(directives.get('script-src'), "'self'")
    t.equal(directives.get('style-src'), "'self'")
    t.equal(directives.get('connect-src'), "'self'")
    t.equal(directives.get('img-src'), "'self' data:", 'the icons in its style sheet are data: URLs')
    t.equal(directives.get('frame-ancestors'), "'none'")
    t.notMatch(policy, /https?:|\*|unsafe|\.\w/, 'no other host, nothing inline')
    t.notOk(directives.has('upgrade-insecure-requests'), 'the service may be reached over plain HTTP')
  }
})

t.test('it loads the document of this service and asks no validator', async (t) => {
  const { body } = await service.request('GET', '/docs/static/swagger-initializer.js', open)
  t.match(body, "url: resolveUrl('./json')")
  t.match(body, 'validatorUrl: null')
  t.match(body, '"persistAuthorization":true')
  t.notMatch(body.replaceAll(/data:[^'"]*/g, '').replaceAll(/\/\/ .*$/gm, ''), /https?:\/\//)
  const json = await service.request('GET', '/docs/json', open)
  t.equal(json.status, 200)
  t.strictSame(json.body, JSON.parse(JSON.stringify(service.app.swagger())))
  const yaml = await service.request('GET', '/docs/yaml', open)
  t.equal(yaml.status, 200)
  t.match(yaml.body, /^openapi: "?3\.1\.0/)
})

t.test('Authorize takes a key, and what it tries out then works', async (t) => {
  const { body: document } = await service.request('GET', '/docs/json', open)
  t.strictSame(document.components.securitySchemes, {
    apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, or a token' }
  })
  const [server] = document.servers
  for (const [method, path] of [
    ['get', '/v1/whoami'],
    ['get', '/v1/cluster'],
    ['post', '/v1/cluster/plan'],
    ['get', '/v1/jobs']
  ] as const) {
    t.strictSame(document.paths[path][method].security, [{ apiKey: [] }])
    // As Swagger UI does: the server is relative to where the document was loaded.
    const url = new URL(`${new URL(server.url, `${base}/json`).pathname}${path}`.replace('//', '/'), base)
    t.equal(url.origin, new URL(base).origin)
    const authorization = `Bearer ${service.keys.admin}`
    const response = await service.request(method === 'get' ? 'GET' : 'POST', url.pathname, {
      ...open,
      headers: { authorization, referer: base }
    })
    t.equal(response.status, 200, path)
  }
})

t.test('it serves its own files and no others', async (t) => {
  for (const path of [
    '/docs/static/../../package.json',
    '/docs/static/..%2f..%2fpackage.json',
    '/docs/static/%2e%2e/%2e%2e/package.json',
    '/docs/static/csp.json/x',
    '/docs/static/none.js'
  ]) {
    const { status, body } = await service.request('GET', path, open)
    t.equal(status, 404, path)
    t.equal(body.code, 'route_not_found', path)
  }
})
