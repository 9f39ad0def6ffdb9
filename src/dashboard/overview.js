/** The cluster, the jobs with their progress, the loads and the rejects, looked at again and again. */
import { change, get } from './api.js'
import { byId, count, element, facts, show, size, table, utc } from './dom.js'

/** How long until the next look, in ms: while a job runs, and while none does. */
const BUSY_INTERVAL = 500
const IDLE_INTERVAL = 3000

const statusClass = /** @type {Record<string, string>} */ ({
  ...{ succeeded: 'good', available: 'good', failed: 'bad', unreachable: 'bad', cancelled: 'warn' },
  ...{ cancelling: 'warn', absent: 'warn' }
})

/** @param {string} status */
const statusText = (status) => element('span', { class: statusClass[status] }, status)

/**
 * Looks until `signal` is aborted. `onLook` is told of each: the newest data version, null when there is none.
 * @param {{ scope: string }} actor
 * @param {{ onLook: (version: number | null) => void, onError: (error: unknown) => void, signal: AbortSignal }} options
 */
export async function watch(actor, { onLook, onError, signal }) {
  while (!signal.aborted) {
    let wait = IDLE_INTERVAL
    try {
      const { version, isBusy } = await look(actor, signal)
      onLook(version)
      if (isBusy) wait = BUSY_INTERVAL
    } catch (error) {
      if (signal.aborted) return
      onError(error)
    }
    if (document.hidden) await becomesVisible()
    await Promise.race([new Promise((resolve) => setTimeout(resolve, wait)), changed()])
  }
}

/** Called when something was asked for here: its job is shown at once. */
let wake = () => {}
const changed = () =>
  new Promise((resolve) => {
    wake = () => resolve(undefined)
  })

const becomesVisible = () =>
  new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }))

/**
 * @param {{ scope: string }} actor
 * @param {AbortSignal} signal
 */
async function look(actor, signal) {
  const [cluster, jobs, loads, rejects] = await Promise.all([
    get('cluster', signal),
    get('jobs?limit=20', signal),
    orNothing(get('loads?limit=10', signal)),
    orNothing(get('rejects?limit=20', signal))
  ])
  showCluster(cluster, loads?.items[0])
  showActions(actor, cluster, jobs.items, loads !== undefined)
  show(byId('jobs-table'), jobs.items.length === 0 ? 'None yet.' : jobsTable(jobs.items))
  show(byId('loads-table'), loads?.items.length ? loadsTable(loads.items) : 'None yet.')
  show(byId('rejects-table'), rejects?.items.length ? rejectsTable(rejects.items) : 'None.')
  const isBusy = jobs.items.some(isActive)
  return { version: loads?.items[0]?.data_version ?? null, isBusy }
}

/**
 * Without a cluster or tables there are no loads either, and that is no error here.
 * @param {Promise<{ items: any[] }>} page
 */
const orNothing = (page) =>
  page.catch((error) => {
    if (['cluster_not_found', 'tables_not_created', 'warehouse_unavailable'].includes(error.code))
      return undefined
    throw error
  })

const isActive = (/** @type {any} */ { status }) => ['queued', 'running', 'cancelling'].includes(status)

/**
 * @param {any} cluster
 * @param {any} load
 */
function showCluster(cluster, load) {
  /** @type {[string, any][]} */
  const entries = [
    ['Status', statusText(cluster.status)],
    ['Engine', cluster.engine],
    ['Database', cluster.database],
    ['Endpoint', cluster.endpoint],
    ['Size', cluster.size_bytes === null ? null : size(cluster.size_bytes)],
    ['Nodes', cluster.node_type === null ? null : `${cluster.number_of_nodes} × ${cluster.node_type}`],
    [
      'Differs from what is asked for',
      cluster.drift.map((/** @type {any} */ { field }) => field).join(', ') || null
    ],
    [
      'Estimated cost',
      cluster.estimated_cost &&
        `${cluster.estimated_cost.per_hour} ${cluster.estimated_cost.currency} an hour`
    ],
    ['Data version', load === undefined ? null : `${load.data_version}, of ${utc(load.committed_at)} UTC`]
  ]
  show(byId('cluster-state'), facts(entries.filter(([, value]) => value !== null)))
}

/**
 * What can be done next, for keys that may.
 * @param {{ scope: string }} actor
 * @param {any} cluster
 * @param {any[]} jobs
 * @param {boolean} hasTables
 */
