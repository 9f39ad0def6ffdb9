/** Checks what no request brings (settings, headers of files, tables of prices) with the validator that requests have too. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'

const ajv = new Ajv({
  allErrors: true,
  strict: false,
  // The schemas are this program's own, made by TypeBox.
  ...{ meta: false, validateSchema: false },
  // Most schemas check one value: making their code smaller takes longer than that saves.
  code: { optimize: false }
})
addFormats.default(ajv)
/** By the text of their schema: many queries have a parameter of one shape. */
const compiled = new Map<string, ValidateFunction>()

/** Everything in which a value is not as its schema says; empty when it is. */
export function misfits(schema: object, value: unknown): ErrorObject[] {
  const key = JSON.stringify(schema)
  const validate = compiled.get(key) ?? ajv.compile(schema)
  compiled.set(key, validate)
  return validate(value) ? [] : (validate.errors ?? [])
}
