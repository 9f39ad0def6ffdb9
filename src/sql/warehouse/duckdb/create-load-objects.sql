-- The objects of this load with the number of records read from each: those staged, and those that were refused
-- before they could be.
create temp table load_objects as
select
  listing.object_no,
  listing.kind,
  listing.url,
  listing.etag,
  listing.bytes,
  coalesce(staged.records, 0) + coalesce(refused.records, 0) as records_read
from load_new_objects as listing
left join (
  select object_no, count(*) as records from load_events_raw group by object_no
  union all
  select object_no, count(*) from load_songs_raw group by object_no
) as staged on staged.object_no = listing.object_no
left join (
  select object_no, count(*) as records from load_rejects group by object_no
) as refused on refused.object_no = listing.object_no
