/** S3: the body of a PutObject: chunks taken apart, digests compared. */
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { crc32 } from 'node:zlib'
import { AwsError } from './errors.ts'

export interface PutBody {
  content: Buffer
  /** The checksum headers, for later reads. */
  checksums: Record<string, string>
}

/** `aws-chunked`: size in hex, CRLF, data, CRLF, ... a chunk of size 0, trailers. */
function readChunks(body: Buffer): { content: Buffer; trailers: Record<string, string> } {
  const parts: Buffer[] = []
  let offset = 0
  for (;;) {
    const end = body.indexOf('\r\n', offset)
    if (end < 0) throw new AwsError('IncompleteBody', 'The request body terminated unexpectedly')
    const size = Number.parseInt(body.toString('latin1', offset, end), 16)
    offset = end + 2
    if (size === 0) break
    parts.push(body.subarray(offset, offset + size))
    offset += size + 2
  }
  const lines = body.toString('latin1', offset).split('\r\n').filter(Boolean)
  const trailers = lines.map((line) => [line.split(':')[0] ?? '', line.slice(line.indexOf(':') + 1).trim()])
  return { content: Buffer.concat(parts), trailers: Object.fromEntries(trailers) }
}

const digest = (algorithm: string) => (content: Buffer) =>
  createHash(algorithm).update(content).digest('base64')
const checksumOf: Record<string, (content: Buffer) => string> = {
  'content-md5': digest('md5'),
  'x-amz-checksum-sha1': digest('sha1'),
  'x-amz-checksum-sha256': digest('sha256'),
  'x-amz-checksum-crc32'(content) {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(crc32(content))
    return bytes.toString('base64')
  }
}

/** The content of a request, once it is known to be what the client meant to send. */
export function readPutBody(headers: IncomingHttpHeaders, body: Buffer): PutBody {
  const chunked = String(headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-')
  const { content, trailers } = chunked ? readChunks(body) : { content: body, trailers: {} }
  const declared = headers['x-amz-decoded-content-length']
  if (chunked && declared !== undefined && Number(declared) !== content.length) {
    throw new AwsError('IncompleteBody', 'You did not provide the number of bytes specified by the header')
  }
  const given = { ...headers, ...trailers } as Record<string, string | undefined>
  for (const [header, compute] of Object.entries(checksumOf)) {
    if (given[header] === undefined || given[header] === compute(content)) continue
    throw new AwsError('BadDigest', `The ${header} you specified did not match the calculated checksum.`)
  }
  const names = Object.keys(given).filter(
    (name) => name.startsWith('x-amz-checksum-') && given[name] !== undefined
  )
  return { content, checksums: Object.fromEntries(names.map((name) => [name, given[name] as string])) }
}

/** A hash in `x-amz-content-sha256` has to be that of the body. */
export function checkContentHash(headers: IncomingHttpHeaders, body: Buffer): void {
  const claimed = headers['x-amz-content-sha256']
  if (typeof claimed !== 'string' || !/^[0-9a-f]{64}$/.test(claimed)) return
  if (createHash('sha256').update(body).digest('hex') === claimed) return
  const message = "The provided 'x-amz-content-sha256' header does not match what was computed."
  throw new AwsError('XAmzContentSHA256Mismatch', message)
}
