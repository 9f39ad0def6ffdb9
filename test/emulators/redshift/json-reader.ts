/**
 * Reads the JSON values of a data file one after another, as COPY does: objects or arrays with nothing but white
 * space between them. The text is bytes written as Latin-1 characters, so that numbers keep their digits and bad UTF-8 its
 * place.
 */

export type JsonValue =
  | { kind: 'string'; bytes: string }
  /** Numbers, true, false and null as they are written. */
  | { kind: 'literal'; bytes: string }
  | { kind: 'object'; bytes: string; members: [string, JsonValue][] }
  | { kind: 'array'; bytes: string; items: JsonValue[] }

export interface JsonRecord {
  /** Undefined where the text is no JSON. */
  value: JsonValue | undefined
  /** The record's text. */
  bytes: string
  /** Of its last line, from 1. */
  line: number
  isTooLarge: boolean
}

/** The most that a single object or array may take, in bytes. */
export const MAX_RECORD_BYTES = 4 * 1024 * 1024

class Malformed extends Error {}

const blank = /[ \t\r\n]*/y
const plainString = /[^"\\\n\r]*/y
const literal = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/** After a malformed record reading goes on at the next line. */
export function* readRecords(content: Buffer): Generator<JsonRecord> {
  const text = content.toString('latin1')
  let at = 0
  let line = 1
  let counted = 0
  const lineAt = (position: number) => {
    for (let next = text.indexOf('\n', counted); next !== -1 && next < position; ) {
      line += 1
      counted = next + 1
      next = text.indexOf('\n', counted)
    }
    return line
  }
  const skipBlanks = () => {
    blank.lastIndex = at
    blank.exec(text)
    at = blank.lastIndex
  }
  for (skipBlanks(); at < text.length; skipBlanks()) {
    const start = at
    let value: JsonValue | undefined
    try {
      const parser = createParser(text, at)
      value = parser.root()
      at = parser.position()
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      const end = text.indexOf('\n', start)
      at = end === -1 ? text.length : end
    }
    const bytes = text.slice(start, at)
    yield { value, bytes, line: lineAt(at), isTooLarge: bytes.length > MAX_RECORD_BYTES }
  }
}

function createParser(text: string, start: number) {
  let at = start

  const fail = (): never => {
    throw new Malformed()
  }
  const skip = () => {
    blank.lastIndex = at
    blank.exec(text)
    at = blank.lastIndex
  }
  const take = (char: string) => {
    if (text[at] !== char) fail()
    at += 1
  }

  function value(): JsonValue {
    skip()
    if (text[at] === '{') return object()
    if (text[at] === '[') return array()
    if (text[at] === '"') return { kind: 'string', bytes: string() }
    literal.lastIndex = at
    const bytes = literal.exec(text)?.[0] ?? fail()
    at += bytes.length
    return { kind: 'literal', bytes }
  }

  function object(): JsonValue {
    const members: [string, JsonValue][] = []
    const begin = at
    take('{')
    skip()
    while (text[at] !== '}') {
      if (members.length > 0) take(',')
      skip()
      const key = string()
      skip()
      take(':')
      members.push([key, value()])
      skip()
    }
    at += 1
    return { kind: 'object', members, bytes: text.slice(begin, at) }
  }

  function array(): JsonValue {
    const items: JsonValue[] = []
    const begin = at
    take('[')
    skip()
    while (text[at] !== ']') {
      if (items.length > 0) take(',')
      items.push(value())
      skip()
    }
    at += 1
    return { kind: 'array', items, bytes: text.slice(begin, at) }
  }

  function string(): string {
    take('"')
    let result = ''
    for (;;) {
      plainString.lastIndex = at
      const part = plainString.exec(text)?.[0] ?? ''
      result += part
      at += part.length
      if (text[at] === '"') {
        at += 1
        return result
      }
      if (text[at] !== '\\') fail()
      result += escaped()
    }
  }

  function escaped(): string {
    const char = text[at + 1] ?? ''
    at += 2
    if (char === 'u') return unicode()
    return { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', '/': '/' }[char] ?? fail()
  }

  /** `\uD83C\uDFB5` is one character; half of one becomes three bytes that no UTF-8 reader takes. */
  function unicode(): string {
    const code = hex()
    if (code >= 0xd800 && code < 0xdc00 && text.startsWith('\\u', at)) {
      const before = at
      at += 2
      const low = hex()
      if (low >= 0xdc00 && low < 0xe000) return utf8(String.fromCharCode(code, low))
      at = before
    }
    if (code < 0xd800 || code >= 0xe000) return utf8(String.fromCharCode(code))
    return String.fromCharCode(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
  }

  function hex(): number {
    const digits = text.slice(at, at + 4)
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) fail()
    at += 4
    return Number.parseInt(digits, 16)
  }

  return {
    /** Only an object or an array can be a record. */
    root: () => (text[at] === '{' || text[at] === '[' ? value() : fail()),
    position: () => at
  }
}

const utf8 = (text: string) => Buffer.from(text).toString('latin1')
