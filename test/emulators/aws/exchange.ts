/** One request, understood but not yet carried out. */
import type { AwsError, ServiceName } from './errors.ts'
import type { Reply } from './s3-read.ts'
import type { Effects } from './service.ts'
import type { Identity } from './sigv4.ts'

export interface Exchange {
  service: ServiceName
  operation: string
  params: Record<string, string>
  /** Whether the request has to be signed for the emulator's region. */
  isRegional: boolean
  /** Throws an `AwsError` when the service refuses. */
  run(caller: Identity | undefined, effects: Effects, requestId: string): Reply
  fail(error: AwsError, requestId: string): Reply
}
