-- The number of records read from each object of this load: those staged, and those that were refused before they
-- could be.
create temp table load_object_records as
select
  new_ones.object_no,
  coalesce(staged.records, 0) + coalesce(refused.records, 0) as records_read
from load_new_objects as new_ones
left join (
  select object_no, count(*) as records from load_events_raw group by object_no
  union all
  select object_no, count(*) from load_songs_raw group by object_no
) as staged on staged.object_no = new_ones.object_no
left join (
  select object_no, count(*) as records from load_rejects group by object_no
) as refused on refused.object_no = new_ones.object_no
