/**
 * Writes openapi/openapi.json from the routes of the service as it is built, without listening.
 * `--check` writes nothing and exits 1 when the file is stale. Another file may be named as argument.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { openParts } from '../src/parts.ts'

const committed = fileURLToPath(new URL('../openapi/openapi.json', import.meta.url))

/** The document as it is committed. */
export const documentText = (app: FastifyInstance): string => `${JSON.stringify(app.swagger(), null, 2)}\n`

/** The document of a service of its own, in a directory that is gone afterwards. */
async function generate(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'sparkify-openapi-'))
  try {
    // A source that is named keeps the sample data from being generated.
    const config = loadConfig({ DATA_DIR: directory, SONG_DATA: directory, LOG_LEVEL: 'silent' })
    const parts = await openParts(config)
    const app = await buildApp(config, parts)
    await app.ready()
    const text = documentText(app)
    await app.close()
    await parts.close()
    return text
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
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
