/** What the settings are made of: JSON schemas that also say, for people, what they accept. */
import { Type } from 'typebox'

export const text = (accepts: string, options: object) => Type.String({ accepts, ...options })

export const choice = <const Value extends string>(values: readonly Value[], options: object) =>
  Type.Unsafe<Value>(
    Type.Union(
      values.map((value) => Type.Literal(value)),
      { accepts: `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`, ...options }
    )
  )

export const flag = (options: object) =>
  Type.Boolean({ accepts: 'true or false', default: false, ...options })

export const S3_URL = '^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]'
export const REGION = '^[a-z]{2}(-[a-z]+)+-\\d$'
export const DATABASE = '^[a-z][a-z0-9_]{0,63}$'
export const DATABASE_ACCEPTS = '1 to 64 lower-case letters, digits and underscores, a letter first'
