/** JSON as the real files write it: ASCII only, `/` as `\/`. */
export function escapeJson(json: string): string {
  return json
    .replaceAll('/', '\\/')
    .replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

export function jsonText(text: string): string {
  return escapeJson(JSON.stringify(text))
}

/** Text as the event logs hold it: UTF-8 taken for Latin-1 and encoded again, two times. */
export function encodeTwiceMore(text: string): string {
  const once = Buffer.from(text, 'utf8').toString('latin1')
  return Buffer.from(once, 'utf8').toString('latin1')
}
