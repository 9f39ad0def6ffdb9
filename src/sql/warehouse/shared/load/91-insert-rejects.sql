-- load_id is null when the load failed over its rejects.
-- :job_id :load_id :reject_id_base :rejected_at -> nothing
insert into ops.rejects
select
  cast(:reject_id_base as bigint) + row_number() over (
    order by rejects.object_no, coalesce(rejects.line_number, 0), rejects.code
  ),
  cast(:job_id as varchar(64)),
  cast(:load_id as bigint),
  rejects.kind,
  objects.url,
  objects.etag,
  rejects.line_number,
  rejects.code,
  rejects.column_name,
  rejects.message,
  rejects.raw_text,
  rejects.raw_truncated,
  cast(:rejected_at as timestamp),
  cast(null as bigint)
from load_rejects as rejects
inner join load_objects as objects on objects.object_no = rejects.object_no
