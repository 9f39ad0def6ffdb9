/** Where the emulated S3 keeps its objects: in memory, or in a local directory that is read on demand. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'

export interface StoredObject {
  key: string
  size: number
  /** Quoted MD5, as for every object that was put in one piece. */
  etag: string
  modified: Date
  contentType: string
  metadata: Record<string, string>
  /** Checksum headers the object was put with. */
  checksums: Record<string, string>
  read(): Buffer
}

export interface BucketOptions {
  region?: string
  /** Anybody may list and read it, without a signature too. */
  isPublic?: boolean
  /** False: it belongs to another account, which lets us do no more than anybody. */
  isOurs?: boolean
  /** Objects that are files below a directory. Objects put later hide files of the same key. */
  directory?: string
}

export interface Bucket {
  name: string
  region: string
  isPublic: boolean
  isOurs: boolean
  directory: string | undefined
  objects: Map<string, StoredObject>
  /** Keys of files that a client deleted; the files stay. */
  deleted: Set<string>
  /** Keys of the files when the directory was last read. */
  scanned: string[] | undefined
  /** The keys that the last page of a list was of, until one is put or deleted. */
  listed: { prefix: string; keys: string[] } | undefined
}

export interface PutOptions {
  contentType?: string
  metadata?: Record<string, string>
  checksums?: Record<string, string>
}

/** What a test may do with S3 directly. */
export interface S3Store {
  createBucket(name: string, options?: BucketOptions): void
  /** Creates the bucket when there is none. Throws when `maxBytes` would be exceeded. */
  put(bucket: string, key: string, body: string | Buffer, options?: PutOptions): StoredObject
  get(bucket: string, key: string): Buffer | undefined
  delete(bucket: string, key: string): void
  regionOf(bucket: string): string | undefined
  /** Keys in S3's order: by their UTF-8 bytes. */
  keys(bucket: string, prefix?: string): string[]
}

const quotedMd5 = (body: Buffer) => `"${createHash('md5').update(body).digest('hex')}"`

/** ASCII is in that order by itself, which is much faster. */
function sortByBytes(keys: string[]): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII begins with them.
  if (keys.every((key) => /^[\u0000-\u007f]*$/.test(key))) return keys.sort()
  return keys.sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
}

function scan({ directory }: Bucket): string[] {
  if (directory === undefined) return []
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(directory.length + 1)
        .replaceAll(sep, '/')
    )
}

/** Objects in memory count towards `maxBytes`; files do not. */
export class S3Objects implements S3Store {
  readonly buckets = new Map<string, Bucket>()
  readonly #maxBytes: number
  readonly #region: string
  readonly #now: () => number
  /** ETags of files, until the file changes. */
  readonly #etags = new Map<string, { version: string; etag: string }>()
  #bytes = 0

  constructor(region: string, maxBytes: number, now: () => number) {
    this.#region = region
    this.#maxBytes = maxBytes
    this.#now = now
  }

  createBucket(name: string, options: BucketOptions = {}): Bucket {
    const { region = this.#region, isPublic = false, isOurs = true, directory } = options
    const bucket: Bucket = {
      name,
      region,
      isPublic,
      isOurs,
      directory: directory === undefined ? undefined : resolve(directory),
      objects: new Map(),
      deleted: new Set(),
      scanned: undefined,
      listed: undefined
    }
    this.buckets.set(name, bucket)
    return bucket
  }

  put(bucketName: string, key: string, content: string | Buffer, options: PutOptions = {}): StoredObject {
    const bucket = this.buckets.get(bucketName) ?? this.createBucket(bucketName)
    const body = Buffer.from(content)
    const growth = body.length - (bucket.objects.get(key)?.size ?? 0)
    if (this.#bytes + growth > this.#maxBytes)
      throw new Error(`S3 emulator: more than ${this.#maxBytes} bytes`)
    this.#bytes += growth
    const object: StoredObject = {
      key,
      size: body.length,
      etag: quotedMd5(body),
      modified: new Date(this.#now()),
      contentType: options.contentType ?? 'application/octet-stream',
      metadata: options.metadata ?? {},
      checksums: options.checksums ?? {},
      read: () => body
    }
    bucket.objects.set(key, object)
    bucket.deleted.delete(key)
    bucket.listed = undefined
    return object
  }

  get(bucketName: string, key: string): Buffer | undefined {
    const bucket = this.buckets.get(bucketName)
    return bucket && this.find(bucket, key)?.read()
  }

  delete(bucketName: string, key: string): void {
    const bucket = this.buckets.get(bucketName)
    if (!bucket) return
    bucket.listed = undefined
    this.#bytes -= bucket.objects.get(key)?.size ?? 0
    bucket.objects.delete(key)
    if (bucket.directory !== undefined) bucket.deleted.add(key)
  }

  regionOf(bucket: string): string | undefined {
    return this.buckets.get(bucket)?.region
  }

  /** `rescans` false: what the directory held when it was last read, for the later pages of a list. */
  keys(bucketName: string, prefix = '', rescans = true): string[] {
    const bucket = this.buckets.get(bucketName)
    if (!bucket) return []
    if (!rescans && bucket.listed?.prefix === prefix) return bucket.listed.keys
    if (rescans || !bucket.scanned) bucket.scanned = scan(bucket)
    const files = bucket.scanned.filter((key) => !bucket.deleted.has(key))
    const keys = new Set([...bucket.objects.keys(), ...files])
    const sorted = sortByBytes([...keys].filter((key) => key.startsWith(prefix)))
    bucket.listed = { prefix, keys: sorted }
    return sorted
  }

  find(bucket: Bucket, key: string): StoredObject | undefined {
    return bucket.objects.get(key) ?? (bucket.deleted.has(key) ? undefined : this.#file(bucket, key))
  }

  #file({ directory }: Bucket, key: string): StoredObject | undefined {
    if (directory === undefined) return undefined
    const path = join(directory, key)
    // A key is no path: one with `..` or `//` names no file.
    if (path !== directory + sep + key.replaceAll('/', sep)) return undefined
    const stat = statSync(path, { throwIfNoEntry: false })
    if (!stat?.isFile()) return undefined
    return {
      key,
      size: stat.size,
      etag: this.#fileEtag(path, `${stat.size} ${stat.mtimeMs}`),
      modified: stat.mtime,
      contentType: 'application/octet-stream',
      metadata: {},
      checksums: {},
      read: () => readFileSync(path)
    }
  }

  #fileEtag(path: string, version: string): string {
    const known = this.#etags.get(path)
    if (known?.version === version) return known.etag
    const etag = quotedMd5(readFileSync(path))
    this.#etags.set(path, { version, etag })
    return etag
  }
}
