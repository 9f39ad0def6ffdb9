/* The version of the data: how many loads have committed, and when the last one did.
   Result: one row (data_version bigint, 0 before the first load; as_of timestamp, null before the first load) */
select coalesce(max(data_version), 0) as data_version, max(committed_at) as as_of
from ops.loads;
