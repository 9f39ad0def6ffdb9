/** What there is to load: the objects of both sources, and which of them the ledger does not know yet. */
import { ServiceError } from '../errors.ts'
import type { EtlParams } from '../schemas/etl.ts'
import type { Listing, Source } from '../sources/source.ts'
import type { LoadObject, RecordKind, WriteSession } from '../warehouse/warehouse.ts'
import type { JobContext } from './job-handler.ts'
import { one } from './load-ledger.ts'
import { countNewObjects, newObjects, selectNewObjects } from './load-sql.ts'

export type Sources = Record<RecordKind, Source>

/** Lists both sources, songs first: a later song replaces an earlier one, and plays find songs of the same load. */
export async function discover(
  session: WriteSession,
  context: JobContext,
  sources: Sources
): Promise<LoadObject[]> {
  const objects: LoadObject[] = []
  for (const kind of ['songs', 'events'] as const) {
    const source = sources[kind]
    const listing = await source.list(context.signal)
    await tellIgnored(context, listing)
    if (listing.objects.length === 0) {
      throw new ServiceError(
        'source_empty',
        `${source.url} holds no .json or .json.gz object. Check the directory; nothing was changed.`
      )
    }
    for (const object of listing.objects) {
      objects.push(Object.assign(object, { kind, object_no: objects.length + 1 }))
    }
    context.progress({ rows: objects.length })
  }
  await session.list(objects)
  return objects
}

async function tellIgnored(context: JobContext, { ignored }: Listing) {
  if (ignored.length === 0) return
  const shown = ignored.slice(0, 20)
  await context.event('warning', `${ignored.length} files are no data and are ignored`, { names: shown })
}

/** Those of the listed objects that are to be loaded; all of them by a full load. */
export async function selectNew(
  session: WriteSession,
  listed: LoadObject[],
  mode: EtlParams['mode']
): Promise<LoadObject[]> {
  await session.run(newObjects, { is_full: mode === 'full' })
  // A first load of a million objects need not hear of each that it is new.
  const { new_objects } = await one(session.run(countNewObjects))
  if (Number(new_objects) === listed.length) return listed
  const { rows } = await session.run(selectNewObjects)
  const isNew = new Set(rows.map((row) => row.object_no))
  return listed.filter((object) => isNew.has(object.object_no))
}
