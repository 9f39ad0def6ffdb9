/** What may differ between the engines, by nature, and nothing else may. A test compares every other column. */

export interface Difference {
  table: string
  column: string
  because: string
}

export const differences: Difference[] = [
  {
    table: 'staging.events',
    column: 'event_id',
    because: 'numbered in the order of reading, which COPY does not promise'
  },
  {
    table: 'analytics.songplays',
    column: 'songplay_id',
    because: "is the event's event_id"
  },
  {
    table: 'ops.loads',
    column: 'job_id',
    because: 'every service has jobs of its own'
  },
  {
    table: 'ops.loads',
    column: 'committed_at',
    because: 'the time of the load'
  },
  {
    table: 'ops.loaded_objects',
    column: 'url',
    because: 'a directory here, S3 there; the names below the source are compared'
  },
  {
    table: 'ops.loaded_objects',
    column: 'etag',
    because: 'size and time of a file here, the MD5 that S3 keeps there'
  },
  {
    table: 'ops.loaded_objects',
    column: 'records_read',
    because: 'COPY does not tell which record came from which object; the sums of the load are compared'
  },
  {
    table: 'ops.loaded_objects',
    column: 'records_loaded',
    because: 'as records_read'
  },
  {
    table: 'ops.loaded_objects',
    column: 'records_duplicates',
    because: 'as records_read'
  },
  {
    table: 'ops.loaded_objects',
    column: 'records_rejected',
    because: 'as records_read'
  },
  { table: 'ops.rejects', column: 'reject_id', because: 'numbered in the order of finding them' },
  { table: 'ops.rejects', column: 'job_id', because: 'every service has jobs of its own' },
  { table: 'ops.rejects', column: 'url', because: 'as in ops.loaded_objects' },
  { table: 'ops.rejects', column: 'etag', because: 'as in ops.loaded_objects' },
  { table: 'ops.rejects', column: 'message', because: "a parser's own words; the codes are compared" },
  { table: 'ops.rejects', column: 'rejected_at', because: 'the time of the load' }
]
