/** Which value of a record goes into which column: by key, or by the paths of a jsonpaths file. */
import { internalError, RedshiftError } from './errors.ts'
import { type JsonValue, readRecords } from './json-reader.ts'
import { LoadError } from './load-error.ts'

/** The record's value for each column, in their order; undefined where there is none. */
export type Mapping = (record: JsonValue) => (JsonValue | undefined)[]

type Step = string | number

/** Keys are compared as bytes; ignoring case, as their lower case. The last of equal keys counts. */
export function mapByKey(columns: readonly string[], ignoreCase: boolean): Mapping {
  const fold = (key: string) => (ignoreCase ? foldBytes(key) : key)
  const places = new Map(
    columns.map((column, index) => [Buffer.from(fold(column)).toString('latin1'), index])
  )
  return (record) => {
    if (record.kind !== 'object')
      throw new LoadError(1216, 'Invalid JSONPath format: Member is not an object.')
    const values = new Array<JsonValue | undefined>(columns.length).fill(undefined)
    for (const [key, value] of record.members) {
      const index = places.get(fold(key))
      if (index !== undefined) values[index] = value
    }
    return values
  }
}

const foldBytes = (key: string) => key.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

/**
 * Reads a jsonpaths file. Undefined where its key is not exactly `jsonpaths`: COPY then ignores the file and
 * says nothing. Throws where the paths are wrong or not as many as the columns.
 */
export function mapByPaths(file: Buffer, columns: readonly string[], query: number): Mapping | undefined {
  const [record, ...more] = [...readRecords(file)]
  const value = record?.value
  if (value?.kind !== 'object' || more.length > 0) {
    throw internalError({ message: 'Invalid JSONPaths file: not a JSON object', code: 8001, query })
  }
  const paths = value.members.find(([key]) => key === 'jsonpaths')?.[1]
  if (paths === undefined) return undefined
  if (paths.kind !== 'array') throw invalidPath('not an array', query)
  if (paths.items.length !== columns.length) {
    throw new RedshiftError({
      code: 'XX000',
      message:
        'Number of jsonpaths and the number of columns should match. ' +
        `JSONPath size: ${paths.items.length}, Number of columns in table or column list: ${columns.length}`
    })
  }
  const parsed = paths.items.map((item) => parsePath(item, query))
  return (root) => parsed.map((steps) => follow(root, steps))
}

const bracketed = /\['([^']*)'\]|\["([^"]*)"\]|\[(\d+)\]/y
const dotted = /\.([^.'"[\]*?@]+)|\[(\d+)\]/y

/** `$['a']['b'][0]` or `$.a.b[0]`; the two are not mixed, and wildcards and filters are none. */
function parsePath(item: JsonValue, query: number): Step[] {
  const path = item.kind === 'string' ? item.bytes : ''
  const pattern = path.startsWith('$.') ? dotted : bracketed
  const steps: Step[] = []
  let at = 1
  while (at < path.length) {
    pattern.lastIndex = at
    const found = pattern.exec(path)
    if (found === null) throw invalidPath(path, query)
    const index = found.at(-1)
    const name = found.slice(1, -1).find((part) => part !== undefined)
    steps.push(name ?? Number(index))
    at += found[0].length
  }
  if (!path.startsWith('$') || steps.length === 0) throw invalidPath(path, query)
  return steps
}

const invalidPath = (path: string, query: number) =>
  internalError({
    message: `Invalid JSONPath format. Supported notations are 'dot-notation' and 'bracket-notation': ${path}`,
    code: 8001,
    query
  })

/** A member that is missing is null; an array element that is missing is an error. */
function follow(root: JsonValue, steps: readonly Step[]): JsonValue | undefined {
  let value: JsonValue | undefined = root
  for (const step of steps) {
    if (value === undefined || (value.kind === 'literal' && value.bytes === 'null')) return undefined
    if (typeof step === 'number') {
      const item: JsonValue | undefined = value.kind === 'array' ? value.items[step] : undefined
      if (item === undefined) {
        throw new LoadError(1216, 'Invalid JSONPath format: Not an array or index out of range.')
      }
      value = item
    } else {
      if (value.kind !== 'object')
        throw new LoadError(1216, 'Invalid JSONPath format: Member is not an object.')
      value = value.members.findLast(([key]) => key === step)?.[1]
    }
  }
  return value
}
