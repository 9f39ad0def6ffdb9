-- -> events, songs: how many there are to try again
select
  coalesce(sum(case when kind = 'events' then 1 else 0 end), 0) as events,
  coalesce(sum(case when kind = 'songs' then 1 else 0 end), 0) as songs
from load_replayed
