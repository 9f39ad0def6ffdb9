/** The canned queries: choose one, set its parameters, see its answer as a picture and as rows, take it as CSV. */
import { get, request } from './api.js'
import { byId, element, table } from './dom.js'

/** What is asked first, when the address names no query. */
const FIRST = 'top-songs'

/** Rows shown; the file has all of them. */
const SHOWN_ROWS = 100

/** @type {any[]} */
let catalogue = []
/** @type {AbortController | undefined} */
let asking
/** @type {string | undefined} */
let chartUrl

const select = () => /** @type {HTMLSelectElement} */ (byId('query'))
const form = () => /** @type {HTMLFormElement} */ (byId('parameters'))

/** Shows the catalogue, and the query that the address names. */
export async function openQuestions() {
  catalogue = (await get('analytics')).items
  select().replaceChildren(
    ...catalogue.map(({ query, title, question }) =>
      element('option', { value: query }, `${title}: ${question}`)
    )
  )
  const [name = '', search] = location.hash.slice(1).split('?')
  const isKnown = catalogue.some(({ query }) => query === name)
  select().value = isKnown ? name : FIRST
  showParameters(isKnown ? new URLSearchParams(search) : new URLSearchParams())
  select().onchange = () => {
    showParameters(new URLSearchParams())
    ask()
  }
  form().onsubmit = (event) => {
    event.preventDefault()
    ask()
  }
}

const chosen = () => catalogue.find(({ query }) => query === select().value)

/** @param {URLSearchParams} given */
function showParameters(given) {
  const fields = chosen().parameters.map((/** @type {any} */ parameter) => {
    const id = `parameter-${parameter.name}`
    const value = given.get(parameter.name) ?? parameter.default
    return element(
      'span',
      { title: parameter.description },
      element('label', { for: id }, parameter.name),
      parameterInput(id, parameter, value)
    )
  })
  form().replaceChildren(...fields, ...(fields.length ? [element('button', { type: 'submit' }, 'Ask')] : []))
}

/**
 * @param {string} id
 * @param {any} parameter
 * @param {any} value
 */
function parameterInput(id, { name, type, minimum, maximum, enum: choices, example }, value) {
  const options = choices ?? (type === 'boolean' ? [true, false] : undefined)
  if (options !== undefined) {
    return element(
      'select',
      { id, name },
      element('option', { value: '' }, 'any'),
      ...options.map((/** @type {any} */ option) =>
        element('option', { value: option, selected: String(option) === String(value) }, option)
      )
    )
  }
  const isNumber = type === 'integer' || type === 'number'
  return element('input', {
    ...{ id, name, value: value ?? '', min: minimum, max: maximum, placeholder: example },
    type: isNumber ? 'number' : type === 'date' ? 'date' : 'text',
    step: type === 'number' ? 'any' : undefined
  })
}

/** The parameters that have a value, as a query string. */
function parameters() {
  const given = new URLSearchParams()
  for (const [name, value] of new FormData(form())) if (value !== '') given.set(name, String(value))
  return given
}

/** Gives up the question that is open. */
export const stopAsking = () => asking?.abort()

/** Asks the chosen query; a question that is still open is given up. */
export async function ask() {
  asking?.abort()
  asking = new AbortController()
  const { signal } = asking
  const { query, title, chart } = chosen()
  const given = parameters()
  history.replaceState(null, '', `#${query}${given.size > 0 ? `?${given}` : ''}`)
  const answer = byId('answer')
  answer.setAttribute('aria-busy', 'true')
  try {
    const results = await get(`analytics/${query}/results?${given}`, signal)
    const picture = chart === undefined ? undefined : await fetchChart(query, given, signal)
    answer.replaceChildren(
      // The picture says it already.
      element('h3', { class: picture && 'unseen' }, title),
      picture === undefined ? '' : chartImage(picture, title),
      about(results, query, given),
      resultTable(results),
      await sqlOf(query, signal)
    )
  } catch (error) {
    if (signal.aborted) return
    answer.replaceChildren(
      element('p', { class: 'bad' }, error instanceof Error ? error.message : String(error))
    )
  } finally {
    if (!signal.aborted) answer.setAttribute('aria-busy', 'false')
  }
}

/**
 * @param {string} query
 * @param {URLSearchParams} given
 * @param {AbortSignal} signal
 */
async function fetchChart(query, given, signal) {
  const theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  const width = Math.max(300, Math.min(1000, Math.floor(byId('answer').clientWidth)))
  const look = new URLSearchParams({ ...Object.fromEntries(given), theme, width: String(width) })
  return (await request(`analytics/${query}/chart?${look}`, { signal })).blob()
}

/**
 * @param {Blob} picture
 * @param {string} title
 */
function chartImage(picture, title) {
  if (chartUrl !== undefined) URL.revokeObjectURL(chartUrl)
  chartUrl = URL.createObjectURL(picture)
  return element('img', {
    class: 'chart',
    src: chartUrl,
    alt: `Chart: ${title}. Its values are in the table below.`
  })
}

/**
 * @param {any} results
 * @param {string} query
 * @param {URLSearchParams} given
 */
function about(results, query, given) {
  const download = element('button', { type: 'button', class: 'quiet' }, 'Download CSV')
  download.addEventListener('click', () => saveCsv(query, given))
  const shown = Math.min(SHOWN_ROWS, results.row_count)
  return element(
    'p',
    { class: 'muted' },
    `${shown < results.row_count ? `The first ${shown} of ` : ''}${results.row_count} rows, data version ${results.data_version}, ${results.elapsed_ms} ms. `,
    download
  )
}

/**
 * @param {string} query
 * @param {URLSearchParams} given
 */
async function saveCsv(query, given) {
  const parameters = new URLSearchParams({ ...Object.fromEntries(given), format: 'csv' })
  try {
    const file = await (await request(`analytics/${query}/results?${parameters}`)).blob()
    const href = URL.createObjectURL(file)
    element('a', { href, download: `${query}.csv` }).click()
    setTimeout(() => URL.revokeObjectURL(href), 10_000)
  } catch (error) {
    byId('notice').textContent = error instanceof Error ? error.message : String(error)
  }
}

/** @param {any} results */
function resultTable({ columns, rows, query }) {
  const isNumber = (/** @type {any} */ { type }) => type === 'integer' || type === 'number'
  return table(
    `Answer of ${query}`,
    columns.map((/** @type {any} */ column) => ({
      title: column.unit && column.unit !== column.name ? `${column.name} (${column.unit})` : column.name,
      isNumber: isNumber(column)
    })),
    rows
      .slice(0, SHOWN_ROWS)
      .map((/** @type {any} */ row) => columns.map((/** @type {any} */ { name }) => format(row[name])))
  )
}

/** @param {any} value */
function format(value) {
  if (value === null) return element('span', { class: 'muted' }, '–')
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(6)))
  return String(value)
}

/**
 * @param {string} query
 * @param {AbortSignal} signal
 */
async function sqlOf(query, signal) {
  const { sql } = await get(`analytics/${query}`, signal)
  return element('details', {}, element('summary', {}, 'SQL'), element('pre', { tabindex: 0 }, sql))
}
