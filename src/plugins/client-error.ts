/** Answers what is not even an HTTP request: there is no request object yet, only the socket. */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ServiceError, toProblem } from '../errors.ts'

/**
 * How long a client that is still sending may go on after the answer, in ms. What it sends is dropped; were the connection
 * closed at once, that would have the kernel reset it, and the answer be lost.
 */
const LINGER = 500

/** The problem document of a parser's error, written to the socket, which is closed then. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  // Whatever comes after the answer is an error again.
  if (socket.writableEnded) return
  if (error.code !== 'ECONNRESET' && socket.writable) {
    const problem = toProblem(asServiceError(error.code))
    const body = JSON.stringify({ ...problem, request_id: requestId })
    const head = [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      'Connection: close',
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${requestId}`
    ]
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
    setTimeout(() => socket.destroy(), LINGER).unref()
    return
  }
  socket.destroy(error)
}

function asServiceError(code: string | undefined): ServiceError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ServiceError('headers_too_large', 'The request line and the headers exceed 16 KiB together.')
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ServiceError('request_timeout', 'The request took too long to arrive. Send it again.')
  }
  return new ServiceError('malformed_request', 'What arrived is not an HTTP request.')
}
