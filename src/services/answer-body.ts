/** The text of an answer: kept together while it is small, and sent on as it is made when it is not. */
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Characters of an answer that are kept together. */
const SMALL = 2 ** 20

/** Takes the parts of a text until it is whole, or too large to keep together; the rest is still to be taken then. */
export async function gather(chunks: AsyncGenerator<string>): Promise<{ text: string; isAll: boolean }> {
  const parts: string[] = []
  for (let length = 0; length <= SMALL; length += parts.at(-1)?.length ?? 0) {
    const { done, value } = await chunks.next()
    // Joined it is one text in memory; added up it would be a tree of all parts, walked each time that it is sent.
    if (done) return { text: parts.join(''), isAll: true }
    parts.push(value)
  }
  return { text: parts.join(''), isAll: false }
}

export interface StreamOptions {
  /** Breaks the body off: whoever reads it sees that it is not whole. */
  signal: AbortSignal
  /** Called with every part that was taken. */
  renew: () => void
  /** Called with the body, which waits to be read. */
  onOpen: (body: Readable) => void
}

/** Sends a text on as fast as it is read, and ends with it. Closing the body stops what makes the text. */
export async function streamAnswer(
  begun: string,
  chunks: AsyncGenerator<string>,
  { signal, renew, onOpen }: StreamOptions
): Promise<void> {
  const body = new PassThrough()
  onOpen(body)
  // Its reader learns of a failure by the body.
  await pipeline(parts, body, { signal }).catch(() => {})

  async function* parts() {
    try {
      yield begun
      for await (const chunk of chunks) {
        renew()
        if (chunk !== '') yield chunk
      }
    } finally {
      // The reader may have left before it took anything.
      await chunks.return(undefined)
    }
  }
}
