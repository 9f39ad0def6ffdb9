-- Where the engine cannot tell an object's records from another's, records_read is null and so is what follows from it.
-- :load_id -> nothing
insert into ops.loaded_objects
select
  cast(:load_id as bigint),
  objects.kind,
  objects.url,
  objects.etag,
  objects.bytes,
  objects.records_read,
  case
    when objects.kind = 'events'
      then objects.records_read - coalesce(duplicates.records, 0) - coalesce(rejects.records, 0)
    when objects.records_read is not null then coalesce(songs.records, 0)
  end,
  case
    when objects.records_read is null then null
    when objects.kind = 'events' then coalesce(duplicates.records, 0)
    else objects.records_read - coalesce(songs.records, 0) - coalesce(rejects.records, 0)
  end,
  coalesce(rejects.records, 0)
from load_objects as objects
left join (
  select object_no, count(*) as records from load_event_verdicts where is_duplicate = 1 group by object_no
) as duplicates on duplicates.object_no = objects.object_no
left join (select object_no, count(*) as records from load_song_changes group by object_no) as songs
  on songs.object_no = objects.object_no
left join (select object_no, count(*) as records from load_rejects group by object_no) as rejects
  on rejects.object_no = objects.object_no
