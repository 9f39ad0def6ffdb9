/** The objects of S3 that a COPY reads, and what it says when it cannot. */
import { gunzipSync } from 'node:zlib'
import { type CopyStatement, readLocation, type S3Location, urlOf } from './copy-statement.ts'
import { internalError, RedshiftError } from './errors.ts'

/** The S3 that COPY reads in the role that it was given. Errors named `AccessDenied` and `RoleNotAssumable` are told as
 * Redshift tells them. */
export interface ObjectStore {
  /** Keys that begin with the prefix. */
  list(bucket: string, prefix: string, role: string): Promise<string[]>
  get(bucket: string, key: string, role: string): Promise<Buffer | undefined>
}

export interface SourceOptions {
  objects: ObjectStore
  role: string
  /** Who assumes the role. */
  principal: string
  /** Of the cluster. */
  region: string
  bucketRegion?(bucket: string): Promise<string | undefined> | string | undefined
  query: number
}

export interface Source {
  /** In the order in which they are loaded; a manifest may name one twice. */
  locations: S3Location[]
  read(location: S3Location): Promise<Buffer>
  /** As it is stored: jsonpaths files are never compressed. */
  readPlain(location: S3Location): Promise<Buffer>
}

export async function openSource(copy: CopyStatement, options: SourceOptions): Promise<Source> {
  const { objects, query } = options
  const s3Error = (what: string, status: number, name: string, location: S3Location, prefix = '') =>
    internalError({
      message: `${prefix}S3ServiceException:${what},Status ${status},Error ${name},Rid 4Q9EMUL8TORREQ3D,CanRetry 1`,
      code: 8001,
      context: `S3 key being read : ${urlOf(location)}`,
      query,
      location: 's3_utility.cpp:689'
    })

  async function checkRegion({ bucket, key }: S3Location) {
    const actual = await options.bucketRegion?.(bucket)
    if (actual === undefined || actual === (copy.region ?? options.region)) return
    const what = `The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.`
    throw s3Error(what, 301, 'PermanentRedirect', { bucket, key })
  }

  const toS3Error = (location: S3Location, prefix: string) => (error: Error) => {
    if (error.name === 'AccessDenied') throw s3Error('Access Denied', 403, 'AccessDenied', location, prefix)
    if (error.name === 'RoleNotAssumable') throw roleError(options.role, options.principal, query)
    throw error
  }

  async function get(location: S3Location, prefix = ''): Promise<Buffer | undefined> {
    await checkRegion(location)
    return objects.get(location.bucket, location.key, options.role).catch(toS3Error(location, prefix))
  }

  async function list(location: S3Location): Promise<string[]> {
    await checkRegion(location)
    return objects.list(location.bucket, location.key, options.role).catch(toS3Error(location, ''))
  }

  async function exists({ bucket, key }: S3Location): Promise<boolean> {
    return (await list({ bucket, key })).includes(key)
  }

  const notFound = (location: S3Location, prefix = '') =>
    s3Error('The specified key does not exist.', 404, 'NoSuchKey', location, prefix)

  async function byManifest(): Promise<S3Location[]> {
    const content = await get(copy.from, 'Problem reading manifest file - ')
    if (content === undefined) throw notFound(copy.from, 'Problem reading manifest file - ')
    const entries = readManifest(content, query)
    const found: S3Location[] = []
    for (const { location, mandatory } of entries) {
      if (await exists(location)) found.push(location)
      else if (mandatory) throw notFound(location)
    }
    if (found.length === 0) {
      throw internalError({ message: 'The specified manifest names no file that exists', code: 8001, query })
    }
    return found
  }

  async function byPrefix(): Promise<S3Location[]> {
    const keys = await list(copy.from)
    // Folders made by hand are objects without content.
    const files = keys.filter((key) => !key.endsWith('/')).sort()
    if (files.length > 0) return files.map((key) => ({ bucket: copy.from.bucket, key }))
    throw internalError({
      message: `The specified S3 prefix '${copy.from.key}' does not exist`,
      code: 8001,
      query,
      location: 's3_utility.cpp:539'
    })
  }

  async function readPlain(location: S3Location): Promise<Buffer> {
    const content = await get(location)
    if (content === undefined) throw notFound(location)
    return content
  }

  return {
    locations: copy.isManifest ? await byManifest() : await byPrefix(),
    readPlain,
    async read(location) {
      const content = await readPlain(location)
      return copy.gzip ? gunzip(content, query) : content
    }
  }
}

function readManifest(content: Buffer, query: number): { location: S3Location; mandatory: boolean }[] {
  const invalid = (what: string) =>
    internalError({ message: `Problem reading manifest file - ${what}`, code: 8001, query })
  let parsed: unknown
  try {
    parsed = JSON.parse(content.toString())
  } catch {
    throw invalid('Invalid JSON')
  }
  const entries = (parsed as { entries?: unknown } | null)?.entries
  if (!Array.isArray(entries) || entries.length === 0) throw invalid('no entries')
  return entries.map((entry: { url?: unknown; mandatory?: unknown }) => {
    if (typeof entry.url !== 'string') throw invalid('an entry without url')
    const location = readLocation(entry.url)
    if (location.key === '' || location.key.endsWith('/')) {
      throw internalError({
        message: 'COPY with MANIFEST parameter requires full path of an S3 object.',
        code: 8001,
        query
      })
    }
    return { location, mandatory: entry.mandatory === true }
  })
}

function gunzip(content: Buffer, query: number): Buffer {
  try {
    return gunzipSync(content)
  } catch {
    throw internalError({
      message: 'failed to inflate with zlib: invalid or incomplete deflate data. zlib error code: -3',
      code: 8001,
      query
    })
  }
}

/** The cluster has not this role, or may not assume it. */
export const roleError = (arn: string, principal: string, query: number): RedshiftError =>
  internalError({
    message: `User ${principal} is not authorized to assume IAM Role ${arn}`,
    code: 8001,
    context: `IAM Role=${arn}`,
    query,
    location: 'xen_aws_credentials_mgr.cpp:402'
  })

export const noDefaultRole = (): RedshiftError =>
  new RedshiftError({ code: 'XX000', message: 'The cluster has no default IAM role' })
