-- Moments that the calendar does not have yet.
-- :event_id_base -> nothing
insert into analytics.time
select
  moments.start_time,
  cast(extract(hour from moments.start_time) as integer),
  cast(extract(day from moments.start_time) as integer),
  cast(extract(week from moments.start_time) as integer),
  cast(extract(month from moments.start_time) as integer),
  cast(extract(year from moments.start_time) as integer),
  cast(extract(dow from moments.start_time) as integer)
from (
  select distinct start_time from analytics.songplays where songplay_id > cast(:event_id_base as bigint)
) as moments
left join analytics.time as known on known.start_time = moments.start_time
where known.start_time is null
