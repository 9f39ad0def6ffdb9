/** What is shipped: the Dockerfile keeps its rules, and every dependency may be used. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { lintDockerfile, parseDockerfile } from '../scripts/dockerfile.ts'

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
const dockerfile = read('Dockerfile')
const lock = JSON.parse(read('package-lock.json')) as {
  packages: Record<string, { version: string; license?: string; dev?: boolean; link?: boolean }>
}

t.test('the Dockerfile keeps the rules of production', async (t) => {
  t.strictSame(lintDockerfile(dockerfile), [])
  const last = parseDockerfile(dockerfile).at(-1)
  t.match(last, { user: 'node', workdir: '/app', cmd: ['node', 'src/server.ts'] })
})

t.test('each rule can be broken', async (t) => {
  for (const [from, to, rule] of [
    ['ARG NODE_VERSION=24.21.0', 'ARG NODE_VERSION=24', 'exact version'],
    ['USER node', 'USER root', 'not run as root'],
    ['CMD ["node", "src/server.ts"]', 'CMD ["npm", "start"]', 'signals'],
    ['npm ci --omit=dev', 'npm ci', 'no development dependency'],
    ['npm ci', 'npm install', 'lock file'],
    ['NODE_ENV=production', 'API_KEY=secret', 'no secret'],
    ['COPY src ./src', 'COPY . .', 'files are named'],
    ['COPY src ./src', 'RUN curl https://example.com/a | sh', 'piped']
  ] as const) {
    t.ok(dockerfile.includes(from), from)
    const found = lintDockerfile(dockerfile.replace(from, to))
    t.ok(
      found.some((line) => line.includes(rule)),
      `${to}: ${found}`
    )
  }
})

t.test('it runs on the version that the tests run on', async (t) => {
  t.match(dockerfile, `ARG NODE_VERSION=${lock.packages['node_modules/node']?.version}\n`)
})

t.test('the licence of everything that is shipped allows it', async (t) => {
  const allowed = /^(MIT|ISC|Apache-2\.0|BSD-2-Clause|BSD-3-Clause|0BSD|BlueOak-1\.0\.0|Unlicense)$/
  const shipped = Object.entries(lock.packages).filter(
    ([path, { dev, link }]) => path.includes('node_modules/') && !dev && !link
  )
  t.ok(shipped.length > 50)
  for (const [path, { license }] of shipped) t.match(license ?? 'none', allowed, path)
})
