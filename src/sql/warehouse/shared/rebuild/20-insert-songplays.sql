-- Times are put together as in a load: 44-insert-songplays.sql says why.
insert into analytics.songplays
select
  plays.event_id,
  timestamp '1970-01-01 00:00:00'
  + cast((plays.ts - mod(plays.ts, 86400000)) / 86400000 as integer) * interval '1 day'
  + cast((mod(plays.ts, 86400000) - mod(plays.ts, 1000)) / 1000 as integer) * interval '1 second'
  + cast(mod(plays.ts, 1000) as integer) * interval '1 millisecond',
  plays.userid,
  plays.level,
  matches.song_id,
  matches.artist_id,
  plays.sessionid,
  plays.location,
  plays.useragent,
  plays.length
from staging.events as plays
left join rebuilt_matches as matches on matches.event_id = plays.event_id
where plays.page = 'NextSong' and plays.userid is not null
