-- :load_id :job_id :mode :committed_at :data_version :objects :objects_skipped, the eight counts, :receipt -> nothing
insert into ops.loads
values (
  cast(:load_id as bigint), :job_id, :mode, cast(:committed_at as timestamp), cast(:data_version as bigint),
  cast(:objects as bigint), cast(:objects_skipped as bigint),
  cast(:events_read as bigint), cast(:events_loaded as bigint),
  cast(:events_duplicates as bigint), cast(:events_rejected as bigint),
  cast(:songs_read as bigint), cast(:songs_loaded as bigint),
  cast(:songs_duplicates as bigint), cast(:songs_rejected as bigint),
  :receipt
)
