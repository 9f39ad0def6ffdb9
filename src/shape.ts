/** Checks what no request brings (settings, headers of files, tables of prices) with the validator that requests have too. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'

// Most schemas check one value: making their code smaller takes longer than that saves.
const ajv = new Ajv({ allErrors: true, strict: false, code: { optimize: false } })
addFormats.default(ajv)
const compiled = new WeakMap<object, ValidateFunction>()

/** Everything in which a value is not as its schema says; empty when it is. */
export function misfits(schema: object, value: unknown): ErrorObject[] {
  const validate = compiled.get(schema) ?? ajv.compile(schema)
  compiled.set(schema, validate)
  return validate(value) ? [] : (validate.errors ?? [])
}
