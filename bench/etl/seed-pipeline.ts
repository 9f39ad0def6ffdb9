/** The usual Sparkify pipeline on a PostgreSQL of its own: what the service is compared with. */
import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { launchPostgres, urlOf } from '../../test/postgres-server.ts'

/** Seconds for everything below `sources`; the songs lie in few files, which COPY likes best. */
export async function runSeedPipeline(sources: string): Promise<number> {
  const server = await launchPostgres()
  const client = new pg.Client(urlOf(server.port, 'postgres'))
  await client.connect()
  try {
    await client.query("set maintenance_work_mem = '1GB'; set work_mem = '512MB'")
    const text = readFileSync(new URL('seed-pipeline.sql', import.meta.url), 'utf8')
    const script = text.replace(/^--.*\n/gm, '').replace(':copies', copiesOf(sources).join('\n'))
    const began = performance.now()
    await client.query(script)
    return (performance.now() - began) / 1000
  } finally {
    await client.end()
    await server.stop()
  }
}

/** A quote and a delimiter that no record holds: every line is one value. */
const AS_LINES = String.raw`(format csv, quote E'\x01', delimiter E'\x02')`

function copiesOf(sources: string): string[] {
  return (['log_data', 'song_data'] as const).flatMap((name) => {
    const table = name === 'log_data' ? 'raw_events' : 'raw_songs'
    const files = readdirSync(join(sources, name), { recursive: true, encoding: 'utf8' })
    return files
      .filter((file) => file.endsWith('.json'))
      .map((file) => {
        const path = join(sources, name, file)
        // The server runs as another user.
        chmodSync(path, 0o644)
        return `copy ${table} from '${path}' ${AS_LINES};`
      })
  })
}
