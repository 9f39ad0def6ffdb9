/** Elements and texts. What comes from the service is only ever set as text. */

/** @typedef {Node | string | number | null | undefined} Child */

/** @param {string} id */
export function byId(id) {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no #${id}`)
  return found
}

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | undefined>} [attributes] `true` sets an empty one, `false` and undefined none.
 * @param {...Child} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value))
  }
  made.append(...children.filter((child) => child !== null && child !== undefined).map(toNode))
  return made
}

/** @param {Child} child */
const toNode = (child) => (child instanceof Node ? child : String(child))

/**
 * @typedef {object} TableColumn
 * @property {string} title
 * @property {boolean} [isNumber]
 */

/**
 * A table that scrolls by itself when it is too wide.
 * @param {string} caption For who cannot see where it stands.
 * @param {TableColumn[]} columns
 * @param {Child[][]} rows
 */
export function table(caption, columns, rows) {
  const kind = columns.map(({ isNumber }) => ({ class: isNumber ? 'number' : undefined }))
  const heading = columns.map(({ title }, index) => element('th', { scope: 'col', ...kind[index] }, title))
  const body = rows.map((row) =>
    element('tr', {}, ...row.map((cell, index) => element('td', kind[index], cell)))
  )
  return element(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    element('table', {}, element('thead', {}, element('tr', {}, ...heading)), element('tbody', {}, ...body))
  )
}

/**
 * Names and values.
 * @param {[string, Child][]} entries
 */
export const facts = (entries) =>
  element(
    'dl',
    {},
    ...entries.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value)))
  )

/** @param {number} value */
export const count = (value) => value.toLocaleString('en')

/** @param {string | null} time RFC 3339 */
export const utc = (time) => (time === null ? '' : time.slice(0, 19).replace('T', ' '))

/** @param {number} bytes */
export function size(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

/**
 * Replaces what an element holds, unless that is the same: what is being read, focused or scrolled stays as it is.
 * @param {Element} holder
 * @param {...Child} children
 */
export function show(holder, ...children) {
  const next = element('div', {}, ...children)
  if (next.innerHTML !== holder.innerHTML) holder.replaceChildren(...next.childNodes)
}
