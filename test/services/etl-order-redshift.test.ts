/** Order independence on Redshift, through the whole service, with connections that break while a load is under way. */
import * as fc from 'fast-check'
import t from 'tap'
import { parseSql } from '../../src/sql.ts'
import type { Fault } from '../emulators/redshift.ts'
import { openEtl } from '../etl-fixture.ts'
import {
  anyInput,
  anyLoads,
  filesOf,
  filesOfAll,
  type Input,
  type Load,
  requireEqual,
  seed,
  starOf
} from '../order-fixture.ts'
import { buildOnRedshift } from '../redshift-fixture.ts'
import type { Files } from '../trap-data.ts'

const service = await buildOnRedshift(t)
await service.prepareWarehouse()

const rows = async (sql: string) => {
  const { rows } = await service.parts.warehouse.run(parseSql('test', sql))
  return rows.map((row) => Object.values(row))
}

const disconnect = (when: 'before' | 'during' | 'after'): Fault => ({ type: 'disconnect', when })
/** Where the connection breaks when an attempt dies in that step. */
const breaks: Record<string, { match: RegExp | 'copy' | 'commit'; fault: Fault }> = {
  discover: { match: /^create temp table load_listing/i, fault: disconnect('after') },
  stage: { match: 'copy', fault: disconnect('during') },
  transform: { match: /^insert into analytics\.songplays/i, fault: disconnect('before') },
  check: { match: /^select 'plays equal the events/i, fault: disconnect('after') },
  publish: { match: 'commit', fault: disconnect('after') }
}

async function load(files: Files, crash: string | null): Promise<void> {
  service.put(files)
  const fault = crash === null ? undefined : breaks[crash]
  if (fault !== undefined) service.redshift.inject(fault)
  const { body } = await service.request('POST', '/v1/jobs', {
    ...{ headers: { prefer: 'wait=60' }, body: { type: 'etl' } }
  })
  if (body.status !== 'succeeded') throw new Error(JSON.stringify(body.error))
  if (fault !== undefined && body.attempt !== 2) throw new Error(`attempt ${body.attempt} after ${crash}`)
}

t.test(
  'any split of the input gives the same star as one load on DuckDB',
  { timeout: 110_000 },
  async (t) => {
    const reference = await openEtl(t)
    let runs = 0
    const check = async (input: Input, loads: Load[]) => {
      runs += 1
      reference.write(filesOfAll(input))
      await reference.load({ params: { mode: 'full' } })
      await service.request('POST', '/v1/tables', {
        headers: { prefer: 'wait=60' },
        body: { recreate: true, confirm: 'sparkify' }
      })
      service.replace({})
      // Nobody minds padding here: COPY reads all objects alike.
      const files = filesOf(
        input,
        loads.map((each) => ({ ...each, isLarge: false }))
      )
      for (const [number, each] of files.entries()) await load(each, loads[number]?.crash ?? null)
      requireEqual(await starOf(rows), await starOf(reference.rows))
    }
    await fc.assert(fc.asyncProperty(anyInput, anyLoads, check), {
      ...{ seed, numRuns: 2, interruptAfterTimeLimit: 45_000 }
    })
    t.ok(runs > 0)
    t.comment(`${runs} examples, FAST_CHECK_SEED=${seed}`)
  }
)