function showActions({ scope }, cluster, jobs, hasTables) {
  const isAbsent = cluster.status === 'absent'
  const actions = [
    ...(scope === 'admin' && isAbsent
      ? [{ text: 'Create the cluster', call: () => change('PUT', 'cluster', {}) }]
      : []),
    ...(scope !== 'read' && !isAbsent && !hasTables
      ? [{ text: 'Create the tables', call: () => change('POST', 'tables', {}) }]
      : []),
    ...(scope !== 'read' && !isAbsent && hasTables
      ? [{ text: 'Load new data', call: () => change('POST', 'jobs', { type: 'etl' }) }]
      : [])
  ]
  const holder = byId('actions')
  const isBusy = jobs.some(isActive)
  const texts = actions.map(({ text }) => text).join()
  if (holder.dataset.actions !== texts) {
    holder.dataset.actions = texts
    holder.replaceChildren(...actions.map(({ text, call }) => actionButton(text, call)))
  }
  for (const button of holder.querySelectorAll('button')) button.disabled = isBusy
}

/**
 * @param {string} text
 * @param {() => Promise<unknown>} call
 */
function actionButton(text, call) {
  const button = /** @type {HTMLButtonElement} */ (element('button', { type: 'button' }, text))
  button.addEventListener('click', async () => {
    button.disabled = true
    byId('notice').textContent = ''
    try {
      await call()
      wake()
    } catch (error) {
      byId('notice').textContent = error instanceof Error ? error.message : String(error)
      button.disabled = false
    }
  })
  return button
}

/** @param {any[]} jobs */
const jobsTable = (jobs) =>
  table(
    'Jobs',
    [
      { title: 'Job' },
      { title: 'Status' },
      { title: 'Progress' },
      { title: 'Asked for (UTC)' },
      { title: 'Took', isNumber: true }
    ],
    jobs.map((job) => [
      element('span', { title: job.id }, job.type),
      statusText(job.status),
      jobProgress(job),
      utc(job.created_at),
      took(job)
    ])
  )

/** @param {any} job */
function jobProgress({ status, progress, error, attempt }) {
  if (error !== null && status === 'failed') return element('span', { class: 'bad' }, error.detail)
  if (status !== 'running' || progress === null) return attempt > 1 ? `attempt ${attempt}` : ''
  const { step, step_index, step_count, percent, rows } = progress
  const text = `${step} (${step_index} of ${step_count})${rows ? `, ${count(rows)} rows` : ''}`
  return element(
    'span',
    {},
    element('progress', { max: 100, value: percent ?? undefined, 'aria-label': text }),
    ` ${text}`
  )
}

/** @param {any} job */
function took({ started_at, finished_at }) {
  if (started_at === null || finished_at === null) return ''
  return `${((Date.parse(finished_at) - Date.parse(started_at)) / 1000).toFixed(1)} s`
}

/** @param {any[]} loads */
const loadsTable = (loads) =>
  table(
    'Loads',
    [
      ...[
        { title: 'Load' },
        { title: 'Committed (UTC)' },
        { title: 'Mode' },
        { title: 'Objects', isNumber: true }
      ],
      ...[
        { title: 'Events read', isNumber: true },
        { title: 'Songs read', isNumber: true }
      ],
      ...[
        { title: 'Plays added', isNumber: true },
        { title: 'Duplicates', isNumber: true }
      ],
      ...[{ title: 'Rejected', isNumber: true }, { title: 'Checks' }]
    ],
    loads.map((load) => {
      const warnings = load.checks.filter((/** @type {any} */ { status }) => status === 'warning')
      return [
        load.id,
        utc(load.committed_at),
        load.mode,
        count(load.objects),
        count(load.events.read),
        count(load.songs.read),
        count(load.tables['analytics.songplays']?.inserted ?? 0),
        count(load.events.duplicates + load.songs.duplicates),
        count(load.events.rejected + load.songs.rejected),
        warnings.length === 0
          ? element('span', { class: 'good' }, `${load.checks.length} passed`)
          : element(
              'span',
              { class: 'warn' },
              warnings.map((/** @type {any} */ { name, detail }) => detail ?? name).join('; ')
            )
      ]
    })
  )

/** @param {any[]} rejects */
const rejectsTable = (rejects) =>
  table(
    'Rejects',
    [
      { title: 'Object' },
      { title: 'Line', isNumber: true },
      { title: 'Why' },
      { title: 'Record' },
      { title: 'State' }
    ],
    rejects.map((reject) => [
      element('span', { title: reject.url }, reject.url.split('/').at(-1)),
      reject.line_number,
      reject.message,
      element('code', {}, `${reject.raw ?? ''}${reject.raw_truncated ? ' …' : ''}`),
      reject.replayed_by === null ? 'open' : `taken in by load ${reject.replayed_by}`
    ])
  )
