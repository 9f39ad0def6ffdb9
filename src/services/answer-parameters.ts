/** Parameters of a query that come by another way than the query string of its results. */
import type { TSchema } from 'typebox'
import { ServiceError } from '../errors.ts'
import { answerParameters, type Values } from '../schemas/analytics.ts'
import { misfits } from '../shape.ts'
import type { CatalogueEntry } from './analytics-catalogue.ts'

/** Parameters as the query string has them. Throws `invalid_request`. */
export function readParams(entry: CatalogueEntry, texts: Record<string, string>): Values {
  const types = new Map(entry.parameters.map(({ name, type }) => [name, type]))
  const values = Object.entries(texts).map(([name, text]) => {
    const type = types.get(name)
    if ((type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/.test(text)) return [name, Number(text)]
    if (type === 'boolean' && /^(true|false)$/.test(text)) return [name, text === 'true']
    return [name, text]
  })
  const params = checkParams(entry, Object.fromEntries(values), '')
  const defaults = entry.parameters.filter(({ default: preset }) => preset !== null)
  return { ...Object.fromEntries(defaults.map(({ name, default: preset }) => [name, preset])), ...params }
}

const propertiesOf = ({ querystring }: CatalogueEntry) =>
  (querystring as unknown as { properties: Record<string, TSchema> }).properties

/** Throws `invalid_request` for parameters that the query string of the results would not take. */
export function checkParams(entry: CatalogueEntry, params: Values, prefix = '/params/'): Values {
  // Not an object: that has a constructor, which is no parameter.
  const known = new Map(
    Object.entries(propertiesOf(entry)).filter(([name]) => !Object.hasOwn(answerParameters, name))
  )
  for (const [name, value] of Object.entries(params)) {
    const pointer = prefix + name
    const schema = known.get(name)
    const message = schema === undefined ? 'is an unknown parameter' : misfits(schema, value)[0]?.message
    if (message === undefined) continue
    throw new ServiceError('invalid_request', `${pointer} ${message}.`, {
      errors: [{ pointer, code: 'params', message }]
    })
  }
  return params
}
