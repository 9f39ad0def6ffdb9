/** Where raw objects come from. */

/** An object is identified by url and etag: other content has another etag. */
export interface SourceObject {
  url: string
  etag: string
  /** Size as stored, in bytes. */
  bytes: number
}

export interface Listing {
  /** In the order of their names. */
  objects: SourceObject[]
  /** Names of what lies there but is no data (see `isData`): told, never silently passed over. */
  ignored: string[]
}

export interface Source {
  readonly url: string
  /** Everything below the source. Throws `source_unreadable` when it cannot be listed. */
  list(signal: AbortSignal): Promise<Listing>
  /** A file on this machine with the object's bytes; `spoolDir` is for those that are not here yet. */
  fetch(object: SourceObject, spoolDir: string, signal: AbortSignal): Promise<string>
}

/** True for names that hold data: JSON, plain or gzip. */
export const isData = (name: string): boolean => /\.json(\.gz)?$/i.test(name)
