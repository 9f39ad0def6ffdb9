/** A JSON value as COPY puts it into a column. */
import type { CopyStatement } from './copy-statement.ts'
import { toDate, toTimestamp } from './copy-times.ts'
import type { JsonValue } from './json-reader.ts'
import { LoadError } from './load-error.ts'

export interface Column {
  name: string
  type:
    | 'varchar'
    | 'char'
    | 'int2'
    | 'int4'
    | 'int8'
    | 'float4'
    | 'float8'
    | 'numeric'
    | 'bool'
    | 'date'
    | 'timestamp'
  /** In bytes, of text columns. */
  length: number | undefined
  scale: number
  precision: number
  isNotNull: boolean
}

/** The column's text, null for NULL. Throws a `LoadError`. */
export function toColumn(value: JsonValue | undefined, column: Column, copy: CopyStatement): string | null {
  const isNull = value === undefined || (value.kind === 'literal' && value.bytes === 'null')
  const text = isNull ? null : convert(value, column, copy)
  if (text === null && column.isNotNull) throw new LoadError(1213, 'Missing data for not-null field')
  return text
}

function convert({ bytes }: JsonValue, column: Column, copy: CopyStatement): string | null {
  if (column.type === 'varchar') return toVarchar(bytes, column, copy)
  if (column.type === 'char') return toChar(bytes, column, copy)
  const text = bytes.trim()
  // An empty field of any other type is null, whatever the options.
  if (text === '') return null
  switch (column.type) {
    case 'int2':
      return toInteger(text, 'Short', 15n)
    case 'int4':
      return toInteger(text, 'Integer', 31n)
    case 'int8':
      return toInteger(text, 'Long', 63n)
    case 'float4':
    case 'float8':
      return toFloat(text, column.type)
    case 'numeric':
      return toDecimal(text, column, copy.roundDecimals)
    case 'bool':
      return toBoolean(text)
    case 'date':
      return toDate(text, copy)
    case 'timestamp':
      return toTimestamp(text, copy)
  }
}

function toInteger(text: string, type: string, bits: bigint): string {
  const sign = /^[-+]/.test(text) ? 1 : 0
  const wrong = text.slice(sign).search(/\D/)
  if (wrong !== -1 || text.length === sign) {
    const position = wrong === -1 ? sign : wrong + sign
    throw new LoadError(
      1207,
      `Invalid digit, Value '${text[position] ?? ''}', Pos ${position}, Type: ${type}`,
      position
    )
  }
  const value = BigInt(text.replace(/^\+/, ''))
  const limit = 1n << bits
  if (value >= limit || value < -limit) {
    throw new LoadError(1222, `Overflow (${type} valid range ${-limit} to ${limit - 1n})`)
  }
  return String(value)
}

function toFloat(text: string, type: 'float4' | 'float8'): string {
  if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)) {
    const position = Math.max(text.search(/[^-+\d.eE]/), 0)
    throw new LoadError(
      1208,
      `Invalid digit, Value '${text[position]}', Pos ${position}, Type: Double`,
      position
    )
  }
  const value = type === 'float4' ? Math.fround(Number(text)) : Number(text)
  if (!Number.isFinite(value)) throw new LoadError(1204, 'Value out of range for floating point type')
  return text
}

/** Digits beyond the scale are cut off, not rounded, unless ROUNDEC says so. */
function toDecimal(text: string, { precision, scale }: Column, round: boolean): string {
  const [, sign = '', whole = '', fraction = ''] = /^([-+]?)(\d*)\.?(\d*)$/.exec(text) ?? []
  if (whole === '' && fraction === '') {
    const position = Math.max(text.search(/[^-+\d.]/), 0)
    throw new LoadError(
      1209,
      `Invalid digit, Value '${text[position]}', Pos ${position}, Type: Decimal`,
      position
    )
  }
  let digits = BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'))
  if (round && Number(fraction[scale] ?? '0') >= 5) digits += 1n
  if (String(digits).length > precision)
    throw new LoadError(1204, `Overflow for NUMERIC(${precision},${scale})`)
  const padded = String(digits).padStart(scale + 1, '0')
  return `${sign}${padded.slice(0, padded.length - scale)}${scale > 0 ? `.${padded.slice(-scale)}` : ''}`
}

function toBoolean(text: string): string {
  if (/^(?:t|true|y|yes|1)$/i.test(text)) return 't'
  if (/^(?:f|false|n|no|0)$/i.test(text)) return 'f'
  throw new LoadError(1210, 'Unknown boolean format')
}

function toVarchar(bytes: string, column: Column, copy: CopyStatement): string | null {
  let text = copy.trimBlanks ? bytes.replace(/\s+$/, '') : bytes
  if (copy.emptyAsNull && text === '') return null
  if (copy.blanksAsNull && /^\s+$/.test(text)) return null
  text = validUtf8(text, copy.replacement)
  return fit(text, column, copy, 'String length exceeds DDL length')
}

function toChar(bytes: string, column: Column, copy: CopyStatement): string | null {
  if (copy.emptyAsNull && bytes === '') return null
  if (copy.blanksAsNull && /^\s+$/.test(bytes)) return null
  const wide = /[\x80-\xff]+/.exec(bytes)
  if (wide !== null) {
    const hex = Buffer.from(wide[0].slice(0, 4), 'latin1')
      .toString('hex')
      .replace(/..(?=.)/g, '$& ')
    throw new LoadError(
      1220,
      `Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: ${hex}`
    )
  }
  return fit(bytes, column, copy, 'Char length exceeds DDL length')
}

/** Cuts or refuses what is too long, in bytes; blanks at the end do not count. */
function fit(bytes: string, { length }: Column, { truncateColumns }: CopyStatement, reason: string): string {
  if (length === undefined || bytes.length <= length) return decode(bytes)
  if (!truncateColumns && bytes.replace(/ +$/, '').length > length) throw new LoadError(1204, reason)
  let end = length
  // Not in the middle of a character.
  while (end > 0 && (bytes.charCodeAt(end) & 0xc0) === 0x80) end -= 1
  return decode(bytes.slice(0, end))
}

const decode = (bytes: string) => Buffer.from(bytes, 'latin1').toString()

// NUL is ASCII, and still no character of a text.
const ascii = /^(?:(?!\0)\p{ASCII})*$/u
const multibyte =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}/y

/** Each byte of an invalid character becomes the replacement; without one it is an error. NUL is invalid. */
function validUtf8(bytes: string, replacement: string | undefined): string {
  if (ascii.test(bytes)) return bytes
  let result = ''
  for (let at = 0; at < bytes.length; ) {
    multibyte.lastIndex = at
    const valid = ascii.test(bytes[at] as string) ? bytes[at] : multibyte.exec(bytes)?.[0]
    if (valid === undefined && replacement === undefined) {
      const hex = bytes.charCodeAt(at).toString(16).padStart(2, '0')
      throw new LoadError(
        1220,
        `String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: ${hex} (error 3)`,
        at
      )
    }
    result += valid ?? replacement
    at += valid?.length ?? 1
  }
  return result
}
