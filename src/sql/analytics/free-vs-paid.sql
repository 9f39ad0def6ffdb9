/*
title: Free against paid
question: How do free and paying users differ?
description: >-
  Plays count under the level that the user had when listening, so a user who changed level is counted under
  both.
parameters:
  from:
    type: date
    description: First day of the plays, UTC. Without it, from the first play on.
    example: '2018-11-01'
  to:
    type: date
    description: Last day of the plays, UTC, included. Without it, up to the last play.
    example: '2018-11-30'
  location:
    type: string
    description: Only plays at this location, as the events spell it.
    example: 'New York-Newark-Jersey City, NY-NJ-PA'
columns:
  level: { type: string, example: paid }
  users: { type: integer, unit: users, example: 22 }
  sessions: { type: integer, unit: sessions, example: 120 }
  plays: { type: integer, unit: plays, example: 5000 }
  seconds: { type: number, unit: seconds, description: 'Time listened.', example: 1250000.5 }
  plays_per_user: { type: number, unit: plays per user, example: 227.3 }
  plays_per_session: { type: number, unit: plays per session, example: 41.7 }
  seconds_per_user: { type: number, unit: seconds per user, example: 56818.2 }
  seconds_per_session: { type: number, unit: seconds per session, example: 10416.7 }
chart: { type: columns, x: [level], y: [plays_per_user, plays_per_session] }
*/
-- Sessions are few, plays many: what is distinct is counted among the former.
with sessions as (
  select sp.level, sp.user_id, sp.session_id, count(sp.songplay_id) as plays,
    sum(cast(sp.duration as decimal(18, 5))) as seconds
  from analytics.songplays sp
  where (cast(:from as date) is null or sp.start_time >= cast(:from as date))
    and (cast(:to as date) is null or sp.start_time < cast(:to as date) + 1)
    and (cast(:location as varchar) is null or sp.location = cast(:location as varchar))
  group by sp.level, sp.user_id, sp.session_id
),
counted as (
  select level, cast(sum(plays) as bigint) as plays, count(distinct user_id) as users, count(session_id) as sessions,
    cast(coalesce(sum(seconds), 0) as double precision) as seconds
  from sessions
  group by level
)
select level, users, sessions, plays, seconds,
  cast(plays as double precision) / users as plays_per_user,
  cast(plays as double precision) / nullif(sessions, 0) as plays_per_session,
  seconds / users as seconds_per_user,
  seconds / nullif(sessions, 0) as seconds_per_session
from counted
order by level;
