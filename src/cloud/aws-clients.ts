/** The AWS SDK's clients, made in one place: how patient they are, and where their requests really go. */
import { DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2'
import { IAMClient, ListRolesCommand } from '@aws-sdk/client-iam'
import { DescribeClustersCommand, RedshiftClient } from '@aws-sdk/client-redshift'
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'

/** The SDK tries throttled and failed requests again, with exponential backoff: about 20 s in all. */
const MAX_ATTEMPTS = 6
/** In ms. */
const CONNECTION_TIMEOUT = 5_000
const REQUEST_TIMEOUT = 30_000
const AWS_HOST = /\.(amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|api\.aws)$/

export interface AwsClientOptions {
  region: string
  /** Where the buckets are. Default: `region`. */
  sourceRegion?: string | undefined
  /** Requests to S3 are not signed: for public buckets, without an account. */
  anonymousSource?: boolean
  /** In place of AWS, for every service. Default: what the SDK finds, which is AWS unless redirected. */
  endpoint?: string
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
  maxAttempts?: number
}

export type AwsClients = ReturnType<typeof createAwsClients>

/** Where one service's requests go. */
export interface EffectiveEndpoint {
  service: string
  url: string
  /** False when something redirects the requests: an environment variable, a profile, or `endpoint`. */
  isAws: boolean
}

/** Clients for one region. No request is made, and credentials are looked for at the first one. */
export function createAwsClients(options: AwsClientOptions) {
  const clients = createClients(options)
  return {
    region: options.region,
    ...clients,

    /** Where the requests of each service go, by the SDK's own rules; none is sent. */
    endpoints: () => findEndpoints(options),

    close() {
      for (const client of Object.values(clients)) client.destroy()
    }
  }
}

const unsigned = {
  signer: { sign: async <Request>(request: Request) => request },
  credentials: { accessKeyId: '', secretAccessKey: '' }
}

function createClients(options: AwsClientOptions) {
  const { region, sourceRegion, anonymousSource, endpoint, credentials, maxAttempts } = options
  const settings = {
    region,
    maxAttempts: maxAttempts ?? MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      // Without this a request that hangs is only warned about.
      throwOnRequestTimeout: true
    },
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials })
  }
  return {
    redshift: new RedshiftClient(settings),
    iam: new IAMClient(settings),
    ec2: new EC2Client(settings),
    sts: new STSClient(settings),
    s3: new S3Client({
      ...settings,
      region: sourceRegion ?? region,
      // A download may take long, and the bucket may be in another region.
      requestHandler: { connectionTimeout: CONNECTION_TIMEOUT, socketTimeout: REQUEST_TIMEOUT },
      followRegionRedirects: true,
      ...(anonymousSource && unsigned)
    })
  }
}

/**
 * A stray `AWS_ENDPOINT_URL` or a profile's endpoint redirects requests in silence, so the SDK itself is asked: each
 * service gets a request that goes through everything but the network. Credentials would be looked for too soon.
 */
async function findEndpoints(options: AwsClientOptions): Promise<EffectiveEndpoint[]> {
  const credentials = { accessKeyId: 'unused', secretAccessKey: 'unused' }
  const { redshift, iam, ec2, sts, s3 } = createClients({ ...options, credentials })
  const probes: [string, (capture: Capture) => Promise<unknown>][] = [
    ['redshift', (capture) => redshift.send(capture(new DescribeClustersCommand({})))],
    ['iam', (capture) => iam.send(capture(new ListRolesCommand({})))],
    ['ec2', (capture) => ec2.send(capture(new DescribeVpcsCommand({})))],
    ['sts', (capture) => sts.send(capture(new GetCallerIdentityCommand({})))],
    ['s3', (capture) => s3.send(capture(new ListBucketsCommand({})))]
  ]
  return Promise.all(probes.map(([service, probe]) => captureEndpoint(service, probe)))
}

/** A command that goes through the SDK's middleware up to its finished request, and no further. */
type Capture = <Command extends { middlewareStack: { add: AddBuildStep } }>(command: Command) => Command
type AddBuildStep = (
  middleware: () => (args: { request: unknown }) => Promise<never>,
  options: { step: 'build'; name: string }
) => void

class Captured extends Error {
  readonly request: unknown

  constructor(request: unknown) {
    super('the request is not sent')
    this.request = request
  }
}

async function captureEndpoint(
  service: string,
  probe: (capture: Capture) => Promise<unknown>
): Promise<EffectiveEndpoint> {
  const capture: Capture = (command) => {
    const stop = () => async (args: { request: unknown }) => {
      throw new Captured(args.request)
    }
    command.middlewareStack.add(stop, { step: 'build', name: 'captureEndpoint' })
    return command
  }
  const error = await probe(capture).catch((error: unknown) => error)
  if (!(error instanceof Captured)) throw error
  const { protocol, hostname, port } = error.request as { protocol: string; hostname: string; port?: number }
  const url = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`
  return { service, url, isAws: protocol === 'https:' && AWS_HOST.test(hostname) }
}
