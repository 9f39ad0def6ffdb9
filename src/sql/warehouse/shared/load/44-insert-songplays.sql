-- The milliseconds are added apart: dividing them away would lose them on one engine and round them on the other.
-- So are the days: DuckDB multiplies an interval by 32 bits only, and the seconds outgrow them in 2038.
-- :event_id_base -> nothing
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
from (
  select
    cast(:event_id_base as bigint) + staged.row_no as event_id, staged.ts, staged.userid, staged.level,
    staged.sessionid, staged.location, staged.useragent, staged.length
  from load_events as staged
  left join load_event_verdicts as verdicts on verdicts.row_no = staged.row_no
  where verdicts.row_no is null and staged.page = 'NextSong' and staged.userid is not null
  union all
  select
    events.event_id, events.ts, events.userid, events.level, events.sessionid, events.location, events.useragent,
    events.length
  from staging.events as events
  inner join load_rematched_plays as rematched on rematched.event_id = events.event_id
) as plays
left join load_matches as matches on matches.event_id = plays.event_id
