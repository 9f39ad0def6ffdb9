/*
title: Demographics
question: Which groups of users are most active?
description: >-
  Groups plays by the gender of the user, the level at the time of the play, and the location of the play.
  Equal plays are ordered by gender, level and location.
parameters:
  from:
    type: date
    description: First day of the plays, UTC. Without it, from the first play on.
    example: '2018-11-01'
  to:
    type: date
    description: Last day of the plays, UTC, included. Without it, up to the last play.
    example: '2018-11-30'
  limit:
    type: integer
    default: 50
    minimum: 1
    maximum: 1000
    description: Rows to answer at most.
columns:
  gender: { type: string, example: F }
  level: { type: string, example: paid }
  location: { type: string, example: 'San Francisco-Oakland-Hayward, CA' }
  users: { type: integer, unit: users, example: 3 }
  plays: { type: integer, unit: plays, example: 650 }
  plays_per_user: { type: number, unit: plays per user, example: 216.7 }
chart: { type: bars, x: [gender, level, location], y: [plays] }
*/
with counted as (
  select us.gender, sp.level, sp.location, count(distinct sp.user_id) as users, count(sp.songplay_id) as plays
  from analytics.songplays sp
  join analytics.users us on us.user_id = sp.user_id
  where (cast(:from as date) is null or sp.start_time >= cast(:from as date))
    and (cast(:to as date) is null or sp.start_time < cast(:to as date) + 1)
  group by us.gender, sp.level, sp.location
),
ranked as (
  select gender, level, location, users, plays,
    row_number() over (order by plays desc, gender, level, location) as place
  from counted
)
select gender, level, location, users, plays, cast(plays as double precision) / users as plays_per_user
from ranked
where place <= cast(:limit as integer)
order by place;
