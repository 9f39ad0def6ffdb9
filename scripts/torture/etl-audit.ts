/** What must be true after all the kills: rows, ledger, and nothing left behind. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../src/config.ts'
import { openParts } from '../../src/parts.ts'
import { createEtl } from '../../src/services/etl.ts'
import { createLoads } from '../../src/services/loads.ts'
import { openLocalSource } from '../../src/sources/local.ts'
import { parseSql } from '../../src/sql.ts'
import { createDuckdbWarehouse } from '../../src/warehouse/duckdb.ts'
import { tableDefinitions } from '../../src/warehouse/table-definitions.ts'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'
import { starOf } from '../../test/order-fixture.ts'
import type { Target } from './etl-target.ts'

const ask = (warehouse: Warehouse) => async (sql: string) =>
  (await warehouse.run(parseSql('audit', sql))).rows.map((row) => Object.values(row))

/** What is not as it must be; the service has ended. `objects` is how many were put, each loaded once. */
export async function auditEtl(
  target: Target,
  expected: { objects: number; jobs: number }
): Promise<{ findings: string[]; figures: Record<string, number> }> {
  // Where the SDK looks for its credentials.
  Object.assign(process.env, target.env)
  const parts = await openParts(loadConfig(target.env))
  try {
    const { warehouse } = parts
    const [counted] = await ask(warehouse)(`select
      (select count(*) from staging.events) as events,
      (select count(distinct event_id) from staging.events) as distinct_events,
      (select count(*) from analytics.songplays) as plays,
      (select count(*) from ops.loads) as loads,
      (select count(distinct job_id) from ops.loads) as jobs,
      (select count(*) from ops.loaded_objects) as objects,
      (select count(*) from ops.rejects where load_id is null) as stray_rejects`)
    const [events, distinctEvents, plays, loads, jobs, objects, strayRejects] = (counted ?? []).map(Number)
    const findings = [
      ...(events === distinctEvents ? [] : [`${events} events have ${distinctEvents} numbers`]),
      ...(loads === jobs ? [] : [`${loads} loads are of ${jobs} jobs`]),
      ...(loads === expected.jobs ? [] : [`${expected.jobs} jobs have left ${loads} loads`]),
      ...(objects === expected.objects ? [] : [`${expected.objects} objects, ${objects} in the ledger`]),
      ...(strayRejects === 0 ? [] : [`${strayRejects} rejects of failed loads`]),
      ...(await compareStars(target, warehouse)),
      ...(await verifyAll(warehouse)),
      ...leftovers(target)
    ]
    return {
      findings,
      figures: { events: events ?? 0, plays: plays ?? 0, loads: loads ?? 0, objects: objects ?? 0 }
    }
  } finally {
    await parts.close()
  }
}

/** The same objects in one load that nobody disturbs, on DuckDB, give the same star. */
async function compareStars({ env, name }: Target, warehouse: Warehouse): Promise<string[]> {
  const home = join(env.DATA_DIR ?? '', '..')
  const sources = join(home, 'sources')
  const directory = join(home, 'reference')
  mkdirSync(directory, { recursive: true })
  const reference = createDuckdbWarehouse({
    path: join(directory, 'reference.duckdb'),
    tempDirectory: join(directory, 'tmp')
  })
  await reference.create()
  await reference.write(async (session) => {
    for (const { create } of tableDefinitions) await session.run(create)
  })
  const [song_data, log_data] = [join(sources, 'song_data'), join(sources, 'log_data')]
  const { handler } = createEtl({
    warehouse: reference,
    config: { ...loadConfig({ DATA_DIR: directory }), SONG_DATA: song_data, LOG_DATA: log_data },
    openSource: (location) => openLocalSource(location, [sources]),
    webhooks: { hosts: [], allowPrivate: false }
  })
  await handler.run({
    ...{ id: 'job_reference', attempt: 1, params: { mode: 'incremental', max_rejects: '50%' } },
    ...{
      signal: new AbortController().signal,
      step: async () => {},
      progress: () => {},
      event: async () => {}
    }
  })
  const [found, wanted] = [await starOf(ask(warehouse)), await starOf(ask(reference))]
  await reference.close()
  return Object.keys(wanted)
    .filter((table) => JSON.stringify(found[table]) !== JSON.stringify(wanted[table]))
    .map((table) => `${name}: analytics.${table} is not what one load makes of the objects`)
}

/** Every receipt still holds. */
async function verifyAll(warehouse: Warehouse): Promise<string[]> {
  const loads = createLoads(warehouse, 365)
  const findings: string[] = []
  const ids = await ask(warehouse)('select load_id from ops.loads order by load_id')
  for (const [id] of ids) {
    const { claims } = await loads.verify(String(id))
    for (const { claim, claimed, found, status } of claims) {
      if (status === 'violated') findings.push(`load ${id} claims ${claim}: ${claimed}, there are ${found}`)
    }
  }
  return findings
}

function leftovers({ env, scratch }: Target): string[] {
  const local = ['spool', 'tmp'].flatMap((name) => {
    const path = join(env.DATA_DIR ?? '', name)
    return existsSync(path) ? readdirSync(path).map((file) => `${name}/${file}`) : []
  })
  return [...local, ...scratch()].map((file) => `${file} was left behind`)
}
