/** The query protocols: form fields in, XML out. EC2 has a dialect of its own. */
import { bringUpToDate } from './cluster-state.ts'
import { ec2 } from './ec2.ts'
import { AwsError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { iam } from './iam.ts'
import { Params } from './params.ts'
import { redshift } from './redshift.ts'
import type { QueryService } from './service.ts'
import type { SignedRequest } from './sigv4.ts'
import { sts } from './sts.ts'
import type { World } from './world.ts'
import { renderDocument, type XmlTree } from './xml.ts'

const services = [sts, iam, ec2, redshift]
const headers = { 'content-type': 'text/xml' }

function renderResult(
  service: QueryService,
  operation: string,
  id: string,
  result: XmlTree | undefined
): string {
  const root = `${operation}Response`
  if (service.name === 'ec2') return renderDocument(root, service.namespace, { requestId: id, ...result })
  const nested = result && { [`${operation}Result`]: result }
  return renderDocument(root, service.namespace, { ...nested, ResponseMetadata: { RequestId: id } })
}

function renderError(service: QueryService, error: AwsError, id: string): string {
  const { code: Code, message: Message, status } = error
  if (service.name === 'ec2') {
    return renderDocument('Response', undefined, { Errors: { Error: { Code, Message } }, RequestID: id })
  }
  const Type = status < 500 ? 'Sender' : 'Receiver'
  return renderDocument('ErrorResponse', service.namespace, { Error: { Type, Code, Message }, RequestId: id })
}

/** Undefined when the request is none of the query protocols'. */
export function readQueryExchange(request: SignedRequest, world: World): Exchange | undefined {
  if (!request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) return undefined
  const fields = [...new URLSearchParams(request.body.toString())]
  const { Action: operation = '', Version: version, ...params } = Object.fromEntries(fields)
  const service = services.find((found) => found.version === version) ?? sts
  const implementation = service.operations[operation]
  return {
    service: service.name,
    operation,
    params,
    isRegional: service === ec2 || service === redshift,
    run(caller, effects, id) {
      if (!caller) throw new Error('query requests are always signed')
      if (!implementation) {
        throw new AwsError('InvalidAction', `The action ${operation} is not valid for this web service.`)
      }
      bringUpToDate(world)
      const result = implementation(Params.parse(fields), { world, caller, effects })
      return { status: 200, headers, body: renderResult(service, operation, id, result) }
    },
    fail: (error, id) => ({ status: error.status, headers, body: renderError(service, error, id) })
  }
}
