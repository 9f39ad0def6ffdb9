-- The load that this job has published already, if an earlier attempt got that far.
-- :job_id -> load_id, data_version, the eight counts
select
  load_id, data_version, events_read, events_loaded, events_duplicates, events_rejected, songs_read, songs_loaded,
  songs_duplicates, songs_rejected
from ops.loads
where job_id = :job_id
