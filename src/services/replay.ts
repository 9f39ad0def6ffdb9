/**
 * The job that tries rejected records again: after an upgrade that takes more, or where a column has grown. Their texts
 * are loaded like the lines of an object; what is accepted now is marked in the ledger, in the same transaction.
 */
import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Config } from '../config.ts'
import { ServiceError } from '../errors.ts'
import { etlSteps, type ReplayRejects } from '../schemas/etl.ts'
import { fillLiterals, readSql } from '../sql.ts'
import type { LoadObject, RecordKind, Warehouse, WriteSession } from '../warehouse/warehouse.ts'
import type { JobContext, JobHandler } from './job-handler.ts'
import { one, publishedResult } from './load-ledger.ts'
import { publishedBehindLock, publishStaged } from './load-publish.ts'
import type { LoadRequest, QualityRules } from './load-request.ts'
import { findLoad, newObjects } from './load-sql.ts'
import { stage, withSpool } from './load-stage.ts'

const sql = (name: string) => readSql(`warehouse/shared/replay/${name}.sql`)
const choose = sql('01-choose')
const count = sql('02-count')
const page = sql('03-page')
const countMoved = sql('04-count-moved')
const mark = sql('05-mark')

/** Rejects that one job tries again; what is left is for the next one. */
const MOST = 100_000
/** Texts that are in memory at once. */
const PAGE = 500

export interface ReplayDependencies {
  warehouse: Warehouse
  config: Pick<Config, 'DATA_DIR' | 'REJECT_RETENTION_DAYS'> & QualityRules
}

export type Replay = ReturnType<typeof createReplay>

export function createReplay({ warehouse, config }: ReplayDependencies) {
  /** Throws `cluster_not_found` and `tables_not_created`. */
  const check = async () => void (await warehouse.run(findLoad, { job_id: '' }))

  function run(context: JobContext): Promise<object> {
    return withSpool(config.DATA_DIR, context.id, (spoolDir) =>
      warehouse.write((session) => replay(session, context, spoolDir), {
        signal: context.signal,
        owner: { job: context.id, attempt: context.attempt }
      })
    )
  }

  async function replay(session: WriteSession, context: JobContext, spoolDir: string): Promise<object> {
    await context.step('discover')
    const published = await publishedResult(session, context.id)
    if (published !== undefined) return published
    const chosen = await chooseRejects(session, context.params as ReplayRejects)
    await context.event('step', `${chosen.events} events and ${chosen.songs} songs to try again`)

    const files = new Map<number, string>()
    const objects: LoadObject[] = []
    for (const kind of ['songs', 'events'] as const) {
      if (chosen[kind] === 0) continue
      const path = join(spoolDir, `replay-${kind}.json`)
      await writeLines(session, kind, chosen[kind], path)
      const url = await session.place(path, `replay-${kind}.json`)
      const object_no = objects.length + 1
      files.set(object_no, path)
      objects.push({ object_no, kind, url, etag: context.id, bytes: (await stat(path)).size })
    }
    await session.list(objects)
    await session.run(newObjects, { is_full: false })

    await context.step('stage')
    const all = chosen.events + chosen.songs
    const staged = await stage(session, context, objects, {
      spoolDir,
      rejectLimit: all,
      fetch: async ({ object_no }) => files.get(object_no) ?? ''
    })
    const request: LoadRequest = {
      ...{ job_id: context.id, mode: 'replay', max_rejects: all, allowed_rejects: all, objects_skipped: 0 },
      onProgress: context.progress,
      quality: config,
      reject_retention_days: config.REJECT_RETENTION_DAYS
    }
    return publishStaged(session, context, request, staged, ({ load_id }) => markReplayed(session, load_id))
  }

  const handler: JobHandler = {
    steps: etlSteps,
    check,
    run,
    published: (id, signal) =>
      warehouse.write((session) => publishedBehindLock(session, (behind) => publishedResult(behind, id)), {
        signal
      })
  }
  return { check, handler }
}

async function chooseRejects(
  session: WriteSession,
  { load_id, kind, code }: ReplayRejects
): Promise<Record<RecordKind, number>> {
  await session.run(fillLiterals(choose, { limit: MOST }, session.engine), {
    load_id: load_id === undefined ? null : Number(load_id),
    kind: kind ?? null,
    code: code ?? null
  })
  const counted = await one(session.run(count))
  return { events: Number(counted.events), songs: Number(counted.songs) }
}

/** One record a line, in the order in which the rejects are numbered. */
async function writeLines(session: WriteSession, kind: RecordKind, total: number, path: string) {
  async function* texts() {
    for (let first = 1; first <= total; first += PAGE) {
      const { rows } = await session.run(page, { kind, first, last: first + PAGE - 1 })
      for (const row of rows) yield `${row.raw_text}\n`
    }
  }
  await pipeline(Readable.from(texts()), createWriteStream(path, { mode: 0o600 }))
}

/** Throws `ledger_moved` when another replay was faster. */
async function markReplayed(session: WriteSession, load_id: number) {
  const { moved } = await one(session.run(countMoved))
  if (Number(moved) > 0) {
    throw new ServiceError('ledger_moved', `${moved} rejects were replayed, or deleted, meanwhile.`)
  }
  await session.run(mark, { load_id })
}
