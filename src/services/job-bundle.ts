/** Everything about one job in one answer, for a bug report. */
import { ServiceError } from '../errors.ts'
import type { JobBundle } from '../schemas/support.ts'
import { version } from '../version.ts'
import type { JobEvents } from './job-events.ts'
import type { Jobs } from './jobs.ts'
import type { Loads } from './loads.ts'
import type { Webhooks } from './webhooks.ts'

/** Of each list. */
const MOST = 200

export interface JobBundleParts {
  jobs: Jobs
  jobEvents: JobEvents
  webhooks: Webhooks
  loads: Loads
  engines: { store: string; warehouse: string }
}

export type JobBundles = ReturnType<typeof createJobBundles>

export function createJobBundles({ jobs, jobEvents, webhooks, loads, engines }: JobBundleParts) {
  return {
    /** Throws `job_not_found`. What the warehouse cannot tell at the moment is named in `missing`. */
    async collect(id: string): Promise<JobBundle> {
      const missing: string[] = []
      const orNothing = async <Found, Nothing>(name: string, found: Promise<Found>, nothing: Nothing) =>
        found.catch((error) => {
          if (!(error instanceof ServiceError)) throw error
          missing.push(`${name}: ${error.message}`)
          return nothing
        })
      const page = { limit: MOST }
      const job = await jobs.get(id)
      const loadId = job.links.load?.split('/').at(-1)
      const load = loadId === undefined ? null : await orNothing('load', loads.get(loadId), null)
      const objects =
        loadId === undefined ? [] : await orNothing('objects', itemsOf(loads.objects(loadId, page)), [])
      const rejects = await orNothing('rejects', itemsOf(loads.rejects({ ...page, job_id: id })), [])
      return {
        generated_at: new Date().toISOString(),
        versions: { service: version, node: process.version, ...engines },
        job,
        attempts: (await jobs.attempts(id, page)).items,
        events: (await jobEvents.list(id, page)).items,
        deliveries: (await webhooks.list(id)).items,
        load,
        objects,
        // What somebody listened to is nobody's business who looks for a bug.
        rejects: rejects.map((reject) => ({ ...reject, raw: null })),
        missing
      }
    }
  }
}

const itemsOf = async <Item>(page: Promise<{ items: Item[] }>): Promise<Item[]> => (await page).items
