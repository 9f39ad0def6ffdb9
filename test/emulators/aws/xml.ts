/** Writes the XML of the responses. An array repeats its element: `{ Tags: { Tag: [a, b] } }`. */
export type Xml = string | number | boolean | Date | XmlTree | undefined
export interface XmlTree {
  [element: string]: Xml | readonly Xml[]
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

export function escapeXml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a key may hold any character.
  return text.replace(/[&<>"\u0000-\u001f]/g, (found) => entities[found] ?? `&#${found.charCodeAt(0)};`)
}

export function unescapeXml(text: string): string {
  return text
    .replace(/&#(x?)([0-9a-f]+);/gi, (_, hex, code) =>
      String.fromCodePoint(Number.parseInt(code, hex ? 16 : 10))
    )
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, '&')
}

function renderElement(name: string, value: Xml): string {
  if (value === undefined) return ''
  if (value instanceof Date) return `<${name}>${value.toISOString()}</${name}>`
  if (typeof value === 'object') return `<${name}>${renderXml(value)}</${name}>`
  return `<${name}>${escapeXml(String(value))}</${name}>`
}

/** The elements of a tree, without a declaration; what is undefined is left out. */
export function renderXml(tree: XmlTree): string {
  return Object.entries(tree)
    .flatMap(([name, value]) =>
      Array.isArray(value)
        ? value.map((item) => renderElement(name, item))
        : [renderElement(name, value as Xml)]
    )
    .join('')
}

/** A whole document; `namespace` becomes the root's `xmlns`. */
export function renderDocument(root: string, namespace: string | undefined, tree: XmlTree): string {
  const attribute = namespace === undefined ? '' : ` xmlns="${namespace}"`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${renderXml(tree)}</${root}>`
}
