-- -> events, songs: records read
select
  coalesce(sum(case when kind = 'events' then records_read end), 0) as events,
  coalesce(sum(case when kind = 'songs' then records_read end), 0) as songs
from load_objects
