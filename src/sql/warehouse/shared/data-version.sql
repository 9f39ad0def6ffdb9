/* The version of the data: how many loads have changed it, when the last load committed, and which job that was of.
   Result: one row (data_version bigint, 0 before the first load; as_of timestamp and job_id, null before the first load) */
select coalesce(max(data_version), 0) as data_version, max(committed_at) as as_of,
  (select max(job_id) from ops.loads where load_id = (select max(load_id) from ops.loads)) as job_id
from ops.loads;
