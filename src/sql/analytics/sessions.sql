/*
title: Sessions
question: How long are sessions, and how many songs are played in one?
description: >-
  A session is one session id of one user; sessions without a play are not known. It lasts from its first
  play to the end of its last one, in whole seconds. All five sizes are there, with 0 where there is none.
parameters:
  from:
    type: date
    description: First day of the plays, UTC. Without it, from the first play on.
    example: '2018-11-01'
  to:
    type: date
    description: Last day of the plays, UTC, included. Without it, up to the last play.
    example: '2018-11-30'
  level:
    type: string
    enum: [free, paid]
    description: Only plays of users who were free, or paying, when they listened.
    example: paid
  location:
    type: string
    description: Only plays at this location, as the events spell it.
    example: 'New York-Newark-Jersey City, NY-NJ-PA'
columns:
  plays_in_session: { type: string, description: 'How many plays the sessions have.', example: '6-20' }
  sessions: { type: integer, unit: sessions, example: 80 }
  users: { type: integer, unit: users, example: 40 }
  plays: { type: integer, unit: plays, example: 900 }
  mean_plays: { type: number, unit: plays per session, example: 11.25 }
  mean_seconds: { type: number, unit: seconds per session, description: 'Mean time from the first play to the end of the last one.', example: 2810.5 }
chart: { type: columns, x: [plays_in_session], y: [sessions] }
*/
-- Seconds are whole, and counted by hand: Redshift's epoch is an INTEGER, which ends in 2038.
with sizes as (
  select '1' as plays_in_session, 1 as fewest, 1 as most
  union all select '2-5', 2, 5 union all select '6-20', 6, 20 union all select '21-50', 21, 50
  union all select '51 or more', 51, 2147483647
),
starts as (
  select sp.user_id, sp.session_id, sp.songplay_id, coalesce(sp.duration, 0) as duration,
    (cast(sp.start_time as date) - cast('1970-01-01' as date)) * cast(86400 as bigint)
      + cast(extract(hour from sp.start_time) as integer) * 3600
      + cast(extract(minute from sp.start_time) as integer) * 60
      + cast(floor(extract(second from sp.start_time)) as integer) as second
  from analytics.songplays sp
  where (cast(:from as date) is null or sp.start_time >= cast(:from as date))
    and (cast(:to as date) is null or sp.start_time < cast(:to as date) + 1)
    and (cast(:level as varchar) is null or sp.level = cast(:level as varchar))
    and (cast(:location as varchar) is null or sp.location = cast(:location as varchar))
),
spans as (
  select user_id, session_id, count(songplay_id) as plays,
    max(second + cast(floor(duration) as bigint)) - min(second) as seconds
  from starts
  group by user_id, session_id
)
select sizes.plays_in_session, count(spans.plays) as sessions, count(distinct spans.user_id) as users,
  cast(coalesce(sum(spans.plays), 0) as bigint) as plays,
  cast(sum(spans.plays) as double precision) / nullif(count(spans.plays), 0) as mean_plays,
  cast(sum(spans.seconds) as double precision) / nullif(count(spans.plays), 0) as mean_seconds
from sizes
left join spans on spans.plays between sizes.fewest and sizes.most
group by sizes.plays_in_session, sizes.fewest
order by sizes.fewest;
