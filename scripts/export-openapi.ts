/**
 * Writes openapi/openapi.json from the routes of the service as it is built, without listening.
 * `--check` writes nothing and exits 1 when the file is stale. Another file may be named as argument.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { buildApp, type Parts } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'

const committed = fileURLToPath(new URL('../openapi/openapi.json', import.meta.url))

/** The document as it is committed. */
export const documentText = (app: FastifyInstance): string => `${JSON.stringify(app.swagger(), null, 2)}\n`

const never = async (): Promise<never> => {
  throw new Error('the document is made of the routes alone')
}

/** Parts that are never asked for anything: opening the real ones takes seconds. */
const parts: Parts = {
  store: {
    engine: 'postgres',
    query: never,
    transaction: never,
    listen: async () => async () => {},
    repeat: () => () => {},
    ping: never,
    close: never
  },
  warehouse: {
    ...{ engine: 'duckdb', run: never, write: never, close: never, skew: never },
    async *stream() {
      yield await never()
    }
  },
  provider: {
    steps: { provision: {}, teardown: {}, pause: {}, resume: {} },
    allows: () => {},
    status: never,
    describe: never,
    plan: never,
    provision: never,
    teardown: never,
    pause: never,
    resume: never
  },
  openSource: never
}

async function generate(): Promise<string> {
  const app = await buildApp(loadConfig({ LOG_LEVEL: 'silent' }), parts)
  await app.ready()
  const text = documentText(app)
  await app.close()
  return text
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    options: { check: { type: 'boolean', default: false } },
    allowPositionals: true
  })
  const [file = committed] = positionals
  const text = await generate()
  if (!values.check) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    console.log(`wrote ${file}`)
  } else if (text !== readIfThere(file)) {
    console.error(`${file} is stale. Write it anew with: npm run openapi`)
    process.exitCode = 1
  }
}

if (import.meta.main) await main()
