/** A load that only looks: which objects are new, and what is wrong with some of them. It publishes nothing. */
import { fillLiterals } from '../sql.ts'
import type { LoadObject, WriteSession } from '../warehouse/warehouse.ts'
import type { JobContext } from './job-handler.ts'
import { selectRejects } from './load-sql.ts'
import { stage } from './load-stage.ts'

/** Objects of each kind that are read. */
const SAMPLED_OBJECTS = 10
/** The most that is read of each kind, in bytes, unless the first object is larger. */
const SAMPLED_BYTES = 64 * 1024 * 1024
/** Problems that are kept, and shown. */
const PROBLEMS_SHOWN = 100
/** Names that are shown of each kind. */
const NAMES_SHOWN = 100

/** Stages a sample of the new objects and tells what it would come to. The session's end drops what is staged. */
export async function preflight(
  session: WriteSession,
  context: JobContext,
  objects: LoadObject[],
  skipped: number,
  files: { spoolDir: string; fetch: (object: LoadObject) => Promise<string> }
): Promise<object> {
  const sampled = (['songs', 'events'] as const).flatMap((kind) =>
    sample(objects.filter((object) => object.kind === kind))
  )
  await context.step('stage')
  const { read, rejected } = await stage(session, context, sampled, {
    ...files,
    rejectLimit: PROBLEMS_SHOWN
  })
  const { rows } = await session.run(fillLiterals(selectRejects, { limit: PROBLEMS_SHOWN }, session.engine))
  return {
    dry_run: true,
    objects_skipped: skipped,
    events: describe(objects, 'events'),
    songs: describe(objects, 'songs'),
    sample: { objects: sampled.length, bytes: sizeOf(sampled), read, rejected },
    problems: rows
  }
}

function describe(all: LoadObject[], kind: LoadObject['kind']) {
  const objects = all.filter((object) => object.kind === kind)
  const urls = objects.slice(0, NAMES_SHOWN).map(({ url }) => url)
  return { objects: objects.length, bytes: sizeOf(objects), urls }
}

/** Objects from all over the list, the last one among them: the newest are where news is. */
function sample(objects: LoadObject[]): LoadObject[] {
  const step = Math.max(1, objects.length / SAMPLED_OBJECTS)
  const chosen: LoadObject[] = []
  for (let place = objects.length - 1; place >= 0 && chosen.length < SAMPLED_OBJECTS; place -= step) {
    const object = objects[Math.floor(place)]
    if (object === undefined) break
    if (chosen.length === 0 || sizeOf(chosen) + object.bytes <= SAMPLED_BYTES) chosen.push(object)
  }
  return chosen.reverse()
}

const sizeOf = (objects: LoadObject[]) => objects.reduce((sum, { bytes }) => sum + bytes, 0)
