/*
title: Plays by location
question: Where do people listen?
description: >-
  Locations are those of the events, which may be null. Equal plays are ordered by location. A session is
  one session id of one user.
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
  limit:
    type: integer
    default: 20
    minimum: 1
    maximum: 1000
    description: Rows to answer at most.
columns:
  location: { type: string, example: 'New York-Newark-Jersey City, NY-NJ-PA' }
  plays: { type: integer, unit: plays, example: 250 }
  users: { type: integer, unit: users, example: 9 }
  sessions: { type: integer, unit: sessions, example: 31 }
  seconds: { type: number, unit: seconds, description: 'Time listened.', example: 61250.5 }
chart: { type: bars, x: [location], y: [plays] }
*/
-- Sessions are few, plays many: what is distinct is counted among the former.
with sessions as (
  select sp.location, sp.user_id, sp.session_id, count(sp.songplay_id) as plays,
    sum(cast(sp.duration as decimal(18, 5))) as seconds
  from analytics.songplays sp
  where (cast(:from as date) is null or sp.start_time >= cast(:from as date))
    and (cast(:to as date) is null or sp.start_time < cast(:to as date) + 1)
    and (cast(:level as varchar) is null or sp.level = cast(:level as varchar))
  group by sp.location, sp.user_id, sp.session_id
),
counted as (
  select location, cast(sum(plays) as bigint) as plays, count(distinct user_id) as users, count(session_id) as sessions,
    cast(coalesce(sum(seconds), 0) as double precision) as seconds
  from sessions
  group by location
),
ranked as (
  select location, plays, users, sessions, seconds, row_number() over (order by plays desc, location) as place
  from counted
)
select location, plays, users, sessions, seconds
from ranked
where place <= cast(:limit as integer)
order by place;
